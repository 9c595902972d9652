"""Where a photographer would stand in a room that is known only by casting rays into it.

A photographer stands free on the floor at eye height, holds the camera level so that verticals stay vertical, and
frames something near and something far, with several things in the picture and, if there is one, a window.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.data.rendering.scene import Camera

Floats: TypeAlias = NDArray[np.float64]
Cast: TypeAlias = Callable[[Floats, Floats], tuple[Floats, NDArray[np.int64]]]
"""Origins and unit directions, (n, 3) each, to the distance of the first hit in metres, inf where there is none, and a
number of the thing that was hit: (n,) each."""

EYE_HEIGHT_M = (1.2, 1.6)
VIEW_DEG = (60.0, 95.0)
CANDIDATES = 400
CLEARANCE_M = 0.35
"""Around the camera, so that it stands in no furniture and close to none."""
NEAREST_M = 0.9
"""Of what is in the picture, but for a fiftieth of it."""
FLOOR_TOLERANCE_M = 0.05
GRID = (24, 16)
"""Rays across and down a view by which it is judged."""
ASPECT = 1.5
GOOD_WINDOW, MOST_WINDOW = 0.12, 0.3
"""Shares of a view that may look outside: beyond the first it gains nothing, beyond the second it loses."""


@dataclass(frozen=True)
class Viewpoint:
    """A camera, and how good its view is."""

    camera: Camera
    score: float


def find_viewpoints(cast: Cast, inside: tuple[float, float, float], count: int, seed: int) -> tuple[Camera, ...]:
    """The best views of a room that differ from each other.

    Args:
        cast: casts rays into the room.
        inside: any point in the room's air.
        count: number of views.
        seed: of all choices.

    Returns:
        At most `count` cameras, the best first; fewer where the room has no more.
    """
    rng = np.random.default_rng(seed)
    start = np.array(inside)
    floor = floor_height(cast, start, rng)
    candidates = [candidate for _ in range(CANDIDATES) if (candidate := random_viewpoint(cast, start, floor, rng))]
    chosen: list[Viewpoint] = []
    while candidates and len(chosen) < count:
        best = max(candidates, key=lambda c: c.score + min((difference(c, o) for o in chosen), default=0.0))
        candidates.remove(best)
        chosen.append(best)
    return tuple(viewpoint.camera for viewpoint in chosen)


def floor_height(cast: Cast, start: Floats, rng: np.random.Generator) -> float:
    """Height of the lowest surface that much of the room stands on."""
    spots = np.stack([wander(cast, start, rng) for _ in range(100)])
    distance, _ = cast(spots, np.broadcast_to([0.0, 0.0, -1.0], spots.shape))
    hit = np.isfinite(distance)
    return float(np.quantile(spots[hit, 2] - distance[hit], 0.2))


def random_viewpoint(cast: Cast, start: Floats, floor: float, rng: np.random.Generator) -> Viewpoint | None:
    """A random place and direction; None where nobody could take a photo."""
    eye = wander(cast, wander(cast, start, rng), rng)
    eye[2] = floor + rng.uniform(*EYE_HEIGHT_M)
    if not stands_free(cast, eye, floor):
        return None
    yaw, angle = rng.uniform(-180, 180), rng.uniform(*VIEW_DEG)
    camera = Camera((float(eye[0]), float(eye[1]), float(eye[2])), yaw, 0.0, angle)
    score = score_view(cast, camera)
    return None if score is None else Viewpoint(camera, score)


def wander(cast: Cast, start: Floats, rng: np.random.Generator) -> Floats:
    """A point that is reached from another on a level straight line through air."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([[np.cos(angle), np.sin(angle), 0.0]])
    distance, _ = cast(start[None], direction)
    reach = max(0.0, min(float(distance[0]), 8.0) - CLEARANCE_M)
    return np.asarray(start + direction[0] * reach * rng.uniform(0.1, 1))


def stands_free(cast: Cast, eye: Floats, floor: float) -> bool:
    """Whether nothing is close around the camera, and the floor is right below it."""
    directions = sphere_directions(96)
    distance, _ = cast(np.broadcast_to(eye, directions.shape), directions)
    below, _ = cast(eye[None], np.array([[0.0, 0.0, -1.0]]))
    return bool(distance.min() > CLEARANCE_M and abs(eye[2] - below[0] - floor) < FLOOR_TOLERANCE_M)


def score_view(cast: Cast, camera: Camera) -> float | None:
    """How good a view is, about 0 to 6; None where something stands in the way of the lens."""
    directions = view_directions(camera)
    distance, thing = cast(np.broadcast_to(camera.position, directions.shape), directions)
    outside = ~np.isfinite(distance)
    seen = np.minimum(distance, 12.0)
    if np.quantile(seen, 0.02) < NEAREST_M:
        return None
    spread = float(np.log2(np.quantile(seen, 0.9) / np.quantile(seen, 0.1)))
    window = float(outside.mean())
    return (
        0.5 * spread
        + entropy(thing[~outside])
        + 0.5 * float(np.log2(np.median(seen)))
        + 4 * min(window, GOOD_WINDOW)
        - 6 * max(0.0, window - MOST_WINDOW)
    )


def entropy(things: NDArray[np.int64]) -> float:
    """How evenly a view is filled with different things, in bits: 0 for a bare wall."""
    shares = np.unique(things, return_counts=True)[1] / max(1, things.size)
    return float(-(shares * np.log2(shares)).sum())


def difference(a: Viewpoint, b: Viewpoint) -> float:
    """0 for two views of the same, up to 2 for opposite ones from different places."""
    turn = abs((a.camera.yaw_deg - b.camera.yaw_deg + 180) % 360 - 180)
    moved = float(np.linalg.norm(np.subtract(a.camera.position, b.camera.position)))
    return min(turn, 90.0) / 60 + min(moved, 2.0) / 4


def view_directions(camera: Camera) -> Floats:
    """Unit directions (n, 3) over a level view."""
    half = np.tan(np.radians(camera.view_deg) / 2)
    x, y = np.meshgrid(np.linspace(-half, half, GRID[0]), np.linspace(-half, half, GRID[1]) / ASPECT)
    yaw = np.radians(camera.yaw_deg)
    directions = np.stack([np.cos(yaw) + x * np.sin(yaw), np.sin(yaw) - x * np.cos(yaw), y], -1).reshape(-1, 3)
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def sphere_directions(count: int) -> Floats:
    """Unit directions (count, 3), evenly over the sphere (a Fibonacci lattice)."""
    index = np.arange(count) + 0.5
    z, angle = 1 - 2 * index / count, np.pi * (1 + 5**0.5) * index
    radius = np.sqrt(1 - z**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], -1)
