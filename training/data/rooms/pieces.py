"""Pieces of furniture as a room sees them, and the boxes that they take."""

from dataclasses import dataclass

import numpy as np

from training.data.rendering.scene import Part
from training.data.rooms.walls import Vector


@dataclass(frozen=True)
class Piece:
    """A piece of furniture and the room it takes."""

    parts: tuple[Part, ...]
    width: float
    depth: float
    height: float


@dataclass(frozen=True)
class Box:
    """An upright box that something takes."""

    low: Vector
    high: Vector
    solid: bool = True
    """Whether it blocks the view; the space before a door does not."""

    def meets(self, other: "Box") -> bool:
        """Whether they overlap."""
        return bool((self.low < other.high - 1e-3).all() and (other.low < self.high - 1e-3).all())


def outline(piece: Piece, back: Vector, yaw_deg: float) -> Box:
    """The box that a piece takes; yaw in multiples of 90 degrees."""
    half = piece.width / 2
    corners = np.array([rotated(np.array([x, y]), yaw_deg) for x in (-half, half) for y in (0, piece.depth)])
    low, high = corners.min(0) + back[:2], corners.max(0) + back[:2]
    return Box(np.append(low, back[2]), np.append(high, back[2] + piece.height))


def rotated(vector: Vector, yaw_deg: float) -> Vector:
    """A vector (2,), turned counter-clockwise."""
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return np.array([[c, -s], [s, c]]) @ vector
