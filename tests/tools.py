"""Other people's programs that tests run, or the reason why a test is skipped."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from files.checkout import ROOT

FETCHED = ROOT / ".tools"
"""What tests/tools.sh has fetched; conftest.py has it on the PATH."""


def tool(name: str) -> Path:
    """A program that the system has, or that was fetched; the test is skipped without it."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: make setup PART=tools fetches it on Debian and Ubuntu (x86-64)")
    return Path(found)


def run(*command: str | Path, fails: bool = False, environment: dict[str, str] | None = None) -> str:
    """All that a command says; it must succeed, or fail."""
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | (environment or {}),
        check=False,
    )
    assert bool(done.returncode) == fails, done.stdout
    return done.stdout
