"""States of the project to compare: each served from files of its own, side by side on one machine."""

import contextlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.server import ROOT, SERVER_PYTHON, TritonServer
from deploy.wheel import LaunchError
from perf.errors import PerfError
from perf.results import commit
from perf.servers import Target, target_of

PARTS = ("model_repository", "pixels", "codec", "serving")


@dataclass(frozen=True)
class Side:
    """One state: the files that a server is made of.

    Attributes:
        name: as it was given.
        commit: of these files.
        folder: with all PARTS.
        options: further options of tritonserver.
    """

    name: str
    commit: str
    folder: Path
    options: tuple[str, ...] = ()


def checkout(name: str, folder: Path) -> Side:
    """A side in a folder of its own: later edits of the working tree do not reach it.

    Args:
        name: a commit, or a folder with all PARTS.
        folder: to be made.

    Raises:
        PerfError: it is neither.
    """
    source = Path(name)
    if all((source / part).is_dir() for part in PARTS):
        for part in PARTS:
            shutil.copytree(source / part, folder / part, symlinks=True)
        return Side(name, commit(source), folder)
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", f"{name}^{{commit}}", *PARTS], capture_output=True, check=False
    )
    if archive.returncode:
        raise PerfError(f"{name} is neither a commit nor a folder with {', '.join(PARTS)}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    hashed = subprocess.run(
        ["git", "-C", ROOT, "rev-parse", "--short=12", f"{name}^{{commit}}"], capture_output=True, text=True, check=True
    )
    return Side(name, hashed.stdout.strip(), folder)


def environment(side: Side) -> Path:
    """Interpreter of a server environment with this side's own packages; all other packages are today's.

    Raises:
        PerfError: the server's environment is missing.
    """
    if not SERVER_PYTHON.exists():
        raise PerfError("the server's environment is missing; make it: make setup-server")
    folder = side.folder / "venv"
    subprocess.run([SERVER_PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for package in SERVER_PYTHON.parent.parent.joinpath(*packages.parts[-3:]).iterdir():
        (packages / package.name).symlink_to(package)
    for part in PARTS[1:]:  # found before those of the working tree, to which the environment's path ends
        (packages / part).symlink_to(side.folder / part)
    return folder / "bin/python"


@contextlib.contextmanager
def serve(side: Side) -> Iterator[Target]:
    """A server of the CPU profile with a side's files.

    Raises:
        PerfError: it cannot be started.
    """
    try:
        with TritonServer(
            repository=side.folder / "model_repository",
            log=side.folder / "server.log",
            python=environment(side),
            options=side.options,
        ) as server:
            yield target_of(server)
    except LaunchError as error:
        raise PerfError(f"{side.name}: {error}") from None
