"""Walls around a floor, with the openings for doors and windows."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
DOOR_HEIGHT = 2.05


@dataclass(frozen=True)
class Opening:
    """A window or a door in a wall."""

    left: float
    """Along the wall."""
    bottom: float
    width: float
    height: float

    @property
    def is_door(self) -> bool:
        """Doors reach the floor and are closed."""
        return self.bottom == 0 and self.height == DOOR_HEIGHT


@dataclass(frozen=True)
class Wall:
    """A straight wall with its openings."""

    start: Vector
    """(2,)"""
    along: Vector
    """Unit vector (2,); the room lies on its left."""
    length: float
    openings: tuple[Opening, ...] = ()

    @property
    def inward(self) -> Vector:
        """Unit normal (2,)."""
        return np.array([-self.along[1], self.along[0]])

    @property
    def yaw_deg(self) -> float:
        """Yaw of what stands against the wall."""
        return float(np.degrees(np.arctan2(self.along[1], self.along[0])))

    def point(self, s: float, away: float, z: float) -> Vector:
        """(3,), ``s`` along the wall and ``away`` into the room."""
        return np.append(self.start + s * self.along + away * self.inward, z)


def walls_around(size: Vector, cut: Vector) -> list[Wall]:
    """Four walls, or six where a corner is cut off."""
    (w, d), (cw, cd) = size, cut
    corners = [(0, 0), (w, 0), (w, d), (0, d)]
    if cut.any():
        corners[2:3] = [(w, d - cd), (w - cw, d - cd), (w - cw, d)]
    points = np.array(corners, float)
    ends = np.roll(points, -1, axis=0)
    lengths = np.linalg.norm(ends - points, axis=1)
    return [Wall(a, (b - a) / n, float(n)) for a, b, n in zip(points, ends, lengths, strict=True)]


def with_openings(walls: list[Wall], height: float, rng: np.random.Generator) -> list[Wall]:
    """A door in one wall, windows in one to three others."""
    order = rng.permutation(len(walls)).tolist()
    windows = order[: int(rng.choice([1, 1, 2, 2, 3]))]
    sill, top = rng.choice([0.08, 0.45, 0.85, 0.95]), rng.uniform(2.05, min(2.45, height - 0.15))
    result = []
    for index, wall in enumerate(walls):
        openings: tuple[Opening, ...] = ()
        if index in windows:
            openings = windows_in(wall, sill, top, rng)
        elif index == order[-1] and wall.length > 1.4:
            openings = (Opening(rng.uniform(0.25, wall.length - 1.1), 0.0, 0.85, DOOR_HEIGHT),)
        result.append(replace(wall, openings=openings))
    return result


def windows_in(wall: Wall, sill: float, top: float, rng: np.random.Generator) -> tuple[Opening, ...]:
    """Equal windows, evenly spaced."""
    count = int(rng.integers(1, 1 + max(1, min(3, int(wall.length / 1.6)))))
    space = wall.length / count
    width = min(rng.uniform(0.8, 2.4), space - 0.5)
    if width < 0.5:
        return ()
    return tuple(Opening((k + 0.5) * space - width / 2, sill, width, top - sill) for k in range(count))
