"""A file is whole or absent, whoever writes it, and whatever happens meanwhile."""

import errno
import os
import threading
from pathlib import Path

import pytest

from files.writing import part_path, remove_parts, write_whole


def test_folders_are_made_and_texts_are_utf8(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b/notes.txt", "späť")
    assert (tmp_path / "a/b/notes.txt").read_bytes() == "späť".encode()


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


def test_two_programs_that_write_one_file_leave_one_of_the_two(tmp_path: Path) -> None:
    target, contents = tmp_path / "photo.jpg", [bytes([number]) * 200_000 for number in range(6)]
    threads = [threading.Thread(target=write_whole, args=(target, content)) for content in contents * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents and list(tmp_path.iterdir()) == [target]


def test_parts_of_killed_programs_are_found(tmp_path: Path) -> None:
    target = tmp_path / ("x" * 251 + ".jpg")
    for path in (part_path(target), part_path(target), part_path(tmp_path / "other.jpg")):
        path.write_bytes(b"half")
    remove_parts(target)
    assert len(list(tmp_path.iterdir())) == 1
