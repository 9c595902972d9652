"""Pairs from radiance: views point where they should, and a dataset is the same however it was made."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import room
from training.data.fusion import meter
from training.data.pairs import PairsError, read_pairs
from training.data.panoramas import read_panorama, view
from training.data.scenery import add_window, decorate, random_light, random_texture
from training.data.simulation import Simulation, make_pairs, split_panoramas


@pytest.fixture
def directions() -> np.ndarray:
    """A panorama whose red is the longitude and whose green is the latitude, both 0 to 1."""
    y, x = np.mgrid[0:256, 0:512].astype(np.float32)
    return np.stack([x / 512, 1 - y / 256, np.zeros_like(x)], axis=2)


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (90, 0), (-120, 20), (30, -30)])
def test_the_middle_of_a_view_is_where_the_camera_points(directions: np.ndarray, yaw: float, pitch: float) -> None:
    red, green, _ = view(directions, yaw, pitch, 60, 31, 21)[10, 15]
    assert red == pytest.approx(yaw / 360 + 0.5, abs=0.005) and green == pytest.approx(pitch / 180 + 0.5, abs=0.005)


def test_the_edges_of_a_view_are_the_angle_apart(directions: np.ndarray) -> None:
    row = view(directions, 0, 0, 80, 101, 3)[1, :, 0]
    assert (row[-1] - row[0]) * 360 == pytest.approx(80, abs=0.5)


def test_views_run_on_across_the_seam() -> None:
    panorama = read_flat(1.0)
    assert view(panorama, 180, 0, 90, 64, 48) == pytest.approx(1.0)


def read_flat(value: float) -> np.ndarray:
    return np.full((64, 128, 3), value, np.float32)


def test_decoration_keeps_shape_and_light_positive() -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        scene = decorate(room(seed), lambda width, height: room(1, height, width), rng)
        assert scene.shape == (64, 96, 3) and scene.dtype == np.float32 and (scene >= 0).all()
    assert random_light(20, 30, rng).shape == random_texture(20, 30, rng).shape == (20, 30, 3)


def test_windows_are_brighter_than_the_room() -> None:
    scene = meter(room(0))
    with_window = add_window(scene, lambda width, height: room(1, height, width), np.random.default_rng(0))
    changed = (with_window != scene).any(2)
    assert 0.01 < changed.mean() < 0.3 and with_window.max() > 2 * scene.max()


def make(panoramas: tuple[Path, ...], out: Path, processes: int) -> dict[str, bytes]:
    make_pairs(Simulation(panoramas, 3, 48, 7, True), out / "train", out / "train.jsonl", processes)
    return {path.name: path.read_bytes() for path in sorted((out / "train").iterdir())}


def test_dataset_is_the_same_on_any_number_of_processes_and_after_an_interruption(
    panorama_folder: Path, tmp_path: Path
) -> None:
    training, _ = split_panoramas(panorama_folder)
    whole = make(training, tmp_path / "a", processes=1)
    assert len(whole) == 9 and len(read_pairs(tmp_path / "a" / "train.jsonl")) == 6
    folder = tmp_path / "b" / "train"
    folder.mkdir(parents=True)
    for name in list(whole)[:4]:  # the first scene and a shot of the second
        (folder / name).write_bytes(whole[name])
    assert make(training, tmp_path / "b", processes=2) == whole


def test_validation_panoramas_are_never_trained_on(panorama_folder: Path) -> None:
    training, validation = split_panoramas(panorama_folder)
    assert [path.name for path in training] == ["room_1k.hdr"]
    assert [path.name for path in validation] == ["autoshop_01_1k.hdr"]
    training[0].unlink()
    with pytest.raises(PairsError, match=r"0 panoramas.*polyhaven\.com"):
        split_panoramas(panorama_folder)


def test_files_that_are_no_panoramas_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.hdr").write_text("hello")
    with pytest.raises(PairsError, match=r"text\.hdr: not a readable HDR"):
        read_panorama(tmp_path / "text.hdr")
    cv2.imwrite(str(tmp_path / "square.hdr"), np.ones((8, 8, 3), np.float32))
    with pytest.raises(PairsError, match="8x8 is not equirectangular"):
        read_panorama(tmp_path / "square.hdr")
