"""A process that decodes photos one by one and may die of any of them.

It has memory, processor time and files within limits, and no way out but the socket to its model and shared memory.
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from codec.header import Header
from codec.readers import Read, reader
from codec.shared import Places, coarse_in, pixels_in
from codec.upright import shrink, turn_upright

MESSAGE_BYTES = 4096
READY = b"ready"  # said once, before the first photo
PR_SET_PDEATHSIG = 1
SAID = ("format", "width_px", "height_px", "bits", "colors", "alpha", "orientation")  # of a header


class Outcome(Enum):
    """What a worker says about a photo."""

    DECODED = b"decoded"
    DAMAGED = b"damaged"
    MEMORY = b"memory"


@dataclass(frozen=True)
class Job:
    """A photo to decode.

    Attributes:
        header: of the photo, as the parser has it.
        file_bytes: size of the cleaned file in the shared memory.
        memory_bytes: that decoding may take beside what the worker has already.
        processor_s: whole seconds of processor time that it may take.
    """

    header: Header
    file_bytes: int
    memory_bytes: int
    processor_s: int

    def to_message(self) -> bytes:
        """The job as a message for the socket."""
        said = {name: getattr(self.header, name) for name in SAID}
        numbers = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "header"}
        return json.dumps({"header": said, **numbers}).encode()

    @classmethod
    def from_message(cls, message: bytes) -> "Job":
        """The inverse of to_message; metadata and pieces stay behind."""
        found = json.loads(message)
        return cls(Header(**found.pop("header")), **found)


def serve(connection: socket.socket, read_jpeg: Read, *, writes_files: bool) -> None:
    """Decode until the model hangs up.

    Args:
        connection: to the model, of packets; memory to share comes along with a photo where it is new.
        read_jpeg: the reader of JPEG files.
        writes_files: whether a library needs to, as CUDA does.
    """
    _confine(writes_files)
    memory: mmap.mmap | None = None
    connection.send(READY)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what libraries say of strangers' files is for no log
    while True:
        message, handles, _, _ = socket.recv_fds(connection, MESSAGE_BYTES, 1)
        if not message:
            return
        for handle in handles:
            memory = mmap.mmap(handle, 0)
            os.close(handle)
        if memory is None:
            raise RuntimeError("the first photo came without memory")
        outcome, stored = _decode(Job.from_message(message), memory, read_jpeg)
        connection.send(outcome.value)
        if stored.flags.writeable:
            stored.fill(0)  # libraries use their memory again: nothing of this photo is left for the next
        del stored


def _decode(job: Job, memory: mmap.mmap, read_jpeg: Read) -> tuple[Outcome, NDArray[Any]]:
    """What became of the photo, and its pixels as stored, in memory of a library's."""
    header, places = job.header, Places.of(job.header, job.file_bytes)
    _allow(job.memory_bytes, job.processor_s)
    file = memoryview(memory)[places.file : places.end]
    upright, coarse = pixels_in(memory, header), coarse_in(memory, places)
    stored: NDArray[Any] = np.empty(0, np.uint8)
    try:
        stored = reader(header, read_jpeg)(file, header)
        turn_upright(stored, header.orientation, out=upright)
        coarse[...] = shrink(upright)
    except MemoryError:
        return Outcome.MEMORY, stored
    except Exception:  # readers raise nearly anything on damaged files
        return Outcome.DAMAGED, stored
    return Outcome.DECODED, stored


def end_with_parent() -> None:
    """Ask the kernel to kill this process with the one that forked it, even while it is stopped (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _confine(writes_files: bool) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold somebody's photo
    if not writes_files:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    cv2.setNumThreads(1)


def _allow(memory_bytes: int, processor_s: int) -> None:
    """Soft limits of this photo, on top of what the process has taken so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent_s = int(used.ru_utime + used.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent_s + processor_s, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_DATA, (_data_bytes() + memory_bytes, resource.RLIM_INFINITY))


def _data_bytes() -> int:
    """What RLIMIT_DATA counts: private writable memory."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    (line,) = (line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024
