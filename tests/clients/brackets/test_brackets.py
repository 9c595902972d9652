"""Which photos are taken for exposures of one scene, and which are not."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clients import scenes
from clients.brackets.likeness import shows_same, step_ev
from clients.brackets.scenes import every
from clients.brackets.shots import EXIF_START, Shot, read_shot, read_view
from clients.errors import OptionError
from codec.metadata.fields import ASCII, RATIONAL, SIGNED_RATIONAL, Field
from tests.clients.brackets.shoots import bracket, exif, names, room, shoot
from tests.clients.test_camera import dng, fractions, ramp
from tests.photos import encoded

FIVE, SEVEN = (0, -1, 1, -2, 2), (-3, -2, -1, 0, 1, 2, 3)


def groups(shots: list[Shot]) -> list[str]:
    return names([scene.paths for scene in scenes(shots)])


@pytest.mark.parametrize("known", ["bias", "settings", "nothing"])
def test_brackets_of_three_five_and_seven_beside_singles(tmp_path: Path, known: str) -> None:
    frames = []
    for start, seed, evs in ((8, 1, (0, -2, 2)), (11, 2, FIVE), (16, 3, SEVEN), (23, 4, (0,)), (24, 5, (0,))):
        time_s = start + 3.0 * seed  # three seconds from view to view, one from frame to frame
        frames += bracket(start, seed, None if known == "nothing" else time_s, evs, biased=known == "bias")
    shots = shoot(tmp_path, *frames)
    expected = ["8 9 10", "11 12 13 14 15", "16 17 18 19 20 21 22", "23", "24"]
    assert groups(shots) == expected
    for seed in range(5):
        random.Random(seed).shuffle(shots)
        assert groups(shots) == expected


@pytest.mark.parametrize("time_s", [0.0, None])
def test_two_brackets_of_one_room_back_to_back_are_two(tmp_path: Path, time_s: float | None) -> None:
    later = None if time_s is None else 3.0
    assert groups(shoot(tmp_path, *bracket(1, 1, time_s), *bracket(4, 1, later))) == ["1 2 3", "4 5 6"]


@pytest.mark.parametrize("biased", [True, False])
def test_a_meter_that_changes_its_mind_repeats_no_bias(tmp_path: Path, biased: bool) -> None:
    """The second bracket is a third of a stop darker all over."""
    second = [
        (name, seed, ev, exif(9 + n, ev - 0.33, ev if biased else 0))
        for n, (name, seed, ev, _) in enumerate(bracket(4, 1, 3.0))
    ]
    first = bracket(1, 1, 6.0, biased=biased)
    assert groups(shoot(tmp_path, *first, *second)) == ["1 2 3", "4 5 6"]


def test_photos_that_differ_in_exposure_alone_of_what_they_show_stay_singles(tmp_path: Path) -> None:
    """Other rooms, seconds apart, each metered for itself; without EXIF, too."""
    metered = [(f"IMG_{n}.jpg", n, n - 2.0, exif(n, n - 2.0, 0.0)) for n in range(4)]
    assert groups(shoot(tmp_path / "exif", *metered)) == ["0", "1", "2", "3"]
    assert groups(shoot(tmp_path / "none", *[(*each[:3], None) for each in metered])) == ["0", "1", "2", "3"]


def test_one_exposure_twice_is_no_bracket(tmp_path: Path) -> None:
    burst = [(f"IMG_{n}.jpg", 1, 0.0, exif(n, 0.0, 0.0)) for n in range(3)]
    assert groups(shoot(tmp_path / "exif", *burst)) == ["0", "1", "2"]
    assert groups(shoot(tmp_path / "none", *[(*each[:3], None) for each in burst])) == ["0", "1", "2"]


def test_what_a_pause_a_camera_a_size_or_a_folder_parts_is_not_grouped(tmp_path: Path) -> None:
    shots = shoot(tmp_path, *bracket(1, 1, 0.0))
    assert groups(shots) == ["1 2 3"]
    for other in (
        replace(shots[2], time_s=(shots[2].time_s or 0) + 10),
        replace(shots[2], camera=("Maker", "Model", "2")),
        replace(shots[2], size_px=(160, 240)),
        replace(shots[2], orientation=6),
        replace(shots[2], path=tmp_path / "other/IMG_3.jpg"),
    ):
        assert sorted(groups([*shots[:2], other])) == ["1 2", "3"]


def test_long_exposures_do_not_count_as_pauses(tmp_path: Path) -> None:
    slow = [(f"IMG_{n}.jpg", 1, 0.0, exif(time_s, ev, ev)) for n, (time_s, ev) in enumerate([(0, 9), (12, 7), (17, 5)])]
    assert groups(shoot(tmp_path, *slow)) == ["0 1 2"]


def test_camera_files_are_grouped_and_are_no_bracket_with_their_jpegs(tmp_path: Path) -> None:
    for number, ev in enumerate((0, -2, 2), start=1):
        (tmp_path / f"IMG_{number}.dng").write_bytes(raw(number, ev))
        (tmp_path / f"IMG_{number}.jpg").write_bytes(encoded(room(1), exif=exif(number, ev, ev)))
    shots = [read_shot(path) for path in tmp_path.iterdir()]
    found = scenes(shots)
    assert names([scene.paths for scene in found]) == ["1 2 3", "1 2 3"]
    assert [{shot.kind for shot in scene.shots} for scene in found] == [{".dng"}, {".jpg"}]
    assert [scene.exposures_ev for scene in found] == [pytest.approx((0, -2, 2), abs=0.02)] * 2


def raw(time_s: int, ev: float) -> bytes:
    """A DNG with EXIF of a bracket."""
    text = f"2026:05:01 10:00:{time_s:02}\0".encode()
    more = {
        0x829A: fractions(RATIONAL, 2.0**ev / 60),
        0x9003: Field(ASCII, text),
        0x9204: fractions(SIGNED_RATIONAL, ev),
    }
    return dng(ramp(), exif=more)


def test_exif_of_other_containers_is_found(tmp_path: Path) -> None:
    """In HEIC the block lies anywhere; Panasonic's files begin nearly as TIFF does."""
    block = exif(5, -1, -1).tobytes().removeprefix(EXIF_START)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(5000) + EXIF_START + block + bytes(90))
    (tmp_path / "a.rw2").write_bytes(b"IIU\0" + raw(5, -1)[4:])
    for path in tmp_path.iterdir():
        shot = read_shot(path)
        assert shot.is_timed and shot.bias_ev == -1 and shot.exposure_ev == pytest.approx(-1 - np.log2(60), abs=6.1)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"\xff\xd8\xff\xe1\0\x10Exif\0\0"]
)
def test_what_cannot_be_read_is_a_single_of_which_nothing_is_known(tmp_path: Path, content: bytes) -> None:
    for name in ("a.jpg", "b.jpg", "c.dng", "d.heic", "e.tif"):
        (tmp_path / name).write_bytes(content)
    shots = [read_shot(path) for path in sorted(tmp_path.iterdir())] + [read_shot(tmp_path / "gone.jpg")]
    assert not any(shot.is_timed for shot in shots) and not any(read_view(shot) is not None for shot in shots)
    assert [len(scene.shots) for scene in scenes(shots)] == [1] * 6


