"""Baselines: each edits photos as it says, the served ones as the service does, and what cannot run says why."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from clients import Enhancer
from deploy.server.triton import TritonServer
from perf import results
from perf.baselines import Baseline, Enhance, read, scenes, script, served, write
from perf.baselines.benchmark import Entry, measure, rows
from perf.baselines.table import BASELINES, OURS, classical, unedited
from perf.errors import PerfError, Unavailable
from pixels.brackets.exposure import to_linear
from pixels.curves import CELLS, KNOTS
from tests.photos import encoded, photo
from tests.training.conftest import room
from training.data.fusion import standard_edit

needs_baselines = pytest.mark.skipif(
    not served.BASELINES_PYTHON.exists(), reason="no .venv-baselines: make setup PART=baselines"
)


def identity(coarse: torch.Tensor) -> torch.Tensor:
    """A generator whose curves change nothing."""
    assert coarse.shape == (1, 512, 512, 3)
    return torch.tensor(KNOTS).repeat(3)[None, :, None, None].expand(1, -1, CELLS, CELLS)


def applied(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """A refiner that changes nothing."""
    assert before.shape == after.shape == (1, 512, 512, 3)
    return after


@pytest.mark.parametrize("size", [(512, 512), (700, 1300), (60, 40)])
def test_the_scripts_curves_and_tiles_add_up_to_the_photo(size: tuple[int, int]) -> None:
    unedited = photo(*size)
    assert np.array_equal(script.edit(unedited, identity, applied), unedited)


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_the_script_edits_as_the_service_does(server: TritonServer, mode: str) -> None:
    dark = encoded((photo(600, 512) * 0.3).astype(np.uint8))
    with script.opened() as enhance, Enhancer(server.grpc_url) as enhancer:
        edited = read(enhance(dark, mode)).astype(int)
        expected = read(enhancer.enhance(dark, mode=mode).data)
    assert np.abs(edited - expected).mean() < 1.5


def test_the_classical_choice_is_the_fusion_of_exposures_of_the_one_photo() -> None:
    file = encoded(photo(300, 200))
    with classical() as enhance:
        expected = write(standard_edit(to_linear(read(file))))
        difference = read(enhance(file, "")).astype(int) - read(expected)
    assert np.abs(difference).mean() < 0.1, "sums of floats differ by their order alone"


def test_pillow_alone_changes_nothing_but_the_file() -> None:
    file = encoded(photo(300, 200), quality=95)
    with unedited() as enhance:
        difference = read(enhance(file, "")).astype(int) - read(file)
    assert np.abs(difference).mean() < 3


@needs_baselines
@pytest.mark.parametrize("opened", [served.fastapi, served.pytriton])
@pytest.mark.parametrize("mode", ["fast", "full"])
def test_served_baselines_edit_as_the_service_does(
    peers_running: dict[str, Enhance], server: TritonServer, opened: object, mode: str
) -> None:
    file = encoded(photo(700, 520))
    with Enhancer(server.grpc_url) as enhancer:
        expected = read(enhancer.enhance(file, mode=mode).data).astype(int)
    edited = read(peers_running[opened.__name__](file, mode))
    assert edited.shape == expected.shape and np.abs(edited - expected).mean() < 1


@pytest.fixture(scope="module")
def peers_running() -> Iterator[dict[str, Enhance]]:
    with served.fastapi() as fastapi, served.pytriton() as pytriton:
        yield {"fastapi": fastapi, "pytriton": pytriton}


def test_without_their_environment_served_baselines_say_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "BASELINES_PYTHON", Path("nowhere"))
    with pytest.raises(Unavailable, match="make setup PART=baselines"), served.fastapi():
        pass


@pytest.fixture
def panoramas(tmp_path: Path) -> Path:
    """One panorama to train on, black, and one that is kept."""
    folder = tmp_path / "panoramas"
    folder.mkdir()
    cv2.imwrite(str(folder / "trained_1k.hdr"), np.zeros((64, 128, 3), np.float32))
    cv2.imwrite(str(folder / "dancing_hall_1k.hdr"), room(0, 64, 128))
    return folder


def test_scenes_come_from_kept_panoramas_and_are_made_once(
    panoramas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "SIZE", (96, 64))
    first = scenes.held_out_scenes(panoramas, 3, tmp_path / "scenes")
    assert all(scene.target is not None and scene.target.shape == (64, 96, 3) for scene in first)
    assert all(scene.target.mean() > 20 for scene in first)  # none is the black one
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "scenes").iterdir()}
    again = scenes.held_out_scenes(panoramas, 3, tmp_path / "scenes")
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "scenes").iterdir()}
    assert np.array_equal(first[2].target, again[2].target)
    other = scenes.held_out_scenes(panoramas, 3, tmp_path / "other")
    assert np.array_equal(first[1].target, other[1].target)


def test_a_folder_without_kept_panoramas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PerfError, match="autoshop_01"):
        scenes.held_out_scenes(tmp_path, 1, tmp_path / "scenes")


def test_an_edit_of_any_size_is_scored_against_the_target(tmp_path: Path) -> None:
    target = photo(96, 64)
    scene = scenes.Scene(tmp_path / "source.jpg", target)
    assert scene.score(target).psnr_db > 60 and scene.score(target).ssim == pytest.approx(1)
    larger = np.asarray(cv2.resize(target, (960, 640), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert 20 < scene.score(larger).psnr_db < 60
    assert scene.score(255 - target).psnr_db < 15


def entry(enhance: Enhance | None, failure: str = "") -> Entry:
    baseline = Baseline("baseline", ("only",), lambda: contextlib.nullcontext(lambda file, _mode: file), "for the test")
    return Entry(baseline, "only", 2, enhance, failure)


def known_scene(tmp_path: Path, target: NDArray[np.uint8] | None) -> scenes.Scene:
    (tmp_path / "source.jpg").write_bytes(encoded(photo(96, 64)))
    return scenes.Scene(tmp_path / "source.jpg", target)


def kept(*entries: Entry) -> list[str]:
    return results.table(results.new_result("baselines", "baselines", "cpu", {}, rows(list(entries)))["rows"])


def test_the_first_photo_of_a_size_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.baselines.benchmark.PHOTOS", {2: ((96, 64), 3)})
    seen: list[bytes] = []
    counted = entry(lambda file, _mode: (seen.append(file), file)[1])
    measure([counted], [known_scene(tmp_path, photo(96, 64))])
    assert len(seen) == 4 and len(counted.times_s) == len(counted.scores) == 3
    assert counted.row()["photos"] == 3 and counted.row()["psnr_db"] > 25 and len(kept(counted)) == 3


def test_a_baseline_that_fails_is_out_and_has_no_number(tmp_path: Path) -> None:
    def fail(_file: bytes, _mode: str) -> bytes:
        raise RuntimeError("out of memory")

    broken = entry(fail)
    for _ in range(2):
        broken.measure(b"", known_scene(tmp_path, None))
    assert "not run: out of memory" in kept(broken)[2] and "time_s" not in broken.row()
    with pytest.raises(PerfError, match="psnr_db"):
        results.new_result("baselines", "baselines", "cpu", {}, [broken.row() | {"psnr_db": 1.0}])


def test_without_targets_there_is_time_and_no_quality(tmp_path: Path) -> None:
    timed = entry(lambda file, _mode: file)
    timed.measure(encoded(photo(96, 64)), known_scene(tmp_path, None))
    assert timed.row()["psnr_db"] is None and timed.row()["time_s"] > 0


def test_each_way_stands_beside_ours_of_the_same_mode_and_size() -> None:
    def timed(name: str, mode: str, megapixels: int, time_s: float) -> Entry:
        baseline = Baseline(name, (mode,), contextlib.nullcontext, "for the test")
        return Entry(baseline, mode, megapixels, lambda file, _mode: file, times_s=[time_s])

    ours = [timed(OURS, "fast", 2, 1.0), timed(OURS, "full", 2, 4.0), timed(OURS, "full", 12, 9.0)]
    others = [timed("script", "full", 2, 8.0), timed("Pillow", "unedited", 12, 3.0), timed("FastAPI", "fast", 12, 2.0)]
    assert [row["times_this_project"] for row in rows([*ours, *others])] == [1, 1, 1, 2, pytest.approx(1 / 3), None]


def test_every_way_has_a_name_of_its_own() -> None:
    ways = [(baseline.name, mode) for baseline in BASELINES for mode in baseline.modes]
    assert len(set(ways)) == len(ways)
