"""The ledger's promises: what is redone, what is not, and what a crash at any point leaves."""

import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

from clients.files import part_path, write_atomically
from clients.ledger import LEDGER_NAME, Job, Ledger, LedgerError

ENHANCED = b"enhanced"
OUTPUT = hashlib.sha256(ENHANCED).hexdigest(), len(ENHANCED)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A source folder with one photo, and an output folder."""
    sources, targets = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    targets.mkdir()
    (sources / "a.jpg").write_bytes(b"photo")
    return sources, targets


def job(sources: Path, name: str = "a.jpg", target: str = "", settings: str = "") -> Job:
    stat = (sources / name).stat()
    return Job(Path(name), Path(target or name), stat.st_size, stat.st_mtime_ns, settings)


def photo_hash(sources: Path) -> str:
    return hashlib.sha256((sources / "a.jpg").read_bytes()).hexdigest()


def finish(folders: tuple[Path, Path], settings: str = "") -> None:
    """Runs the photo through all states."""
    sources, targets = folders
    ledger = Ledger(*folders)
    found = job(sources, settings=settings)
    ledger.note(found)
    ledger.tried(found)
    ledger.storing(found, photo_hash(sources), *OUTPUT, 0.1)
    write_atomically(targets / found.target, ENHANCED)
    ledger.done(found)
    ledger.close()


def state_after_rescan(folders: tuple[Path, Path], settings: str = "", retry_failed: bool = False) -> str:
    ledger = Ledger(*folders)
    state = ledger.note(job(folders[0], settings=settings), retry_failed)
    left = [each.source for each in ledger.pending()]
    assert left == ([Path("a.jpg")] if state == "pending" else [])
    ledger.close()
    return state


def test_done_stays_done(folders: tuple[Path, Path]) -> None:
    finish(folders)
    assert state_after_rescan(folders) == "done"
    assert state_after_rescan(folders) == "done"


def test_touched_source_is_not_redone_but_a_changed_one_is(folders: tuple[Path, Path]) -> None:
    finish(folders)
    os.utime(folders[0] / "a.jpg", (1, 1))
    assert state_after_rescan(folders) == "done"
    (folders[0] / "a.jpg").write_bytes(b"PHOTO")
    assert state_after_rescan(folders) == "pending"


def test_other_settings_and_lost_or_cut_outputs_are_redone(folders: tuple[Path, Path]) -> None:
    finish(folders)
    assert state_after_rescan(folders, settings="mode=fast") == "pending"
    finish(folders)
    (folders[1] / "a.jpg").write_bytes(ENHANCED[:3])
    assert state_after_rescan(folders) == "pending"
    finish(folders)
    (folders[1] / "a.jpg").unlink()
    assert state_after_rescan(folders) == "pending"


def test_failures_wait_until_they_are_asked_for_or_the_source_changes(folders: tuple[Path, Path]) -> None:
    ledger = Ledger(*folders)
    found = job(folders[0])
    ledger.note(found)
    ledger.tried(found)
    ledger.failed(found, "not a photo")
    assert [(each.source, each.reason, each.attempts) for each in ledger.failures()] == [("a.jpg", "not a photo", 1)]
    ledger.close()
    assert state_after_rescan(folders) == "failed"
    assert state_after_rescan(folders, retry_failed=True) == "pending"


def test_crash_before_the_file_is_in_place_means_pending(folders: tuple[Path, Path]) -> None:
    sources, targets = folders
    ledger = Ledger(*folders)
    ledger.note(job(sources))
    ledger.storing(job(sources), photo_hash(sources), *OUTPUT, 0.1)
    part_path(targets / "a.jpg").write_bytes(ENHANCED[:4])
    ledger.close()
    assert state_after_rescan(folders) == "pending"
    assert [path.name for path in targets.iterdir() if path.name != LEDGER_NAME] == []


def test_crash_after_the_file_is_in_place_means_done(folders: tuple[Path, Path]) -> None:
    sources, targets = folders
    ledger = Ledger(*folders)
    ledger.note(job(sources))
    ledger.storing(job(sources), photo_hash(sources), *OUTPUT, 0.1)
    write_atomically(targets / "a.jpg", ENHANCED)
    ledger.close()
    assert state_after_rescan(folders) == "done"


def test_crash_with_an_older_output_in_place_means_pending(folders: tuple[Path, Path]) -> None:
    sources, targets = folders
    (targets / "a.jpg").write_bytes(b"the older")
    ledger = Ledger(*folders)
    ledger.note(job(sources))
    ledger.storing(job(sources), photo_hash(sources), *OUTPUT, 0.1)
    ledger.close()
    assert state_after_rescan(folders) == "pending"


def test_two_sources_with_one_output_do_not_overwrite_each_other(folders: tuple[Path, Path]) -> None:
    sources, _ = folders
    (sources / "a.png").write_bytes(b"photo")
    ledger = Ledger(*folders)
    assert ledger.note(job(sources, "a.jpg", "a.jpg")) == "pending"
    assert ledger.note(job(sources, "a.png", "a.jpg")) == "failed"
    assert "same output as a.jpg" in ledger.failures()[0].reason


def test_vanished_sources_are_left_alone(folders: tuple[Path, Path]) -> None:
    ledger = Ledger(*folders)
    ledger.note(job(folders[0]))
    ledger.close()
    again = Ledger(*folders)
    assert not list(again.pending()) and again.counts()["pending"] == 0


def test_names_that_are_no_utf8_survive(folders: tuple[Path, Path]) -> None:
    name = os.fsdecode(b"K\xfcche.jpg")
    (folders[0] / name).write_bytes(b"photo")
    ledger = Ledger(*folders)
    ledger.note(job(folders[0], name))
    assert [each.source.name for each in ledger.pending()] == [name]


def test_second_batch_on_the_same_outputs_is_refused(folders: tuple[Path, Path]) -> None:
    first = Ledger(*folders)
    with pytest.raises(LedgerError, match="another batch"):
        Ledger(*folders)
    first.close()
    Ledger(*folders).close()


def test_damaged_ledger_is_named(folders: tuple[Path, Path]) -> None:
    (folders[1] / LEDGER_NAME).write_bytes(b"not a database, but long enough to look at" * 30)
    with pytest.raises(LedgerError, match="move it away"):
        Ledger(*folders)


def test_ledger_can_be_read_with_plain_sql(folders: tuple[Path, Path]) -> None:
    finish(folders)
    with sqlite3.connect(folders[1] / LEDGER_NAME) as database:
        row = database.execute("SELECT state, attempts, source_sha256, target_sha256 FROM photos").fetchone()
    assert row == ("done", 1, photo_hash(folders[0]), hashlib.sha256(ENHANCED).hexdigest())
