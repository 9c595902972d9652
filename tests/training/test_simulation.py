"""Pairs from radiance: views point where they should, and a dataset is the same however it was made."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pixels.brackets.merging import merge
from pixels.brackets.scene import merge_scene
from tests.training.conftest import room
from training.data.camera import Body, shoot_stack
from training.data.fusion import meter
from training.data.pairs import PairsError, read_pairs
from training.data.panoramas import read_panorama, view
from training.data.radiance import write_radiance
from training.data.scenery import add_window, decorate, random_light, random_texture
from training.data.simulation import (
    Simulation,
    load_room,
    make_pairs,
    merged_photo,
    random_crop,
    random_radiance,
    split_panoramas,
    split_rooms,
)


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


@pytest.fixture
def room_folder(tmp_path: Path) -> Path:
    """Two views each of three rooms, one of which is held out for validation."""
    folder = tmp_path / "rooms"
    folder.mkdir()
    for number, view_number in [(k, v) for k in (9, 10, 11) for v in (0, 1)]:
        write_radiance(folder / f"room-{number:05d}-{view_number}.hdr", room(2 * number + view_number))
    (folder / "rooms.jsonl").touch()
    return folder


def test_crops_of_rooms_show_their_light_in_the_shape_asked_for() -> None:
    scene, rng = room(0), np.random.default_rng(0)
    for width, height in ((90, 60), (40, 60), (480, 270)):
        crop = random_crop(scene, width, height, rng)
        assert crop.shape == (height, width, 3) and crop.dtype == np.float32
        assert scene.min() - 1e-6 <= crop.min() <= crop.max() <= scene.max() + 1e-5
    assert not np.array_equal(random_crop(scene, 90, 60, rng), random_crop(scene, 90, 60, rng))


def make(panoramas: tuple[Path, ...], rooms: tuple[Path, ...], out: Path, processes: int) -> dict[str, bytes]:
    make_pairs(Simulation(panoramas, 3, 48, 7, True, rooms), out / "train", out / "train.jsonl", processes)
    return {path.name: path.read_bytes() for path in sorted((out / "train").iterdir())}


def test_dataset_is_the_same_on_any_number_of_processes_and_after_an_interruption(
    panorama_folder: Path, room_folder: Path, tmp_path: Path
) -> None:
    training, rooms = split_panoramas(panorama_folder)[0], split_rooms([room_folder])[0]
    whole = make(training, rooms, tmp_path / "a", processes=1)
    assert len(whole) == 3 * 4 + 1 and len(read_pairs(tmp_path / "a" / "train.jsonl")) == 9
    folder = tmp_path / "b" / "train"
    folder.mkdir(parents=True)
    for name in list(whole)[:4]:  # the first scene and a shot of the second
        (folder / name).write_bytes(whole[name])
    assert make(training, rooms, tmp_path / "b", processes=2) == whole


def test_merged_sources_are_what_brackets_are_served_as() -> None:
    scene = room(3, 256, 384) * random_texture(256, 384, np.random.default_rng(0))
    frames = shoot_stack(meter(scene), Body(contrast=0.4, shoulder=0.5), (-2, 0, 2))
    served = merge_scene(frames)[0] / 257
    assert np.abs(merged_photo(merge(frames)) - served).mean() < 1


def test_a_folder_is_never_filled_from_two_datasets(panorama_folder: Path, room_folder: Path, tmp_path: Path) -> None:
    panoramas = split_panoramas(panorama_folder)[0]
    before = make(panoramas, (), tmp_path / "a", processes=1)
    with pytest.raises(PairsError, match=r"simulation\.json.*--out"):
        make(panoramas, split_rooms([room_folder])[0], tmp_path / "a", processes=1)
    assert make(panoramas, (), tmp_path / "a", processes=1) == before


def test_validation_panoramas_are_never_trained_on(panorama_folder: Path) -> None:
    training, validation = split_panoramas(panorama_folder)
    assert [path.name for path in training] == ["room_1k.hdr"]
    assert [path.name for path in validation] == ["autoshop_01_1k.hdr"]
    training[0].unlink()
    with pytest.raises(PairsError, match=r"0 panoramas.*polyhaven\.com"):
        split_panoramas(panorama_folder)


def test_held_out_rooms_are_never_trained_on(room_folder: Path) -> None:
    training, validation = split_rooms([room_folder])
    assert [path.name[:10] for path in validation] == ["room-00010"] * 2
    assert [path.name[:10] for path in training] == ["room-00009"] * 2 + ["room-00011"] * 2
    for path in validation:
        path.unlink()
    with pytest.raises(PairsError, match=r"4 views.* 0 to validate on.*training.data.rooms"):
        split_rooms([room_folder])


def test_modelled_rooms_are_split_by_their_names(tmp_path: Path) -> None:
    for name in ("white_room-0-0", "bedroom-10-1", "country_kitchen-3-0"):
        write_radiance(tmp_path / f"{name}.hdr", room(1))
    training, validation = split_rooms([tmp_path])
    assert [path.stem for path in training] == ["bedroom-10-1", "white_room-0-0"]
    assert [path.stem for path in validation] == ["country_kitchen-3-0"]


def test_rooms_are_half_of_the_scenes_where_there_are_some(panorama_folder: Path, room_folder: Path) -> None:
    for path in room_folder.glob("*.hdr"):
        write_radiance(path, np.full((32, 48, 3), 3.0, np.float32))  # unlike any panorama
    simulation = Simulation(split_panoramas(panorama_folder)[0], 1, 24, 0, False, split_rooms([room_folder])[0])
    rng = np.random.default_rng(0)
    assert 15 < sum(bool(np.allclose(random_radiance(simulation, rng), 3)) for _ in range(50)) < 35


def test_damaged_rooms_are_named(tmp_path: Path) -> None:
    (tmp_path / "room-00001-0.hdr").write_bytes(b"#?RADIANCE")
    with pytest.raises(PairsError, match=r"room-00001-0\.hdr: not a readable HDR"):
        load_room(tmp_path / "room-00001-0.hdr")


def test_files_that_are_no_panoramas_are_named(tmp_path: Path) -> None:
    (tmp_path / "text.hdr").write_text("hello")
    with pytest.raises(PairsError, match=r"text\.hdr: not a readable HDR"):
        read_panorama(tmp_path / "text.hdr")
    cv2.imwrite(str(tmp_path / "square.hdr"), np.ones((8, 8, 3), np.float32))
    with pytest.raises(PairsError, match="8x8 is not equirectangular"):
        read_panorama(tmp_path / "square.hdr")
