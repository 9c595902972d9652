"""Memory of a server: its processes' proportional set size, shared memory counted once."""

import re
import threading
from pathlib import Path


def processes(group: int) -> list[Path]:
    """Process directories of a process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:  # ended meanwhile
            continue
        if int(fields[2]) == group:
            found.append(path)
    return found


def pss_bytes(group: int) -> int:
    """Proportional set size of a process group."""
    return sum(map(process_pss_bytes, processes(group)))


def process_pss_bytes(process: Path) -> int:
    """Proportional set size of a process directory's process (proc(5), smaps_rollup); 0 where it has ended."""
    try:
        rollup = (process / "smaps_rollup").read_text()
    except OSError:
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


class Peak:
    """Largest memory of a process group while the ``with`` block runs, sampled ten times a second."""

    def __init__(self, group: int) -> None:
        self.group = group
        self.bytes = pss_bytes(group)
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample)

    def _sample(self) -> None:
        while not self._done.wait(0.1):
            self.bytes = max(self.bytes, pss_bytes(self.group))

    def __enter__(self) -> "Peak":
        """Start to sample."""
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        """One last sample."""
        self._done.set()
        self._sampler.join()
        self.bytes = max(self.bytes, pss_bytes(self.group))
