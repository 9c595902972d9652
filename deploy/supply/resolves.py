"""Do the requirements of every environment resolve, on every machine and Python that the README claims?

pip resolves each for the machine it is meant for, wheels alone, and installs nothing; so an x86-64 laptop can tell what
an arm64 DGX Spark would get. Needs a package index.
"""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from command_line.ending import UserError
from files.checkout import ROOT

PROJECT = "triton-photo-enhancer"
GLIBC = range(39, 16, -1)
"""Minor versions of glibc 2 whose wheels are taken: up to Ubuntu 24.04's, which is the image's and DGX OS 7's."""
X86, ARM = "x86_64", "aarch64"
TIMEOUT_S = 1200
"""An index that does not serve metadata alone makes pip fetch whole wheels, of CUDA, too."""


class Unreachable(UserError):
    """No package index answers, so nothing can be told."""


@dataclass(frozen=True)
class Environment:
    """Requirements of one environment, on one machine.

    Attributes:
        name: as the report calls it.
        requirements: pip's arguments that name them.
        python: version of the interpreter, such as 3.12.
        machine: ``x86_64`` or ``aarch64``.
    """

    name: str
    requirements: tuple[str, ...]
    python: str
    machine: str

    def command(self, *requirements: str) -> list[str]:
        """The command line of pip."""
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in GLIBC] + [f"manylinux2014_{self.machine}"]
        return [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--only-binary=:all:"),
            *("--python-version", self.python, "--target", str(Path(tempfile.gettempdir(), "nothing-is-installed"))),
            *(f"--platform={platform}" for platform in platforms),
            *requirements,
        ]

    def problem(self) -> str | None:
        """Why the requirements do not resolve, in pip's words; None where they do.

        Raises:
            Unreachable: not even a package that everybody has can be found.
        """
        reason = _errors(self.command(*self.requirements))
        if reason and _errors(self.command("packaging")):
            raise Unreachable("no package index can be reached from here")
        return reason


def environments() -> Iterator[Environment]:
    """Every environment that the README, the Makefile and the Dockerfile make."""
    constraints = ("--constraint", str(ROOT / "constraints.txt"))
    development = (*constraints, *extras("dev", "perf", "ray", "kubernetes", "camera"))
    for python in ("3.11", "3.12", "3.13"):
        yield Environment("development, training, clients", development, python, X86)
    yield Environment("development, training, clients", development, "3.12", ARM)
    yield Environment("rendered rooms", (*constraints, *extras("rooms")), "3.12", X86)
    for python, machine in (("3.11", X86), ("3.12", X86), ("3.12", ARM)):
        yield Environment("server, CPU profile", _files("server"), python, machine)
        yield Environment("tritonserver, CPU profile", ("--no-deps", *_files("tritonserver")), python, machine)
    for machine in (X86, ARM):
        yield Environment("image, GPU profile", _files("models"), "3.12", machine)
        yield Environment("image that builds plans", (*constraints, *_files("export")), "3.12", machine)
    yield Environment("demo page", ("--requirement", str(ROOT / "clients/page/requirements-ui.txt")), "3.12", X86)


def extras(*names: str) -> list[str]:
    """What a client needs, and these extras of pyproject.toml, those that they name included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = list(project["dependencies"])
    for requirement in (each for name in names for each in project["optional-dependencies"][name]):
        package, _, inner = requirement.partition("[")
        found += extras(*inner.rstrip("]").split(",")) if package == PROJECT else [requirement]
    return list(dict.fromkeys(found))


def _files(name: str) -> tuple[str, str]:
    return "--requirement", str(ROOT / f"deploy/requirements/{name}.txt")


def _errors(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"cannot be told, pip did not finish within {TIMEOUT_S} s"
    if done.returncode == 0:
        return None
    return (
        "; ".join(line for line in done.stderr.splitlines() if line.startswith("ERROR")) or done.stderr.strip()[-300:]
    )


def tell(names: Sequence[str]) -> int:
    """Resolve those whose names have one of these in them, or all; returns 1 where one does not resolve.

    Raises:
        Unreachable: nothing can be told.
    """
    code = 0
    for each in environments():
        if not names or any(name in each.name for name in names):
            problem = each.problem()
            print(f"{each.name}, Python {each.python}, {each.machine}: {problem or 'resolves'}", flush=True)
            code |= problem is not None
    return code
