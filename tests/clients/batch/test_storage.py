"""Where outputs are stored, and with which time."""

from pathlib import Path

import pytest

from clients.batch.storage import StorageError, store


def test_written_file_has_its_time_and_folders(tmp_path: Path) -> None:
    target = tmp_path / "a/b/photo.jpg"
    store(tmp_path, target, b"whole", 1_600_000_000_123_456_789)
    assert target.read_bytes() == b"whole" and target.stat().st_mtime_ns == 1_600_000_000_123_456_789


def test_a_folder_that_was_taken_away_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the folder is gone"):
        store(tmp_path / "out", tmp_path / "out/photo.jpg", b"whole", 1)
    assert not (tmp_path / "out").exists()
