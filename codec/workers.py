"""The model's side of its workers: starting, asking, and replacing them."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

from codec.shared import Buffer, Places
from codec.worker import MESSAGE_BYTES, READY, Job, Outcome

START_S = 60.0  # for imports, and for a GPU's context
END_S = 5.0
LOOK_S = 0.2  # how often the deadline is looked at while a worker works


class Patience(Protocol):
    """How long anybody waits for a photo; serving.triton.Deadline is one."""

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
    """The process that workers come from.

    Args:
        device: of DALI's decoder, "cpu" or "mixed".
        python: interpreter that has DALI.
    """

    def __init__(self, device: str, python: Path) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_S)
        with theirs:
            self._process = subprocess.Popen(
                [python, "-m", "codec.zygote", str(theirs.fileno()), device],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],  # this very package, and no folder that would shadow it
            )

    def fork(self, connection: socket.socket) -> int:
        """A new worker at the other end of a connection; its process ID.

        Raises:
            OSError: the zygote has died or hangs.
        """
        return self._ask(b"fork", [connection.fileno()])

    def end(self, pid: int) -> int:
        """Kill a worker and wait for its end; its exit code, negative for a signal. They all end with a dead zygote."""
        try:
            return self._ask(b"end %d" % pid, [])
        except OSError:
            return -signal.SIGKILL

    def close(self) -> None:
        """End it, and all workers with it."""
        self._control.close()
        try:
            self._process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ask(self, question: bytes, handles: list[int]) -> int:
        socket.send_fds(self._control, [question], handles)
        answer = self._control.recv(MESSAGE_BYTES)
        if not answer:
            raise ConnectionError("the process that workers come from has died")
        return int(answer)


class Worker:
    """One worker process and the memory that it shares.

    Raises:
        OSError: as Zygote.fork.
    """

    def __init__(self, zygote: Zygote) -> None:
        self._zygote = zygote
        self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.pid = zygote.fork(theirs)
        self.buffer: Buffer | None = None
        self._started = False

    def is_ready(self) -> bool:
        """Whether it lives and can decode; waits for its start."""
        if not self._started:
            heard = select.select([self._connection], [], [], START_S)[0]
            self._started = bool(heard) and self._connection.recv(MESSAGE_BYTES) == READY
        silent = not select.select([self._connection], [], [], 0)[0]  # what speaks unasked has hung up
        return self._started and silent

    def begin(self, job: Job) -> bool:
        """Hand it a photo.

        Returns:
            Whether it took the photo: a dead one does not.
        """
        places = Places.of(job.header, job.file_bytes)
        new = self.buffer is None or self.buffer.size < places.end
        if new:
            self._drop_buffer()
        self.buffer = self.buffer or Buffer(places.end)
        at = places.file
        for piece in job.header.pieces:
            self.buffer.memory[at : at + len(piece)] = piece
            at += len(piece)
        try:
            socket.send_fds(self._connection, [job.to_message()], [self.buffer.handle] if new else [])
        except OSError:
            return False
        return True

    def outcome(self, wall_s: float, patience: Patience) -> Outcome:
        """What became of the photo; its pixels are in the buffer.

        Args:
            wall_s: that it may take, without what it waits for a core: a busy machine makes no photo a bad one.
            patience: of those who wait.

        Raises:
            WorkerLostError: the worker is of no use any more, as after an error of patience's.
        """
        end_s = time.monotonic() + wall_s - starved_s(self.pid)
        while not select.select([self._connection], [], [], LOOK_S)[0]:
            patience.check()
            if time.monotonic() - starved_s(self.pid) > end_s:
                raise WorkerLostError("it took too long", in_time=False)
        try:
            return Outcome(self._connection.recv(MESSAGE_BYTES))
        except (ValueError, OSError):
            out_of_time = self.end() == -signal.SIGXCPU
            raise WorkerLostError("it took too long" if out_of_time else "it died", in_time=not out_of_time) from None

    def end(self) -> int:
        """Kill it; its exit code, negative for a signal, 0 where it was ended before."""
        pid, self.pid = self.pid, 0
        self._connection.close()
        self._drop_buffer()
        return self._zygote.end(pid) if pid else 0

    def _drop_buffer(self) -> None:
        if self.buffer:
            self.buffer.close()
        self.buffer = None


def starved_s(pid: int) -> float:
    """How long a process's threads were ready to run and waited for a core; 0 where the kernel does not say."""
    waited_ns = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):  # on a core, ready and waiting, turns
        with contextlib.suppress(OSError):
            waited_ns += int(task.read_text().split()[1])
    return waited_ns / 1e9


def interpreter() -> Path:
    """The Python that has this package; in Triton's stub, sys.executable is whichever comes first on the path."""
    own = Path(sys.prefix, "bin", "python3")
    return own if os.access(own, os.X_OK) else Path(sys.executable)
