"""The decoded photos that wait for `tiler`: how many there are and the memory they take, known to all processes.

Triton bounds a queue by requests alone, and its models are processes of their own; a photo takes from nothing to 960
MB. So `decode` notes what it hands on, `tiler` takes off what it begins, in one small file that both lock.

What never comes to `tiler` (its client's time was up, or `decode` was asked by itself) must not take room for long: it
falls out of the notes with its deadline, and all notes fall once an instance of `tiler` has been idle for a second,
since the queue gives an idle instance what it holds.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

LONGEST_S = 600.0  # for photos without a deadline
IDLE_S = 1.0  # longer than between an answer and the next photo of the queue


@dataclass
class Notes:
    """The account of waiting photos that the processes share.

    Attributes:
        waiting: (deadline on the monotonic clock, bytes) of each photo.
        idle_since_s: on the monotonic clock, of each instance of `tiler` by its process ID; None while it works.
    """

    waiting: list[tuple[float, int]] = field(default_factory=list)
    idle_since_s: dict[str, float | None] = field(default_factory=dict)


class WaitingRoom:
    """The notes of one server.

    Args:
        folder: where all of its models can write; by default their working directory, which is the server's own.
        most_bytes: of pixels that wait. A photo that alone is larger may wait alone.
        most_photos: that wait.
    """

    def __init__(self, most_bytes: int = 0, most_photos: int = 0, folder: Path | None = None) -> None:
        self._path = (folder or Path.cwd()) / f"waiting-{os.getppid()}"
        self._most_bytes, self._most_photos = most_bytes, most_photos

    def is_full(self, more_bytes: int = 0) -> bool:
        """Whether there is no room for a photo, or for one of so many bytes."""
        with self._notes() as notes:
            return self._lacks_room(notes, more_bytes)

    def enter(self, photo_bytes: int, wait_s: float) -> bool:
        """Note a photo that waits from now on.

        Args:
            photo_bytes: of its pixels.
            wait_s: as long as its client waits.

        Returns:
            Whether there is room for it.
        """
        with self._notes() as notes:
            if self._lacks_room(notes, photo_bytes):
                return False
            notes.waiting.append((time.monotonic() + min(wait_s, LONGEST_S), photo_bytes))
            return True

    def begin(self, photo_bytes: int) -> None:
        """This process, an instance of `tiler`, takes a photo of so many bytes from its queue."""
        with self._notes() as notes:
            notes.idle_since_s[str(os.getpid())] = None
            mine = [note for note in notes.waiting if note[1] == photo_bytes]
            if mine:
                notes.waiting.remove(min(mine))

    def rest(self) -> None:
        """This process, an instance of `tiler`, is idle."""
        with self._notes() as notes:
            notes.idle_since_s[str(os.getpid())] = time.monotonic()

    def _lacks_room(self, notes: Notes, more_bytes: int) -> bool:
        if any(since_s is not None and time.monotonic() - since_s > IDLE_S for since_s in notes.idle_since_s.values()):
            notes.waiting.clear()
        waiting_bytes = sum(size for _, size in notes.waiting)
        too_large = bool(notes.waiting) and waiting_bytes + more_bytes > self._most_bytes
        return len(notes.waiting) >= self._most_photos or too_large

    @contextmanager
    def _notes(self) -> Iterator[Notes]:
        """The notes, without what is over: photos past their deadline, processes that have ended. Changes are kept."""
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            notes = _read(file)
            notes.waiting = [note for note in notes.waiting if note[0] > time.monotonic()]
            notes.idle_since_s = {
                pid: since for pid, since in notes.idle_since_s.items() if Path("/proc", pid).exists()
            }
            yield notes
            file.truncate(0)
            json.dump(asdict(notes), file)


def _read(file: TextIO) -> Notes:
    file.seek(0)
    found = json.loads(file.read() or "{}")
    return Notes([(deadline_s, size) for deadline_s, size in found.get("waiting", [])], found.get("idle_since_s", {}))
