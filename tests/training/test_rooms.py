"""Rendered rooms: what stands in them, what cameras see, and what is written."""

import json
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.fusion import meter
from training.data.pairs import PairsError
from training.data.rendering.daylight import MOST_WINDOWS
from training.data.rendering.renderer import render
from training.data.rendering.scene import Material, Part, Quality, Scene
from training.data.rooms.__main__ import main
from training.data.rooms.cameras import CLEARANCE, cameras_in
from training.data.rooms.interiors import furnished_room
from training.data.rooms.lamps import kelvin_to_rgb
from training.data.rooms.layout import KINDS
from training.data.rooms.outside import outdoor_panoramas, plain_sky
from training.data.rooms.room import Room
from training.data.rooms.windows import window_frames

TINY = Quality(48, 32, 4, 1)


@pytest.fixture(scope="module")
def rooms() -> list[Room]:
    return [furnished_room(7, number) for number in range(16)]


def test_same_seed_gives_the_same_room_and_another_number_another() -> None:
    first, again, other = furnished_room(1, 3), furnished_room(1, 3), furnished_room(1, 4)
    assert cameras_in(first) == cameras_in(again)
    assert all(np.array_equal(a.mesh.vertices, b.mesh.vertices) for a, b in zip(first.parts, again.parts, strict=True))
    assert not np.array_equal(first.size, other.size)


@pytest.mark.parametrize(
    ("number", "kind", "parts", "middle", "yaws"),
    [
        (0, "living", 45, (2.195, 2.180, 0.468), (77.94, -20.60)),
        (1, "office", 62, (3.610, 1.348, 0.644), (166.82, 108.02)),
        (3, "dining", 97, (3.245, 2.324, 1.281), (29.24, -53.59)),
    ],
)
def test_rooms_are_what_they_were_when_first_rendered(
    number: int, kind: str, parts: int, middle: tuple[float, ...], yaws: tuple[float, ...]
) -> None:
    room = furnished_room(0, number)  # a change here changes every dataset of rooms
    vertices = np.concatenate([part.mesh.vertices for part in room.parts]).astype(float)
    assert (room.kind, len(room.parts)) == (kind, parts)
    np.testing.assert_allclose(vertices.mean(0), middle, atol=1e-3)
    np.testing.assert_allclose([camera.yaw_deg for camera in cameras_in(room)], yaws, atol=0.01)


def test_nothing_stands_in_anything_else(rooms: list[Room]) -> None:
    for room in rooms:
        solid = [box for box in room.taken if box.solid]
        windows = 2 * sum(len(wall.openings) for wall in room.walls)  # a window and its curtain may share their space
        assert sum(a.meets(b) for a, b in combinations(solid, 2)) <= windows


def test_everything_stays_between_the_walls(rooms: list[Room]) -> None:
    for room in rooms:
        vertices = np.concatenate([part.mesh.vertices for part in room.parts])
        assert vertices[:, :2].min() > -0.35
        assert (vertices[:, :2] < room.size + 0.35).all()  # windows sit in walls of 0.22 m, with sills
        assert -0.11 <= vertices[:, 2].min() <= vertices[:, 2].max() < room.height + 0.01


def test_every_room_has_light() -> None:
    for number in (9, 10, 11):  # room 10 has no window
        room = furnished_room(0, number)
        lamps = any(part.material.emission is not None for part in room.parts)
        assert lamps or (len(window_frames(room)) > 0 and not room.night)


def test_windows_face_the_room(rooms: list[Room]) -> None:
    for room in rooms:
        frames = window_frames(room)
        assert len(frames) <= MOST_WINDOWS
        np.testing.assert_allclose(np.linalg.norm(frames[:, 3], axis=1), 1, atol=1e-6)
        inside = frames[:, 0] + frames[:, 1] / 2 + 0.1 * frames[:, 3]
        assert room.contains(inside[:, :2].astype(float)).all()


def test_cameras_stand_free_at_eye_height(rooms: list[Room]) -> None:
    for room in rooms:
        for camera in cameras_in(room):
            eye = np.array(camera.position)
            assert 1.1 < eye[2] < 1.7
            assert 55 <= camera.view_deg <= 100
            assert abs(camera.pitch_deg) <= 14
            assert room.contains(eye[:2])
            for box in (box for box in room.taken if box.solid):
                beside = np.maximum(box.low - eye, eye - box.high)[:2].max()
                assert beside > CLEARANCE - 0.01 or box.high[2] < eye[2] - 0.4 or box.low[2] > eye[2] + 0.25


def test_rooms_differ_in_kind(rooms: list[Room]) -> None:
    assert len({room.kind for room in rooms}) >= len(KINDS) - 2


def test_black_bodies_redden_as_they_cool() -> None:
    ratios = [kelvin_to_rgb(kelvin)[0] / kelvin_to_rgb(kelvin)[2] for kelvin in (2000, 2700, 3500, 5000, 6500, 9000)]
    assert ratios == sorted(ratios, reverse=True)
    np.testing.assert_allclose(kelvin_to_rgb(6500), 1, atol=0.06)


@pytest.mark.parametrize("kelvin", [2222, 4000])
def test_the_black_body_curve_has_no_steps(kelvin: float) -> None:
    np.testing.assert_allclose(kelvin_to_rgb(kelvin - 1), kelvin_to_rgb(kelvin + 1), atol=0.02)


def test_missing_panoramas_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PairsError, match="leave --panoramas out"):
        outdoor_panoramas(tmp_path)
    assert main([str(tmp_path / "rooms"), "--panoramas", str(tmp_path)]) == 1
    assert "leave --panoramas out" in capsys.readouterr().err
    assert not (tmp_path / "rooms").exists()


def test_without_lamps_all_light_is_the_skys() -> None:
    pytest.importorskip("mitsuba", reason="rendering needs the 'rooms' extra")
    room = furnished_room(7, 0)
    dark = np.zeros((32, 64, 3), np.float32)
    parts = tuple(Part(p.mesh, Material(np.full(3, 0.5))) for p in room.parts)  # no lamps
    day, night = (
        next(render(Scene(parts, cameras_in(furnished_room(7, 0))[:1], sky, window_frames(room), 0), TINY))
        for sky in (plain_sky(np.random.default_rng(0)), dark)
    )
    assert np.median(day) > 1e-3
    assert night.mean() < 1e-2 * day.mean()  # the denoiser leaves traces


def test_rooms_are_written_once_and_listed(tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="rendering needs the 'rooms' extra")
    command = [str(tmp_path), "--count", "1", "--width", "48", "--height", "32", "--samples", "4"]
    assert main(command) == 0
    rows = [json.loads(line) for line in (tmp_path / "rooms.jsonl").read_text().splitlines()]
    views = [cv2.imread(str(tmp_path / row["file"]), cv2.IMREAD_UNCHANGED) for row in rows]
    assert [(view.shape, view.dtype) for view in views] == [((32, 48, 3), np.float32)] * 2
    assert all(np.isfinite(meter(view)).all() and view.min() >= 0 for view in views)
    written = [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.hdr"))]
    assert main(command) == 0
    assert [path.stat().st_mtime_ns for path in sorted(tmp_path.glob("*.hdr"))] == written
