"""States of the project to compare: each served from files of its own, side by side on one machine."""

import contextlib
import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.measuring.machine import run
from deploy.measuring.targets import Target, target_of
from deploy.server.triton import SERVER_PYTHON, TritonServer
from deploy.server.wheel import Wheel
from files.checkout import ROOT
from perf.errors import PerfError
from perf.results import commit

PARTS = ("model_repository", "pixels", "codec", "serving")


@dataclass(frozen=True)
class Side:
    """One state: the files that a server is made of.

    Attributes:
        name: as it was given.
        folder: with all PARTS.
    """

    name: str
    commit: str
    folder: Path


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
    hashed = run("git", "-C", str(ROOT), "rev-parse", "--short=12", f"{name}^{{commit}}")
    return Side(name, hashed.strip(), folder)


def environment(side: Side) -> Path:
    """Interpreter of a server environment with this side's own packages; all other packages are today's.

    Raises:
        LaunchError: the server's environment is missing.
    """
    Wheel.of(SERVER_PYTHON)
    folder = side.folder / "venv"
    subprocess.run([SERVER_PYTHON, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    servers = SERVER_PYTHON.parent.parent.joinpath(*packages.parts[-3:])
    for part in ("pytriton", "nvidia_pytriton.libs"):  # where the launcher looks for the server
        (packages / part).symlink_to(servers / part)
    (packages / "side.pth").write_text(f"{side.folder.resolve()}\n{servers}\n")  # not by links: OpenCV resolves them
    return folder / "bin/python"


@contextlib.contextmanager
def serve(side: Side) -> Iterator[Target]:
    """A server of the CPU profile with a side's files; raises LaunchError where it cannot be started."""
    repository, log = side.folder / "model_repository", side.folder / "server.log"
    with TritonServer(repository=repository, log=log, python=environment(side)) as server:
        yield target_of(server)
