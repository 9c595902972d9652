"""Programs of others that read the files of deploy/, or the reason why a test is skipped."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.server import ROOT

FETCHED = ROOT / ".tools"


def tool(name: str) -> Path:
    """A program that `make setup-tools` has fetched, or that the system has; the test is skipped without it."""
    found = next(iter(sorted(FETCHED.rglob(f"bin/{name}"))), None) or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: make setup-tools fetches it on Debian and Ubuntu (x86-64)")
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
