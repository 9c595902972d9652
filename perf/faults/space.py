"""A full disk, and shared memory that is too small; both made small, which root alone may."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from perf.errors import PerfError
from perf.faults.probe import Probe
from perf.faults.row import Row
from perf.faults.service import Service
from perf.faults.shoot import Shoot, finish

SHARED_MEMORY = "160m"
SMALL_SHARED_MEMORY = (
    *("unshare", "--mount", "--propagation", "private", "sh", "-c"),
    f'mount -t tmpfs -o size={SHARED_MEMORY} tmpfs /dev/shm && exec "$@"',
    "sh",
)
"""Runs a command that sees a small /dev/shm of its own (Docker's default is smaller still: 64 MB)."""


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


def shared_memory_full(photos: int = 12) -> Row:
    """A batch of photos that do not all fit into the server's shared memory at a time."""
    require_root()
    with Service(SMALL_SHARED_MEMORY) as service, tempfile.TemporaryDirectory() as name:
        shoot = Shoot(Path(name), photos, (3000, 2000))
        with Probe(service.grpc_url) as probe:
            probe.fault()
            code, _ = finish(shoot.batch(service.grpc_url, ("--mode=fast",)))
        answered, twice = shoot.books()
        deaths = service.told().count("starting it anew")
    note = f"{SHARED_MEMORY}B for photos of 6 MP; exit code {code}, {deaths} restarts"
    return Row("shared memory full", photos, answered, twice=twice, recovered_s=probe.recovered_s, note=note)


FAULTS = {"disk-full": disk_full, "shared-memory-full": shared_memory_full}
