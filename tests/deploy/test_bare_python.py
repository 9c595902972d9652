"""What runs on a bare system Python: parts whose docstring says so need its standard library alone."""

import subprocess
import sys

import pytest

from files.checkout import ROOT

BARE = ("command_line", "files", "deploy.access", "deploy.container", "deploy.proxy", "deploy.server")
"""Packages that say so."""
MODULES = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for package in BARE
    for file in ROOT.joinpath(*package.split(".")).glob("*.py")
    if not file.stem.startswith("__")
)


def bare_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that sees no installed package, but this checkout."""
    code = f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); {code}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)


def test_there_is_no_package_for_a_bare_python() -> None:
    assert "No module named 'numpy'" in bare_python("import numpy").stderr


def test_every_module_loads() -> None:
    done = bare_python(f"import {', '.join(MODULES)}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", BARE)
def test_the_package_says_so(package: str) -> None:
    assert "Python's standard library alone" in ROOT.joinpath(*package.split("."), "__init__.py").read_text()


@pytest.mark.parametrize("command", ["deploy.access", "deploy.container", "deploy.proxy", "deploy.server"])
def test_the_command_starts(command: str) -> None:
    done = bare_python(f"sys.argv = ['', '--help']; runpy.run_module({command!r}, run_name='__main__')")
    assert done.returncode == 0 and "usage:" in done.stdout, done.stderr
