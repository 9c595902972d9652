"""A room: its shape, and placing pieces in it."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from training.data.rendering.scene import Part
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Box, Piece, outline, rotated
from training.data.rooms.walls import Vector, Wall


@dataclass(eq=False)
class Room:
    """A room while it is furnished: what stands in it, and the space that is taken."""

    rng: np.random.Generator
    """Decides all that is still open."""
    size: Vector
    """Width and depth, (2,)."""
    cut: Vector
    """Width and depth of the corner that is missing, zeros in rooms of four walls."""
    height: float
    walls: list[Wall]
    palette: Palette
    kind: str
    """What it is furnished as."""
    dressing: str
    """Of all windows: curtains, blinds or none."""
    night: bool
    parts: list[Part] = field(default_factory=list)
    taken: list[Box] = field(default_factory=list)

    @property
    def floors(self) -> list[tuple[Vector, Vector]]:
        """Rectangles (corner, size) that make up the floor."""
        if not self.cut.any():
            return [(np.zeros(2), self.size)]
        kept = self.size - self.cut
        return [
            (np.zeros(2), np.array([self.size[0], kept[1]])),
            (np.array([0, kept[1]]), np.array([kept[0], self.cut[1]])),
        ]

    def contains(self, points: Vector) -> NDArray[np.bool_]:
        """Whether points (..., 2) lie on the floor."""
        inside = (points >= 0).all(-1) & (points <= self.size).all(-1)
        return np.asarray(inside & ~(points > self.size - self.cut).all(-1))

    def has_floor(self, box: Box) -> bool:
        """Whether a box is inside the walls."""
        corners = np.array([[x, y] for x in (box.low[0], box.high[0]) for y in (box.low[1], box.high[1])])
        return bool(self.contains(corners).all())

    def is_free(self, box: Box) -> bool:
        """Whether a box fits."""
        return self.has_floor(box) and not any(box.meets(other) for other in self.taken)

    def stand(self, piece: Piece, back: Vector, yaw_deg: float) -> bool:
        """Put a piece with the middle of its back at (3,) ``back``, where it is free."""
        box = outline(piece, back, yaw_deg)
        if not self.is_free(box):
            return False
        self.taken.append(box)
        self.parts += [part.turned(yaw_deg).moved(*back) for part in piece.parts]
        return True

    def lean(self, piece: Piece, away: float = 0.02, z: float = 0.0) -> tuple[Wall, float] | None:
        """Put a piece against a wall, anywhere; returns where."""
        lengths = np.array([wall.length for wall in self.walls])
        for _ in range(40):
            wall = self.walls[self.rng.choice(len(lengths), p=lengths / lengths.sum())]
            if wall.length < piece.width + 0.04:
                continue
            s = self.rng.uniform(piece.width / 2 + 0.02, wall.length - piece.width / 2 - 0.02)
            if self.stand(piece, wall.point(s, away, z), wall.yaw_deg):
                return wall, s
        return None

    def float(self, piece: Piece) -> bool:
        """Put a piece somewhere on the floor, with space around it."""
        for _ in range(40):
            centre = self.size * self.rng.uniform(0.2, 0.8, 2)
            yaw = float(self.rng.choice([0, 90]))
            back = centre - rotated(np.array([0, piece.depth / 2]), yaw)
            roomy = replace(piece, width=piece.width + 0.6, depth=piece.depth + 0.6)
            away = rotated(np.array([0, -0.3]), yaw)
            if self.is_free(outline(roomy, np.append(back + away, 0), yaw)):
                return self.stand(piece, np.append(back, 0), yaw)
        return False
