"""The ledger's promises: what is redone, what is not, and what a crash at any point leaves."""

import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

from clients.batch.database import LedgerError
from clients.batch.job import Job
from clients.batch.judgement import Again
from clients.batch.ledger import LEDGER_NAME, Ledger
from clients.batch.storage import store
from clients.batch.worklist import KEPT
from files.writing import part_path, write_whole
from tests.clients.batch.ledgers import ENHANCED, OUTPUT, PHOTO, finish, job, photo_hash, state_after_rescan
from tests.photos import encoded, photo


def test_done_stays_done(folders: tuple[Path, Path]) -> None:
    finish(folders)
    assert state_after_rescan(folders) == "skipped"
    assert state_after_rescan(folders) == "skipped"


def test_touched_source_is_not_redone_but_a_changed_one_is(folders: tuple[Path, Path]) -> None:
    finish(folders)
    os.utime(folders[0] / "a.jpg", (1, 1))
    assert state_after_rescan(folders) == "skipped"
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
    assert [(str(each.job.source), each.reason, each.attempts) for each in ledger.failures()] == [
        ("a.jpg", "not a photo", 1)
    ]
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
    write_whole(targets / "a.jpg", ENHANCED)
    ledger.close()
    assert state_after_rescan(folders) == "skipped"


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
    assert ledger.note(job(sources, "a.png", "a.jpg")) == "pending"
    assert [each.target.name for each in ledger.pending()] == ["a.jpg", "a_png.jpg"]
    ledger.close()
    again = Ledger(*folders)  # the names stay, in whichever order the photos are found
    again.note(job(sources, "a.png", "a.jpg"))
    again.note(job(sources, "a.jpg", "a.jpg"))
    assert {each.source.name: each.target.name for each in again.pending()} == {"a.jpg": "a.jpg", "a.png": "a_png.jpg"}


def test_a_name_is_free_again_when_its_photo_and_its_output_are_gone(folders: tuple[Path, Path]) -> None:
    sources, _ = folders
    finish(folders)
    (sources / "a.jpg").rename(sources / "a.png")
    for name in ("a_png.jpg", "a.jpg"):
        ledger = Ledger(*folders)
        ledger.note(job(sources, "a.png", "a.jpg"))
        assert [each.target.name for each in ledger.pending()] == [name]
        ledger.close()
        (folders[1] / "a.jpg").unlink(missing_ok=True)


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


def test_an_edit_that_keeps_size_and_time_is_redone(folders: tuple[Path, Path]) -> None:
    photo = folders[0] / "a.jpg"
    os.utime(photo, (1, 1))
    finish(folders)
    photo.write_bytes(b"PHOTO")
    os.utime(photo, (1, 1))
    assert state_after_rescan(folders) == "pending"