def test_more_frames_than_a_request_holds_begin_another_scene(tmp_path: Path) -> None:
    evs = tuple(range(-5, 6))
    assert [len(scene.shots) for scene in scenes(shoot(tmp_path, *bracket(1, 1, 0.0, evs)))] == [9, 2]


def test_the_anchor_is_the_frame_without_bias_or_else_the_middle_exposure(tmp_path: Path) -> None:
    anchors = {}
    for folder, evs, time_s, biased in (
        ("bias", (0, -2, -4), 0.0, True),
        ("settings", (0, -2, -4), 0.0, False),
        ("nothing", (2, 0, -2), None, False),
    ):
        (scene,) = scenes(shoot(tmp_path / folder, *bracket(1, 1, time_s, evs, biased)))
        anchors[folder] = scene.paths[scene.anchor].stem
        assert scene.exposures_ev[scene.anchor] == 0 and list(scene.exposures_ev) == sorted(scene.exposures_ev)[::-1]
    assert anchors == {"bias": "IMG_1", "settings": "IMG_2", "nothing": "IMG_2"}


def test_every_so_many_in_the_order_of_their_names(tmp_path: Path) -> None:
    shots = shoot(tmp_path, *bracket(8, 1, None), *bracket(11, 2, None))
    assert names([scene.paths for scene in every(3, shots[::-1])]) == ["8 9 10", "11 12 13"]
    with pytest.raises(OptionError, match=r"holds 5 photos \(\.jpg\), no multiple of 3: .*--brackets auto"):
        every(3, shots[:5])


def test_likeness_is_of_the_scene_and_not_of_its_light(tmp_path: Path) -> None:
    shots = shoot(tmp_path, *bracket(1, 1, None, (-2, 0, 2)), *bracket(4, 2, None, (0,)))
    dark, middle, bright, other = (view for shot in shots if (view := read_view(shot)) is not None)
    assert shows_same(dark, middle) and shows_same(bright, middle) and shows_same(dark, bright)
    assert not shows_same(middle, other)
    assert step_ev(dark, middle) == pytest.approx(2, abs=0.2) and step_ev(bright, middle) == pytest.approx(-2, abs=0.2)
