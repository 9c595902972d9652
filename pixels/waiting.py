"""The decoded photos that wait for `tiler`: how many there are and the memory they take, known to all processes.

Triton bounds a queue by requests alone, and its models are processes of their own; a photo takes from nothing to 960
MB. So `decode` notes what it hands on, `tiler` takes off what it begins, in one small file that both lock. What never
comes to `tiler`, since its client's time was up, falls out of the notes with its deadline.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

LONGEST_S = 600.0  # for photos without a deadline, and those of a process that died


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
            notes.append((time.monotonic() + min(wait_s, LONGEST_S), photo_bytes))
            return True

    def leave(self, photo_bytes: int) -> None:
        """A photo of so many bytes waits no longer."""
        with self._notes() as notes:
            mine = [note for note in notes if note[1] == photo_bytes]
            if mine:
                notes.remove(min(mine))

    def clear(self) -> None:
        """Nothing waits: the process that it would wait for is new."""
        with self._notes() as notes:
            notes.clear()

    def _lacks_room(self, notes: list[tuple[float, int]], more_bytes: int) -> bool:
        waiting_bytes = sum(size for _, size in notes)
        return len(notes) >= self._most_photos or (bool(notes) and waiting_bytes + more_bytes > self._most_bytes)

    @contextmanager
    def _notes(self) -> Iterator[list[tuple[float, int]]]:
        """(deadline on the monotonic clock, bytes) of each photo; what is changed is kept."""
        with self._path.open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            notes = [note for note in _read(file) if note[0] > time.monotonic()]
            yield notes
            file.truncate(0)
            json.dump(notes, file)


def _read(file: TextIO) -> list[tuple[float, int]]:
    file.seek(0)
    return [(deadline_s, size) for deadline_s, size in json.loads(file.read() or "[]")]
