"""Views of a room known by ray casts alone: free standing, level, at eye height, of something."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.scenes.openings import find_openings
from training.data.scenes.viewpoints import (
    CLEARANCE_M,
    EYE_HEIGHT_M,
    VIEW_DEG,
    Floats,
    entropy,
    find_viewpoints,
    sphere_directions,
    view_directions,
)

ROOM = np.array([[0.0, 0.0, 0.3], [6.0, 4.0, 3.0]])  # its floor is not at 0
FURNITURE = np.array(
    [
        [[2.0, 1.0, 0.3], [3.2, 2.2, 2.6]],  # a cupboard in the middle
        [[4.6, 0.0, 0.3], [6.0, 1.5, 0.8]],  # a bed
        [[0.0, 3.2, 0.3], [1.5, 4.0, 1.1]],  # a table
    ]
)
WINDOW = np.array([[1.0, 1.2], [3.0, 2.4]])  # in the wall x = 6: lowest and highest (y, z)


def cast(origins: Floats, directions: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The nearest of walls and boxes by slabs; rays through the window hit nothing."""
    with np.errstate(divide="ignore", invalid="ignore"):
        walls = np.where(directions > 0, ROOM[1] - origins, ROOM[0] - origins) / directions
    walls = np.where(directions == 0, np.inf, walls)
    distance, thing = walls.min(1), walls.argmin(1).astype(np.int64)
    spot = origins + distance[:, None] * directions
    through = (spot[:, 0] > ROOM[1, 0] - 1e-6) & ((spot[:, 1:] > WINDOW[0]) & (spot[:, 1:] < WINDOW[1])).all(1)
    distance = np.where(through, np.inf, distance)
    for number, (low, high) in enumerate(FURNITURE, start=10):
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (low - origins) / directions, (high - origins) / directions
        near, far = np.nanmax(np.minimum(a, b), axis=1), np.nanmin(np.maximum(a, b), axis=1)
        hit = (near < far) & (far > 0) & (near < distance)
        distance, thing = np.where(hit, np.maximum(near, 0), distance), np.where(hit, number, thing)
    return distance, thing


@pytest.fixture(scope="module")
def cameras() -> tuple:
    return find_viewpoints(cast, (1.0, 1.0, 1.5), 6, seed=0)


def test_cameras_stand_free_at_eye_height_and_level(cameras: tuple) -> None:
    assert len(cameras) == 6
    for camera in cameras:
        eye = np.array(camera.position)
        assert EYE_HEIGHT_M[0] <= eye[2] - ROOM[0, 2] <= EYE_HEIGHT_M[1]
        assert camera.pitch_deg == 0 and VIEW_DEG[0] <= camera.view_deg <= VIEW_DEG[1]
        assert (eye > ROOM[0]).all() and (eye < ROOM[1]).all()
        for low, high in FURNITURE:  # neither inside nor above
            assert not ((eye[:2] > low[:2]) & (eye[:2] < high[:2])).all()
        directions = sphere_directions(500)
        distance, _ = cast(np.broadcast_to(eye, directions.shape), directions)
        assert distance.min() > 0.8 * CLEARANCE_M


def test_nothing_stands_in_the_way_of_the_lens(cameras: tuple) -> None:
    for camera in cameras:
        directions = view_directions(camera)
        distance, _ = cast(np.broadcast_to(camera.position, directions.shape), directions)
        assert np.quantile(distance, 0.1) > 0.9


def test_views_show_the_window_and_most_of_the_furniture(cameras: tuple) -> None:
    outside, things = 0.0, set()
    for camera in cameras:
        directions = view_directions(camera)
        distance, thing = cast(np.broadcast_to(camera.position, directions.shape), directions)
        outside = max(outside, float(np.isinf(distance).mean()))
        things |= set(thing.tolist())
    assert 0.01 < outside < 0.4
    assert len({10, 11, 12} & things) >= 2


def test_views_differ(cameras: tuple) -> None:
    turns = [abs((a.yaw_deg - b.yaw_deg + 180) % 360 - 180) for a in cameras for b in cameras if a is not b]
    assert max(turns) > 60


def test_same_seed_finds_the_same_views(cameras: tuple) -> None:
    assert find_viewpoints(cast, (1.0, 1.0, 1.5), 6, seed=0) == cameras
    assert find_viewpoints(cast, (1.0, 1.0, 1.5), 6, seed=1) != cameras


def test_view_directions_span_the_angle_of_view(cameras: tuple) -> None:
    camera = cameras[0]
    first, last = view_directions(camera).reshape(16, 24, 3)[:, [0, -1]].mean(0)
    first, last = (side[:2] / np.linalg.norm(side[:2]) for side in (first, last))
    assert np.degrees(np.arccos(first @ last)) == pytest.approx(camera.view_deg, abs=0.1)


def test_the_opening_of_the_window_is_found() -> None:
    ((corner, along, up, inward),) = find_openings(cast, (1.0, 1.0, 1.5), seed=0)
    np.testing.assert_allclose(corner, [6, *WINDOW[0]], atol=0.15)
    np.testing.assert_allclose((corner + along + up)[1:], WINDOW[1], atol=0.15)
    np.testing.assert_allclose(inward, [-1, 0, 0])


def test_a_bare_wall_is_worth_nothing() -> None:
    assert entropy(np.zeros(50, np.int64)) == 0
    assert entropy(np.arange(8)) == pytest.approx(3)
