"""The model's side of its workers: starting, asking, and replacing them."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from pixels.codecs.shared import Buffer, Places
from pixels.codecs.worker import MESSAGE_BYTES, READY, Job, Outcome

START_S = 60.0  # for imports, and for a GPU's context
LOOK_S = 0.2  # how often the deadline is looked at while a worker works


class Patience(Protocol):
    """How long anybody waits for a photo; pixels.serving.Deadline is one."""

    def check(self) -> None:
        """Raise where nobody waits any more."""


class WorkerLostError(Exception):
    """A worker died of a photo or did not end with it.

    Attributes:
        in_time: whether it was lost before its time was up: another try is then worth while.
    """

    def __init__(self, message: str, *, in_time: bool) -> None:
        super().__init__(message)
        self.in_time = in_time


class Zygote:
    """The process that workers come from, started again where it has died.

    Args:
        device: of DALI's decoder, "cpu" or "mixed".
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._start()

    def _start(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [interpreter(), "-m", "pixels.codecs.zygote", str(theirs.fileno()), self._device],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd="/",  # a folder in the working directory would shadow installed packages
            )

    def fork(self, connection: socket.socket) -> int:
        """A new worker at the other end of a connection; its process ID."""
        try:
            return self._ask(b"fork", [connection.fileno()])
        except OSError:  # the zygote has died, and its workers with it
            self.close()
            self._start()
            return self._ask(b"fork", [connection.fileno()])

    def end(self, pid: int) -> int:
        """Kill a worker and wait for its end; its exit code, negative for a signal."""
        try:
            return self._ask(b"end %d" % pid, [])
        except OSError:
            return -signal.SIGKILL

    def _ask(self, question: bytes, handles: list[int]) -> int:
        socket.send_fds(self._control, [question], handles)
        answer = self._control.recv(MESSAGE_BYTES)
        if not answer:
            raise ConnectionError("the process that workers come from has died")
        return int(answer)

    def close(self) -> None:
        """End it, and all workers with it."""
        self._control.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Worker:
    """One worker process and the memory that it shares."""

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.pid = zygote.fork(theirs)
        self.buffer: Buffer | None = None
        self._ready = False

    def wait_ready(self) -> None:
        """Until it can decode.

        Raises:
            RuntimeError: it cannot start; no photo is to blame.
        """
        if not self._ready:
            heard = select.select([self._connection], [], [], START_S)[0]
            if not heard or self._connection.recv(MESSAGE_BYTES) != READY:
                raise RuntimeError(
                    f"a decoder's worker did not start within {START_S:.0f} s; the server's log says why"
                )
            self._ready = True

    def decode(self, job: Job, pieces: tuple[bytes | memoryview, ...], wall_s: float, patience: Patience) -> Outcome:
        """Have a photo decoded into the buffer.

        Args:
            job: the photo.
            pieces: its cleaned file.
            wall_s: that it may take.
            patience: of those who wait.

        Raises:
            WorkerLostError: the worker is of no use any more; so after an error of patience's.
        """
        places = Places.of(job.header, job.file_bytes)
        buffer = self.buffer
        new = buffer is None or not buffer.fits(places.end)
        if buffer is None or new:
            self.buffer = None
            if buffer:
                buffer.close()
            self.buffer = buffer = Buffer(places.end)
        at = places.file
        for piece in pieces:
            buffer.memory[at : at + len(piece)] = piece
            at += len(piece)
        try:
            socket.send_fds(self._connection, [job.to_message()], [buffer.handle] if new else [])
            return self._outcome(time.monotonic() + wall_s, patience)
        except OSError:
            raise WorkerLostError("it was dead before it began", in_time=True) from None

    def _outcome(self, end_s: float, patience: Patience) -> Outcome:
        while not select.select([self._connection], [], [], LOOK_S)[0]:
            patience.check()
            if time.monotonic() > end_s:
                raise WorkerLostError("it took too long", in_time=False)
        said = self._connection.recv(MESSAGE_BYTES)
        try:
            return Outcome(said)
        except ValueError:
            out_of_time = self.end() == -signal.SIGXCPU
            raise WorkerLostError("it took too long" if out_of_time else "it died", in_time=not out_of_time) from None

    def end(self) -> int:
        """Kill it; its exit code, negative for a signal."""
        pid, self.pid = self.pid, 0
        self._connection.close()
        if self.buffer:
            self.buffer.close()
            self.buffer = None
        return self._zygote.end(pid) if pid else 0


def interpreter() -> str:
    """The Python that has this package; in Triton's stub, sys.executable is whichever comes first on the path."""
    own = Path(sys.prefix, "bin", "python3")
    return str(own) if os.access(own, os.X_OK) else sys.executable
