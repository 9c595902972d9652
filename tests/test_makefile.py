"""What `make` offers is what the documentation and the programs name, and it stays below this folder."""

import re
import subprocess
from pathlib import Path

import pytest

from files.checkout import ROOT

TEXT = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", TEXT, re.MULTILINE))
"""Those that `make` prints."""
PARTS = re.findall(r"^PARTS := (.*)$", TEXT, re.MULTILINE)[0].split()
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def dry_run(*arguments: str) -> str:
    """The commands of a fresh clone."""
    return make("--dry-run", "--always-make", *arguments).stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_in_the_documentation_are_printed_by_make(page: Path) -> None:
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= TARGETS


def test_there_are_few() -> None:
    assert len(TARGETS) <= 16


def test_parts_that_are_named_exist() -> None:
    code = (file for folder in ("clients", "deploy", "perf", "tests") for file in (ROOT / folder).rglob("*.py"))
    named = {part for each in (*PAGES, *code) for part in re.findall(r"make setup PART=(\w+)", each.read_text())}
    assert {"server", "camera", "ray", "tools"} <= named <= set(PARTS)


def test_a_part_that_does_not_exist_is_one_error() -> None:
    done = make("setup", "PART=moon")
    assert done.returncode == 2 and "error: there is no part 'moon'; choose from server " in done.stderr


def test_the_demo_needs_no_torch_and_no_mypy() -> None:
    commands = dry_run("demo")
    assert "deploy.demo" in commands and ".venv-server" in commands
    assert not re.search(r"torch|\[dev\]|mypy", commands)


def test_tests_install_nothing_outside_the_checkout() -> None:
    scripts = dry_run("test") + (ROOT / "tests/tools.sh").read_text()
    assert "pytest" in scripts and "tests/tools.sh" in scripts
    installing = [
        line for line in scripts.splitlines() if re.search(r"apt-get .*install|pip install|npm install", line)
    ]
    assert installing
    for line in installing:
        assert re.search(r"--simulate|^\.venv[a-z-]*/bin/pip |--prefix \. ", line.strip()), line


def test_the_gpu_check_is_told_its_profile() -> None:
    assert "-m deploy.gpu_check --profile cpu" in dry_run("gpu-check", "PROFILE=cpu")