def test_a_source_is_read_again_only_if_the_file_system_saw_a_change(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.batch.ledger.TICK_NS", 0)  # as if the photo had been there for long
    finish(folders)
    monkeypatch.setattr("clients.batch.sources.sha256", lambda path: pytest.fail(f"{path} was read"))
    assert state_after_rescan(folders) == "skipped"


@pytest.mark.parametrize("year", [1800, 2300, 2500])
def test_file_times_of_other_centuries(folders: tuple[Path, Path], year: int) -> None:
    photo, seconds = folders[0] / "a.jpg", (year - 1970) * 31_556_952
    os.utime(photo, (seconds, seconds))
    finish(folders)
    assert state_after_rescan(folders) == "skipped"
    store(None, folders[1] / "a.jpg", ENHANCED, job(folders[0]).modified_ns)


def test_reasons_and_names_in_any_characters(folders: tuple[Path, Path]) -> None:
    ledger = Ledger(*folders)
    ledger.note(job(folders[0]))
    ledger.failed(job(folders[0]), "cannot write K\udcfcche:\n\ud800 " + "long " * 1000)
    (failure,) = ledger.failures()
    assert failure.reason.startswith("cannot write K\\udcfcche: \\ud800 long") and len(failure.reason) == 500


def test_what_cannot_be_looked_at_is_a_failure_until_it_can(folders: tuple[Path, Path]) -> None:
    ledger = Ledger(*folders)
    assert ledger.note(Job(Path("a.jpg"), Path("a.jpg"), 0, 0, "", trouble="cannot be read: loop")) == "failed"
    assert [each.reason for each in ledger.failures()] == ["cannot be read: loop"]
    ledger.close()
    assert state_after_rescan(folders) == "pending"


def test_outputs_that_vanish_during_the_run_are_told_and_pending(folders: tuple[Path, Path]) -> None:
    finish(folders)
    ledger = Ledger(*folders)
    assert ledger.note(job(folders[0])) == "skipped"
    ledger.check_outputs()
    assert not ledger.failures()
    (folders[1] / "a.jpg").unlink()
    ledger.check_outputs()
    (failure,) = ledger.failures()
    assert str(failure.reason).startswith("its output is gone again")
    ledger.close()
    assert state_after_rescan(folders) == "pending"


def test_ledger_can_be_read_with_plain_sql(folders: tuple[Path, Path]) -> None:
    finish(folders)
    with sqlite3.connect(folders[1] / LEDGER_NAME) as database:
        row = database.execute("SELECT state, attempts, source_sha256, target_sha256 FROM photos").fetchone()
    assert row == ("done", 1, photo_hash(folders[0]), hashlib.sha256(ENHANCED).hexdigest())


def test_a_file_from_elsewhere_is_kept_unless_told(folders: tuple[Path, Path]) -> None:
    (folders[1] / "a.jpg").write_bytes(b"somebody's")
    for _ in range(2):
        ledger = Ledger(*folders)
        assert ledger.note(job(folders[0])) == "skipped"
        assert [(each.state, each.reason) for each in ledger.entries()] == [("skipped", KEPT)]
        ledger.close()
    ledger = Ledger(*folders)
    assert ledger.note(job(folders[0]), Again(existing=True)) == "pending"


def test_an_output_that_somebody_worked_on_is_kept_unless_told(folders: tuple[Path, Path]) -> None:
    (folders[0] / "a.jpg").write_bytes(PHOTO)
    finish(folders)
    (folders[1] / "a.jpg").write_bytes(encoded(photo(40, 30, 5)))
    assert state_after_rescan(folders) == "skipped"
    assert state_after_rescan(folders, settings="mode=fast") == "skipped"
    ledger = Ledger(*folders)
    assert ledger.note(job(folders[0]), Again(existing=True)) == "pending"


def test_an_own_output_of_a_killed_run_is_replaced(folders: tuple[Path, Path]) -> None:
    """Killed between the note of a new output and its file: the old one, whole and ours, is still there."""
    (folders[0] / "a.jpg").write_bytes(PHOTO)
    finish(folders)
    ledger, found = Ledger(*folders), job(folders[0], settings="mode=fast")
    assert ledger.note(found) == "pending"
    ledger.storing(found, "", "f" * 64, 3, 0.1)
    (folders[1] / "a.jpg").write_bytes(PHOTO)
    ledger.close()
    for _ in range(2):  # twice: the second run is killed before it sends the photo
        assert state_after_rescan(folders, settings="mode=fast") == "pending"


def test_outputs_of_other_networks_are_counted_and_redone_when_told(folders: tuple[Path, Path]) -> None:
    finish(folders, model="generator 1, refiner 1")
    for model, outdated in (("generator 1, refiner 1", 0), ("", 0), ("generator 2, refiner 1", 1)):
        ledger = Ledger(*folders)
        ledger.model = model
        assert ledger.note(job(folders[0])) == "skipped" and ledger.outdated() == outdated
        assert ledger.note(job(folders[0]), Again(outdated=True)) == ("pending" if outdated else "skipped")
        ledger.close()


@pytest.mark.parametrize(("modified_ns", "state"), [(None, "pending"), (5, "skipped")])
def test_an_output_that_was_stored_without_its_note_is_replaced(
    folders: tuple[Path, Path], modified_ns: int | None, state: str
) -> None:
    """As a worker on another machine leaves it, when the ledger's own program is killed; not somebody else's file."""
    assert state_after_rescan(folders) == "pending"
    store(None, folders[1] / "a.jpg", PHOTO, modified_ns or job(folders[0]).modified_ns)
    assert state_after_rescan(folders) == state


def test_parts_of_a_killed_run_go_even_when_the_options_change(folders: tuple[Path, Path]) -> None:
    ledger = Ledger(*folders)
    ledger.note(job(folders[0]))
    ledger.storing(job(folders[0]), photo_hash(folders[0]), *OUTPUT, 0.1)
    part_path(folders[1] / "a.jpg").write_bytes(ENHANCED[:4])
    ledger.close()
    assert state_after_rescan(folders, settings="mode=fast") == "pending"
    assert [path.name for path in folders[1].iterdir()] == [LEDGER_NAME]


def test_a_photo_behind_a_mended_link_is_tried_again(folders: tuple[Path, Path]) -> None:
    finish(folders)
    ledger = Ledger(*folders)
    ledger.note(Job(Path("a.jpg"), Path("a.jpg"), 0, 0, "", trouble="this link leads nowhere"))
    ledger.close()
    assert state_after_rescan(folders) == "pending"


def test_a_file_at_a_new_place_is_not_taken_for_an_own_one(folders: tuple[Path, Path]) -> None:
    finish(folders)
    ledger = Ledger(*folders)
    assert ledger.note(job(folders[0], target="a.webp")) == "pending"
    ledger.close()
    (folders[1] / "a.webp").write_bytes(b"somebody's")
    os.utime(folders[1] / "a.webp", (1, 1))
    ledger = Ledger(*folders)
    assert ledger.note(job(folders[0], target="a.webp")) == "skipped"
    assert [each.reason for each in ledger.entries()] == [KEPT]
