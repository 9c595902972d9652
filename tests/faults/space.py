"""A full disk, and shared memory that is too small; both made small, which root alone may."""

import contextlib
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from clients import Enhancer, Retry
from clients.errors import BusyError
from perf.errors import PerfError
from perf.photos import photo_file
from tests.faults.row import Row
from tests.faults.service import Service
from tests.faults.shoot import Shoot, finish

SHARED_MEMORY_MB = 64
SMALL_SHARED_MEMORY = (
    *("unshare", "--mount", "--propagation", "private", "sh", "-c"),
    f'mount -t tmpfs -o size={SHARED_MEMORY_MB}m tmpfs /dev/shm && exec "$@"',
    "sh",
)
"""Runs a command that sees a /dev/shm of its own, as small as Docker's where nobody asks for more."""
LARGE_PX, SMALL_PX = (6000, 4000), (640, 480)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system that holds some of a shoot's results."""
    require_root()
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def require_root() -> None:
    """Raise PerfError for other users."""
    if os.geteuid():
        raise PerfError("small file systems can be mounted by root alone: run this fault as root")


def disk_full(photos: int = 40) -> Row:
    """A batch whose disk fills up; the same command again once there is room."""
    with Service() as service, tempfile.TemporaryDirectory() as name, small_disk(Path(name)) as disk:
        shoot = Shoot(Path(name), photos, out=disk / "out")
        code, report = finish(shoot.batch(service.grpc_url))
        note = f"exit code {code} with {report['pending']} pending; the same command again, once there was room"
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        finish(shoot.batch(service.grpc_url))
        answered, twice = shoot.books()
    return Row("disk of the results full", photos, answered, twice=twice, note=note)


def shared_memory_full(photos: int = 40) -> Row:
    """Photos, every fourth of which is too large for the server's shared memory."""
    require_root()
    found: Counter[str] = Counter()
    with Service(SMALL_SHARED_MEMORY) as service, Enhancer(service.grpc_url, retry=Retry(attempts=1)) as enhancer:
        for number in range(photos):
            try:
                enhancer.enhance(photo_file(*(SMALL_PX if number % 4 else LARGE_PX)), mode="fast")
                found["answered"] += 1
            except BusyError as error:
                found["refused"] += "shared memory" in str(error)
        restarts = service.restarts()
    note = f"{SHARED_MEMORY_MB} MB; photos of 24 MP get UNAVAILABLE, small ones are served; {restarts} restarts"
    return Row("shared memory full", photos, found["answered"], found["refused"], note=note)


FAULTS = {"disk-full": disk_full, "shared-memory-full": shared_memory_full}
