"""Memory of a server: its processes' proportional set size, in which shared memory counts once."""

import contextlib
import os
import threading

import psutil


def processes(group: int) -> list[psutil.Process]:
    """Processes of a process group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            if os.getpgid(process.pid) == group:
                found.append(process)
    return found


def process_pss_bytes(process: psutil.Process) -> int:
    """Proportional set size of a process; 0 where it has ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def pss_bytes(group: int) -> int:
    """Proportional set size of a process group."""
    return sum(map(process_pss_bytes, processes(group)))


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
