"""Batches of brackets: one job for each scene, in the ledger, after interruptions, in every report."""

import asyncio
import json
import os
from pathlib import Path

import numpy as np
import pytest

from clients import AsyncEnhancer, FakeTransport, Retry
from clients.batch.folders import Plan, Search
from clients.batch.grouping import Grouping
from clients.batch.job import Job
from clients.batch.judgement import Again
from clients.batch.ledger import Ledger
from clients.batch.local_engine import Batch, Outcome
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.watch import Settled
from clients.camera import is_installed, sendable
from clients.commands.cli import main
from clients.errors import PhotoError
from deploy.server.triton import TritonServer
from tests.clients.brackets.shoots import bracket, room, shoot
from tests.clients.test_camera import dng, pixels, ramp
from tests.photos import decoded, encoded


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two brackets, one of them without EXIF, and a single."""
    sources, targets = tmp_path / "in", tmp_path / "out"
    shoot(sources / "hall", *bracket(1, 1, 0.0))
    shoot(sources / "kitchen", *bracket(4, 2, None), *bracket(7, 3, None, (0,)))
    targets.mkdir()
    return sources, targets


def found(folders: tuple[Path, Path], rule: str = "auto") -> list[Job]:
    jobs = Plan(Naming(), Search(), "").mirror(*folders)
    return Grouping(folders[0], rule).jobs(jobs) if rule != "off" else list(jobs)


def scanned(folders: tuple[Path, Path], rule: str = "auto", again: Again = Again()) -> Ledger:  # noqa: B008
    ledger = Ledger(*folders)
    for job in found(folders, rule):
        ledger.note(job, again)
    return ledger


def run(ledger: Ledger, fake: FakeTransport) -> list[Outcome]:
    async def collect() -> list[Outcome]:
        async with AsyncEnhancer(transport=fake, retry=Retry(attempts=1)) as enhancer:
            return [outcome async for outcome in Batch(ledger, enhancer, Order(), in_flight=2).run()]

    return asyncio.run(collect())


def made(folders: tuple[Path, Path], rule: str = "auto", fake: FakeTransport | None = None) -> list[str]:
    """Runs to the end; returns what was made, by the names of the pictures."""
    ledger = scanned(folders, rule)
    outcomes = run(ledger, fake or FakeTransport())
    ledger.close()
    return sorted(outcome.job.target.as_posix() for outcome in outcomes if outcome.error is None)


def test_a_scene_is_one_job_and_what_is_sent_is_all_of_its_frames(folders: tuple[Path, Path]) -> None:
    sent: list[tuple[bytes, ...]] = []

    def merge(frames: tuple[bytes, ...], parameters: object) -> bytes:
        sent.append(frames)
        return frames[0]

    assert made(folders, fake=FakeTransport(merge=merge)) == [
        "hall/IMG_1.jpg",
        "kitchen/IMG_4.jpg",
        "kitchen/IMG_7.jpg",
    ]
    contents = {path.stem: path.read_bytes() for path in folders[0].rglob("*.jpg")}
    assert sorted(sent) == sorted(tuple(contents[f"IMG_{n}"] for n in range(start, start + 3)) for start in (1, 4))
    assert made(folders) == []


def test_a_frame_that_changes_comes_or_goes_makes_its_scene_again(folders: tuple[Path, Path]) -> None:
    made(folders)
    path = folders[0] / "hall/IMG_3.jpg"
    os.utime(path, (1, 1))
    assert made(folders) == []
    shoot(folders[0] / "hall", *bracket(1, 1, 0.0, (0, -2, 1))[2:])
    assert made(folders) == ["hall/IMG_1.jpg"]
    path.unlink()
    assert made(folders) == ["hall/IMG_1.jpg"]


def test_the_rule_is_part_of_the_job(folders: tuple[Path, Path]) -> None:
    made(folders)
    assert made(folders, "off") == [
        f"{name}.jpg"
        for name in ("hall/IMG_1", "hall/IMG_2", "hall/IMG_3", "kitchen/IMG_4", "kitchen/IMG_5", "kitchen/IMG_6")
    ]
    assert made(folders) == ["hall/IMG_1.jpg", "kitchen/IMG_4.jpg"]


def test_a_failed_scene_waits_for_a_change_of_any_frame(folders: tuple[Path, Path]) -> None:
    def merge(frames: tuple[bytes, ...], parameters: object) -> bytes:
        raise PhotoError("frame 2 differs from frame 1 and frame 7")

    fake = FakeTransport(merge=merge)
    assert made(folders, fake=fake) == ["kitchen/IMG_7.jpg"]
    ledger = scanned(folders)
    assert [(str(each.job.source), each.reason) for each in ledger.failures()] == [
        ("hall/IMG_1.jpg", "IMG_2.jpg differs from IMG_1.jpg and frame 7"),
        ("kitchen/IMG_4.jpg", "IMG_5.jpg differs from IMG_4.jpg and frame 7"),
    ]
    ledger.close()
    shoot(folders[0] / "hall", *bracket(1, 1, 0.0, (0, -1.5, 2))[1:2])
    assert made(folders) == ["hall/IMG_1.jpg"]


@pytest.mark.parametrize("trouble", ["gone", "unreadable"])
def test_a_frame_that_cannot_be_read_is_named_and_the_rest_is_done(folders: tuple[Path, Path], trouble: str) -> None:
    ledger = scanned(folders)
    path = folders[0] / "hall/IMG_2.jpg"
    path.unlink()
    if trouble == "unreadable":
        path.mkdir()
    run(ledger, FakeTransport())
    (failure,) = ledger.failures()
    reason = {"gone": "No such file or directory", "unreadable": "Is a directory"}[trouble]
    assert (str(failure.job.source), failure.reason) == ("hall/IMG_1.jpg", f"IMG_2.jpg cannot be read: {reason}")
    assert ledger.counts()["done"] == 2


@pytest.mark.parametrize("stored", [False, True])
def test_a_scene_that_was_being_stored_is_finished_once(folders: tuple[Path, Path], stored: bool) -> None:
    """As SIGKILL leaves it between the note and the file, or between the file and the note."""
    ledger = scanned(folders)
    done, Ledger.done = Ledger.done, lambda *_: None  # type: ignore[method-assign]
    try:
        run(ledger, FakeTransport())
    finally:
        Ledger.done = done  # type: ignore[method-assign]
    ledger.close()
    if not stored:
        (folders[1] / "hall/IMG_1.jpg").unlink()
    assert made(folders) == ([] if stored else ["hall/IMG_1.jpg"])
    again = scanned(folders)
    assert again.counts() == {"skipped": 3}


def test_redo_is_of_scenes_as_of_singles(folders: tuple[Path, Path]) -> None:
    ledger = scanned(folders)
    ledger.model = "generator 1"
    run(ledger, FakeTransport())
    ledger.close()
    ledger = Ledger(*folders)
    ledger.model = "generator 2"
    assert [ledger.note(job) for job in found(folders)] == ["skipped"] * 3 and ledger.outdated() == 3
    assert [ledger.note(job, Again(outdated=True)) for job in found(folders)] == ["pending"] * 3


def test_two_scenes_that_would_have_one_name_get_two(tmp_path: Path) -> None:
    """Frames of two kinds, with --format jpeg."""
    sources, targets = tmp_path / "in", tmp_path / "out"
    shoot(sources, *bracket(1, 1, None))
    for name in ("IMG_1", "IMG_2", "IMG_3"):
        (sources / f"{name}.png").write_bytes(encoded(decoded((sources / f"{name}.jpg").read_bytes()), "PNG"))
    ledger = Ledger(sources, tmp_path)
    for job in Grouping(sources, "auto").jobs(Plan(Naming(format="jpeg"), Search(), "").mirror(sources, targets)):
        ledger.note(job)
    assert sorted(job.target.name for job in ledger.pending()) == ["IMG_1.jpg", "IMG_1_png.jpg"]


def test_files_are_read_again_only_when_they_change(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from clients.batch import grouping as module

    read: list[str] = []
    read_shot = module.read_shot
    monkeypatch.setattr(module, "read_shot", lambda path: read.append(path.name) or read_shot(path))
    grouping = Grouping(folders[0], "auto")
    jobs = [grouping.jobs(Plan(Naming(), Search(), "").mirror(*folders)) for _ in range(2)]
    assert jobs[0] == jobs[1] and len(read) == 7
    shoot(folders[0] / "hall", *bracket(1, 1, 0.0, (0, -2, 1))[2:])
    grouping.jobs(Plan(Naming(), Search(), "").mirror(*folders))
    assert read[7:] == ["IMG_3.jpg"]


def test_a_hot_folder_waits_until_no_frame_has_come_for_a_while(folders: tuple[Path, Path]) -> None:
    now = 0.0
    settled, grouping = Settled(settle_s=10, clock=lambda: now), Grouping(folders[0], "auto")
    passed: list[tuple[float, str, int]] = []
    late = {0: (), 8: bracket(8, 5, 60.0)[:1], 9: bracket(8, 5, 60.0)[1:2], 17: bracket(8, 5, 60.0)[2:]}
    for second in range(40):
        now = float(second)
        if second in late:
            shoot(folders[0] / "bath", *late[second])
        jobs = grouping.jobs(Plan(Naming(), Search(), "").mirror(*folders))
        passed += [(now, job.source.name, len(job.sources)) for job in settled.pick(jobs)]
    assert passed == [(10, "IMG_1.jpg", 3), (10, "IMG_4.jpg", 3), (10, "IMG_7.jpg", 1), (27, "IMG_8.jpg", 3)]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("4", "no multiple of 4"),
        ("1", "a number of frames from 2 to 9"),
        ("10", "2 to 9"),
        ("all", "write auto, off, or"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_a_sentence(
    folders: tuple[Path, Path], rule: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["batch", *map(str, folders), "--brackets", rule]) == 2
    assert told in capsys.readouterr().err and not list(folders[1].iterdir())


def test_a_dry_run_shows_the_scenes_and_sends_nothing(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sources, targets = folders
    assert main(["merge", *map(str, folders), "--dry-run", "--url", "grpc://127.0.0.1:1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        f"{sources}/hall/IMG_1.jpg -> {targets}/hall/IMG_1.jpg",
        f"   +0.0 EV  {sources}/hall/IMG_1.jpg",
        f"   -2.0 EV  {sources}/hall/IMG_2.jpg",
        f"   +2.0 EV  {sources}/hall/IMG_3.jpg",
    ]
    assert lines[-1] == f"{sources}/kitchen/IMG_7.jpg -> {targets}/kitchen/IMG_7.jpg" and len(lines) == 9
    assert not list(targets.iterdir())


@pytest.mark.skipif(not is_installed(), reason="camera files need more packages: make setup PART=camera")
def test_frames_of_camera_files_are_developed_so_that_their_merge_is_linear() -> None:
    """A plain power, which the server takes back: twice the light is twice the light."""
    frames = [pixels(sendable(Path("a.dng"), dng(light), of_scene=True)) for light in (ramp() // 2, ramp())]
    half, full = [(frame[40, 8:-8, 1] / 65535.0) ** 2.2 for frame in frames]
    assert np.abs(full / half - 2).max() < 0.02


def test_a_folder_with_everything_on_the_real_server(
    folders: tuple[Path, Path], identity_server: TritonServer, capsys: pytest.CaptureFixture[str]
) -> None:
    sources, targets = folders
    shoot(sources / "mixed", *bracket(1, 4, 0.0))
    (sources / "mixed/IMG_2.jpg").write_bytes((sources / "mixed/IMG_2.jpg").read_bytes()[:-600])
    (sources / "mixed/notes.txt").write_text("call the agent")
    command = ["merge", *map(str, folders), "--url", identity_server.grpc_url, "--mode", "fast"]
    assert main([*command, "--json", "--report", str(targets / "report.html")]) == 1
    report, told = capsys.readouterr()
    assert "merged: 2 of them from 6 frames" in told and "passed over: 1 .txt" in told
    (failure,) = json.loads(report)["failed"]
    assert failure["source"] == "mixed/IMG_1.jpg" and failure["reason"].startswith(
        "IMG_2.jpg: the JPEG file is damaged"
    )
    listed = {Path(photo["target"]).name: len(photo["frames"]) for photo in json.loads(report)["photos"]}
    assert listed == {"IMG_1.jpg": 3, "IMG_4.jpg": 3, "IMG_7.jpg": 0} and json.loads(report)["frames"] == 6
    assert "merged from 3 frames" in (targets / "report.html").read_text()
    merged = decoded((targets / "kitchen/IMG_4.jpg").read_bytes())
    assert merged.shape == room(2).shape
    assert main(["merge", str(sources / "kitchen"), str(targets / "pairs"), *command[3:], "--brackets", "2"]) == 1
    assert "IMG_7.jpg: IMG_6.jpg differs from the others" in capsys.readouterr().err  # the frame is named by its file
