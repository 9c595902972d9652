"""Rendered rooms: furnished interiors from a seed, and their views as linear HDR radiance.

``python -m training.data.rooms FOLDER`` writes ``room-00012-1.hdr`` (view 1 of room 12) and ``rooms.jsonl``, which
describes each view. Lengths are metres, z is up; walls run counter-clockwise around the room.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pixels.metering import LUMINANCE
from training.data import furniture, rendering
from training.data.furniture import Palette, Piece, block, drape, join, lathe, panel
from training.data.fusion import Radiance
from training.data.pairs import PairsError, write_pairs
from training.data.panoramas import read_panorama
from training.data.rendering import Camera, Material, Part, Quality, Scene, kelvin_to_rgb
from training.data.simulation import VALIDATION_PANORAMAS
from training.errors import TrainingError

VIEWS = 2
"""Cameras per room."""
THICKNESS = 0.22
"""Of the outer walls."""
DOOR_HEIGHT = 2.05
CLEARANCE = 0.2
"""Between a camera and the nearest thing beside it."""
BLUE_SKY = 1.4
"""Blue over red in the upper quarter of a panorama, from which it counts as outdoors."""
Vector = NDArray[np.float64]
Rng = np.random.Generator


@dataclass(frozen=True)
class Rooms:
    """A set of rooms to be rendered; the same values make the same files."""

    count: int
    seed: int
    """Every room has a random stream of its own, made from this and its number."""
    panoramas: tuple[Path, ...]
    """What windows look out on; without any, a plain sky."""
    quality: Quality


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
        """Of what stands against the wall."""
        return float(np.degrees(np.arctan2(self.along[1], self.along[0])))

    def point(self, s: float, away: float, z: float) -> Vector:
        """(3,), ``s`` along the wall and ``away`` into the room."""
        return np.append(self.start + s * self.along + away * self.inward, z)


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


class Room:
    """A room while it is furnished: what stands in it, and the space that is taken."""

    def __init__(self, rng: Rng) -> None:
        width, depth = rng.uniform(3.4, 6.8), rng.uniform(3.1, 5.2)
        self.rng = rng
        self.height = rng.uniform(2.4, 3.1)
        self.size = np.array([width, depth])
        l_shaped = width * depth > 16 and rng.random() < 0.35
        self.cut = self.size * rng.uniform(0.25, 0.5, 2) if l_shaped else np.zeros(2)
        self.walls = with_openings(walls_around(self.size, self.cut), self.height, rng)
        self.palette = random_palette(rng)
        self.dressing = str(rng.choice(["curtains", "blinds", "none"], p=[0.6, 0.15, 0.25]))  # of all windows
        self.kind = str(rng.choice(list(KINDS), p=SHARES))
        self.night = bool(rng.random() < 0.12)
        self.parts: list[Part] = []
        self.taken: list[Box] = []

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


def rotated(vector: Vector, yaw_deg: float) -> Vector:
    """A vector (2,), turned counter-clockwise."""
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return np.array([[c, -s], [s, c]]) @ vector


def outline(piece: Piece, back: Vector, yaw_deg: float) -> Box:
    """The box that a piece takes; yaw in multiples of 90 degrees."""
    half = piece.width / 2
    corners = np.array([rotated(np.array([x, y]), yaw_deg) for x in (-half, half) for y in (0, piece.depth)])
    low, high = corners.min(0) + back[:2], corners.max(0) + back[:2]
    return Box(np.append(low, back[2]), np.append(high, back[2] + piece.height))


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


def with_openings(walls: list[Wall], height: float, rng: Rng) -> list[Wall]:
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


def windows_in(wall: Wall, sill: float, top: float, rng: Rng) -> tuple[Opening, ...]:
    """Equal windows, evenly spaced."""
    count = int(rng.integers(1, 1 + max(1, min(3, int(wall.length / 1.6)))))
    space = wall.length / count
    width = min(rng.uniform(0.8, 2.4), space - 0.5)
    if width < 0.5:
        return ()
    return tuple(Opening((k + 0.5) * space - width / 2, sill, width, top - sill) for k in range(count))


def random_palette(rng: Rng) -> Palette:
    """Materials that go together."""
    brown = rng.choice(np.array([[0.45, 0.28, 0.14], [0.25, 0.13, 0.06], [0.6, 0.45, 0.28], [0.1, 0.06, 0.04]]))
    tint = 1 + rng.normal(0, 0.06, 3)
    grey = rng.uniform(0.06, 0.5)
    cloth = grey * np.exp(rng.normal(0, 0.12, 3))
    accent = rendering.random_colours(rng, 2)[1]
    green = np.array([0.06, 0.16, 0.04]) * rng.uniform(0.6, 1.4)
    lacquer = rng.choice([0.82, 0.82, 0.75, 0.3, 0.06]) * (1 + rng.normal(0, 0.04, 3))
    return Palette(
        wood=Material(rendering.wood(rng, np.asarray(brown * tint, np.float32)), 0.9, roughness=rng.uniform(0.25, 0.6)),
        fabric=Material(rendering.weave(rng, np.asarray(cloth, np.float32)), 0.6),
        accent=Material(rendering.weave(rng, np.asarray(accent, np.float32)), 0.5),
        lacquer=Material(np.clip(lacquer, 0.02, 0.85), roughness=rng.uniform(0.12, 0.5)),
        metal=Material(np.array([0.75, 0.73, 0.7]) * rng.uniform(0.5, 1), roughness=rng.uniform(0.1, 0.4), metallic=1),
        mirror=Material(np.array([0.9, 0.91, 0.9]), roughness=0.02, metallic=1),
        leaf=Material(green, roughness=0.45),
        black=Material(np.full(3, 0.02), roughness=0.12),
        worktop=Material(
            rendering.marble(rng, np.float32(rng.uniform(0.1, 0.75)) * np.ones(3, np.float32)), 1.2, roughness=0.2
        ),
        curtain=Material(rendering.weave(rng, rendering.random_colours(rng, 1)[0]), 0.5, translucency=0.06),
        sheer=Material(np.full(3, 0.75), translucency=0.35),
        shade=Material(np.array([0.8, 0.77, 0.7]), translucency=0.3),
    )


def floor_material(rng: Rng) -> Material:
    """Boards, tiles, carpet or stone; mostly a little glossy."""
    kind, gloss = rng.random(), rng.uniform(0.08, 0.6)
    base = np.array([0.5, 0.34, 0.2]) * np.exp(rng.normal(-0.2, 0.45) + rng.normal(0, 0.06, 3))
    grey = np.full(3, rng.uniform(0.15, 0.6)) * (1 + rng.normal(0, 0.05, 3))
    if kind < 0.55:
        return Material(rendering.planks(rng, np.asarray(base, np.float32)), rng.uniform(0.9, 1.8), gloss + 0.1)
    if kind < 0.8:
        other = grey * rng.choice([1, 1, 1, 0.3])
        return Material(rendering.tiles(rng, grey.astype(np.float32), other.astype(np.float32)), 2.4, gloss)
    if kind < 0.92:
        return Material(rendering.weave(rng, grey.astype(np.float32)), 0.8)
    return Material(rendering.marble(rng, grey.astype(np.float32)), 2.5, gloss * 0.5)


def wall_materials(rng: Rng, count: int) -> list[Material]:
    """One per wall: all alike, but for an accent wall now and then."""
    pale = rng.uniform(0.6, 0.82) * (1 - rng.uniform(0, 0.12) * rng.random(3))
    colour = pale if rng.random() < 0.7 else rendering.random_colours(rng, 1)[0] * rng.uniform(0.5, 1.1)
    plain = Material(rendering.plaster(rng, np.asarray(colour, np.float32)), 2.5)
    materials = [plain] * count
    if rng.random() < 0.3:
        bold = np.asarray(rendering.random_colours(rng, 2)[1], np.float32)
        brick = rendering.bricks(rng, np.array([0.4, 0.16, 0.09], np.float32))
        accent = Material(brick, 1.2) if rng.random() < 0.3 else Material(rendering.plaster(rng, bold), 2.5)
        materials[int(rng.integers(count))] = accent
    return materials


def build_shell(room: Room) -> None:
    """Floor, ceiling, walls with their openings, skirting."""
    rng = room.rng
    white = Material(np.full(3, rng.uniform(0.75, 0.85)), roughness=0.35)
    ceiling = Material(rendering.plaster(rng, np.full(3, rng.uniform(0.75, 0.86), np.float32)), 2.5)
    floor = floor_material(rng)
    turned = rng.random() < 0.5
    for (x, y), (w, d) in room.floors:
        along, up = ((0, d, 0), (w, 0, 0)) if turned else ((w, 0, 0), (0, d, 0))
        room.parts.append(Part(panel((x, y, 0), along, up, (y, x) if turned else (x, y)), floor))
        room.parts.append(Part(panel((x, y, room.height), (w, 0, 0), (0, d, 0), (x, y)), ceiling))
    for wall, material in zip(room.walls, wall_materials(rng, len(room.walls)), strict=True):
        room.parts.append(Part(join(list(wall_panels(wall, room.height))), material))
        for start, end in skirting(wall):
            if end - start > 0.05:
                room.parts.append(
                    on_wall(block((end - start, 0.014, 0.07), ((start + end) / 2, 0.007, 0)), wall, white)
                )
        for opening in wall.openings:
            (build_door if opening.is_door else build_window)(room, wall, opening, white)


def wall_panels(wall: Wall, height: float) -> Iterator[rendering.Mesh]:
    """The wall's surface around its openings."""

    def piece(s0: float, s1: float, z0: float, z1: float) -> rendering.Mesh:
        along, up = np.append((s1 - s0) * wall.along, 0), (0, 0, z1 - z0)
        return panel(wall.point(s0, 0, z0), along, up, (s0, z0))

    s = 0.0
    for opening in sorted(wall.openings, key=lambda o: o.left):
        end = opening.left + opening.width
        yield piece(s, opening.left, 0, height)
        if opening.bottom > 0:
            yield piece(opening.left, end, 0, opening.bottom)
        yield piece(opening.left, end, opening.bottom + opening.height, height)
        s = end
    yield piece(s, wall.length, 0, height)


def skirting(wall: Wall) -> Iterator[tuple[float, float]]:
    """Stretches of the wall without a door."""
    s = 0.0
    for opening in wall.openings:
        if opening.is_door:
            yield s, opening.left - 0.07
            s = opening.left + opening.width + 0.07
    yield s, wall.length


def on_wall(mesh: rendering.Mesh, wall: Wall, material: Material) -> Part:
    """A mesh in the wall's coordinates (along, into the room, up), in the room's."""
    return Part(mesh.turned(wall.yaw_deg).moved(*wall.point(0, 0, 0)), material)


def build_door(room: Room, wall: Wall, opening: Opening, white: Material) -> None:
    """A closed door with its frame and handle; the space before it stays free."""
    middle, wide = opening.left + opening.width / 2, opening.width
    frame = [block((0.07, 0.03, DOOR_HEIGHT), (middle + side * (wide / 2 + 0.035), 0.015, 0)) for side in (-1, 1)]
    frame.append(block((wide + 0.14, 0.03, 0.07), (middle, 0.015, DOOR_HEIGHT)))
    # Overlaps the opening all around, so that no light leaks in.
    leaf = [block((wide + 0.1, 0.04, DOOR_HEIGHT + 0.15), (middle, -0.021, -0.1))]
    for z, high in ((0.2, 0.6), (1.0, 0.85)):
        leaf.append(block((wide - 0.3, 0.02, high), (middle, 0.0, z), 0.008))
    handle = [block((0.12, 0.015, 0.02), (opening.left + 0.13, 0.05, 1.03), 0.007)]
    handle.append(block((0.02, 0.05, 0.02), (opening.left + 0.08, 0.025, 1.03), 0.007))
    room.parts.append(on_wall(join(frame), wall, white))
    room.parts.append(on_wall(join(leaf), wall, room.palette.wood if room.rng.random() < 0.4 else white))
    room.parts.append(on_wall(join(handle), wall, room.palette.metal))
    take(room, wall, (opening.left - 0.1, opening.left + wide + 0.1), (0, DOOR_HEIGHT + 0.1), 0.9, solid=False)


def take(
    room: Room, wall: Wall, along: tuple[float, float], up: tuple[float, float], away: float, solid: bool = True
) -> None:
    """Keep furniture out of a space at a wall."""
    ends = np.stack([wall.point(along[0], 0, up[0]), wall.point(along[1], away, up[1])])
    room.taken.append(Box(ends.min(0), ends.max(0), solid))


def build_window(room: Room, wall: Wall, opening: Opening, white: Material) -> None:
    """A recess with frame, bars and sill, and what hangs or stands before it."""
    left, bottom, width, height = opening.left, opening.bottom, opening.width, opening.height
    middle, rng = left + width / 2, room.rng
    recess = [block((0.02, THICKNESS, height), (x, -THICKNESS / 2, bottom)) for x in (left - 0.01, left + width + 0.01)]
    recess += [block((width, THICKNESS, 0.02), (middle, -THICKNESS / 2, z)) for z in (bottom - 0.02, bottom + height)]
    y, bar = -THICKNESS * 0.7, rng.uniform(0.04, 0.07)
    frame = [block((bar, 0.06, height), (left + bar / 2 + k * (width - bar), y, bottom)) for k in (0, 1)]
    frame += [block((width, 0.06, bar), (middle, y, bottom + k * (height - bar))) for k in (0, 1)]
    for x in np.linspace(left, left + width, 1 + max(1, round(width / 0.8)))[1:-1]:
        frame.append(block((bar, 0.06, height), (x, y, bottom)))
    if rng.random() < 0.3:
        frame.append(block((width, 0.05, bar * 0.7), (middle, y, bottom + height * 0.7)))
    if bottom > 0.3:
        frame.append(block((width + 0.1, 0.24, 0.03), (middle, -0.06, bottom - 0.02), 0.008))
    room.parts.append(on_wall(join(recess), wall, white))
    room.parts.append(on_wall(join(frame), wall, white if rng.random() < 0.8 else room.palette.black))
    hung = hang_at_window(room, wall, opening)
    if not hung and bottom > 0.7 and rng.random() < 0.7:
        heater = furniture.radiator(min(width, rng.uniform(0.6, 1.4)), white)
        room.stand(heater, wall.point(middle, 0.02, 0), wall.yaw_deg)


def hang_at_window(room: Room, wall: Wall, opening: Opening) -> bool:
    """Curtains, sheers or blinds, or nothing; whether the wall beside the window is covered."""
    rng, left, width = room.rng, opening.left, opening.width
    top = opening.bottom + opening.height
    if room.dressing == "blinds":
        slats = np.arange(opening.bottom + 0.05, top - 0.02, 0.05)
        slats = slats[slats > top - rng.uniform(0.2, 1) * opening.height]
        blades = [block((width - 0.04, 0.045, 0.003), (0, 0, 0)).tilted(rng.uniform(-40, 40)) for _ in slats[:1]]
        blinds = [blades[0].moved(left + width / 2, -0.06, z) for z in slats]
        if blinds:
            room.parts.append(on_wall(join(blinds), wall, Material(np.full(3, 0.7), roughness=0.4)))
    take(room, wall, (left, left + width), (max(0.0, opening.bottom - 0.05), top), 0.15)
    if room.dressing != "curtains":
        return False
    rail, spare = top + 0.1, min(0.4, left - 0.03, wall.length - left - width - 0.03)
    start, end = left - spare, left + width + spare
    each = rng.uniform(0.15, 0.3) * (end - start)
    floor = 0.02 if rng.random() < 0.75 or opening.bottom < 0.3 else opening.bottom - 0.15
    for at in (start, end - each):
        hanging = drape(each, rail - floor, each * rng.uniform(9, 14), rng.uniform(0, 6))
        room.parts.append(on_wall(hanging.moved(at, 0.11, floor), wall, room.palette.curtain))
    if rng.random() < 0.3:
        net = drape(end - start, rail - floor, (end - start) * 12, 0.0)
        room.parts.append(on_wall(net.moved(start, 0.055, floor), wall, room.palette.sheer))
    rod = block((end - start + 0.1, 0.02, 0.02), ((start + end) / 2, 0.1, rail), 0.008)
    room.parts.append(on_wall(rod, wall, room.palette.metal))
    take(room, wall, (start - 0.05, end + 0.05), (0, rail + 0.05), 0.17)
    return True


def furnish_living(room: Room) -> None:
    """Sofa with a table on a rug, something to watch, something to read."""
    rng, palette = room.rng, room.palette
    seat = furniture.sofa(rng, palette, int(rng.integers(2, 4)))
    place = room.lean(seat, 0.05)
    if place is not None:
        wall, s = place
        low = furniture.table(rng, palette, rng.uniform(0.8, 1.2), rng.uniform(0.5, 0.7), rng.uniform(0.35, 0.45))
        room.stand(low, wall.point(s, seat.depth + 0.45, 0), wall.yaw_deg)
        lay_rug(room, wall.point(s, seat.depth - 0.25, 0), wall.yaw_deg, seat.width + 0.3, 1.7)
        beside = s + rng.choice([-1, 1]) * (seat.width / 2 + 0.32)
        room.stand(furniture.floor_lamp(rng, palette), wall.point(beside, 0.05, 0), wall.yaw_deg)
    else:
        room.float(seat)
    for make, chance in (
        (furniture.television, 0.8),
        (lambda r, p: furniture.sofa(r, p, 1), 0.6),
        (furniture.shelf, 0.8),
        (furniture.sideboard, 0.7),
    ):
        if rng.random() < chance:
            room.lean(make(rng, palette), 0.03)
    if room.size.prod() > 17 and rng.random() < 0.7:
        furnish_dining(room)


def furnish_bedroom(room: Room) -> None:
    """Bed, night tables, wardrobe."""
    rng, palette = room.rng, room.palette
    sleeper = furniture.bed(rng, palette)
    place = room.lean(sleeper)
    if place is not None:
        wall, s = place
        for side in (-1, 1):
            small = furniture.night_table(rng, palette)
            room.stand(small, wall.point(s + side * ((sleeper.width + small.width) / 2 + 0.06), 0.02, 0), wall.yaw_deg)
        hang(room, furniture.framed(rng, palette, False), wall, s, 1.5)
        if rng.random() < 0.6:
            lay_rug(room, wall.point(s, 1.1, 0), wall.yaw_deg, sleeper.width + 1.2, 1.7)
    for make, chance in (
        (furniture.wardrobe, 0.85),
        (furniture.sideboard, 0.5),
        (furniture.desk, 0.3),
        (lambda r, p: furniture.sofa(r, p, 1), 0.3),
    ):
        if rng.random() < chance:
            room.lean(make(rng, palette), 0.03)


def furnish_dining(room: Room) -> None:
    """A table with chairs under a pendant lamp."""
    rng, palette = room.rng, room.palette
    group = furniture.dining_set(rng, palette)
    if room.float(group):
        box = room.taken[-1]
        middle = (box.low + box.high) / 2
        if rng.random() < 0.4:
            lay_rug(room, np.array([middle[0], box.low[1] - 0.2, 0]), 0, *(box.high - box.low)[:2] + 0.4)
        if rng.random() < 0.75:
            hang_lamp(room, middle, room.height - rng.uniform(1.6, 1.75))
    for make, chance in ((furniture.sideboard, 0.8), (furniture.shelf, 0.5)):
        if rng.random() < chance:
            room.lean(make(rng, palette), 0.03)


def furnish_kitchen(room: Room) -> None:
    """A row of units along a wall, a tall one, a place to eat."""
    rng, palette = room.rng, room.palette
    for _ in range(12):
        width = rng.uniform(1.8, 3.6)
        if room.lean(furniture.kitchen(rng, palette, width, uppers=True)) is not None:
            break
    if rng.random() < 0.8:
        room.lean(furniture.cabinet(rng, palette, 0.6, 0.62, rng.uniform(1.9, 2.1), 1, 0.05))
    furnish_dining(room)


def furnish_office(room: Room) -> None:
    """A desk and shelves."""
    rng, palette = room.rng, room.palette
    for make, chance in (
        (furniture.desk, 1.0),
        (furniture.shelf, 0.9),
        (furniture.shelf, 0.5),
        (lambda r, p: furniture.sofa(r, p, 2), 0.5),
        (furniture.sideboard, 0.5),
    ):
        if rng.random() < chance:
            room.lean(make(rng, palette), 0.03)


def furnish_empty(room: Room) -> None:
    """Nothing: many listings show rooms unfurnished."""


KINDS = {
    "living": furnish_living,
    "bedroom": furnish_bedroom,
    "dining": furnish_dining,
    "kitchen": furnish_kitchen,
    "office": furnish_office,
    "empty": furnish_empty,
}
SHARES = (0.33, 0.25, 0.13, 0.14, 0.09, 0.06)


def lay_rug(room: Room, back: Vector, yaw_deg: float, width: float, depth: float) -> None:
    """A rug, where all of it lies on the floor; furniture stands on it."""
    piece = furniture.rug(room.rng, width, depth)
    if room.has_floor(outline(piece, back, yaw_deg)):
        room.parts += [part.turned(yaw_deg).moved(*back) for part in piece.parts]


def hang(room: Room, piece: Piece, wall: Wall, s: float, z: float) -> bool:
    """Hang a piece on a wall, where it fits."""
    if not piece.width / 2 < s < wall.length - piece.width / 2 or z + piece.height > room.height - 0.1:
        return False
    return room.stand(piece, wall.point(s, 0.004, z), wall.yaw_deg)


def hang_lamp(room: Room, place: Vector, drop: float) -> None:
    """A lamp from the ceiling above a place."""
    piece = furniture.pendant(room.rng, room.palette, drop)
    room.parts += [part.moved(place[0], place[1], room.height) for part in piece.parts]


def decorate(room: Room) -> None:
    """Pictures, a mirror, plants: what every kind of room may have."""
    rng, palette = room.rng, room.palette
    for _ in range(int(rng.integers(1, 7))):
        wall = room.walls[int(rng.integers(len(room.walls)))]
        piece = furniture.framed(rng, palette, mirror=bool(rng.random() < 0.2))
        hang(room, piece, wall, rng.uniform(0, wall.length), rng.uniform(1.65, 1.75) - piece.height / 2)
    for _ in range(int(rng.integers(0, 3))):
        room.lean(furniture.plant(rng, palette), 0.05)


def light(room: Room) -> None:
    """Lamps of mixed colour; those in shades shine, and others may sit in the ceiling."""
    rng = room.rng
    dark = room.night or len(window_frames(room)) == 0
    on = dark or rng.random() < 0.65
    warm = rng.choice([2500, 2700, 3000, 3000, 3500, 4000])
    for index, part in enumerate(room.parts):
        if part.material is not room.palette.shade or not on:
            continue
        glow = kelvin_to_rgb(warm * rng.uniform(0.92, 1.12)) * rng.uniform(2, 7)
        room.parts[index] = Part(part.mesh, Material(part.material.reflectance, emission=glow))
    kind = rng.random()
    if kind < 0.4:
        add_downlights(room, kelvin_to_rgb(rng.choice([2700, 3000, 4000, 5000])) * rng.uniform(50, 200) * on)
    elif kind < 0.8 or dark:
        add_ceiling_lamp(room, kelvin_to_rgb(rng.choice([2700, 3000, 4000, 5000])) * rng.uniform(4, 14) * on)


def add_downlights(room: Room, radiance: NDArray[np.floating[Any]]) -> None:
    """A regular grid of small round lights in the ceiling."""
    rng, ceiling = room.rng, room.height
    counts = np.maximum(1, np.round(room.size / rng.uniform(1.2, 2.0))).astype(int)
    places = [((i + 0.5) / counts[0], (j + 0.5) / counts[1]) for i in range(counts[0]) for j in range(counts[1])]
    trim = Material(np.full(3, 0.8), roughness=0.3)
    lit = Material(np.full(3, 0.7), emission=radiance if radiance.any() else None)
    for x, y in (room.size * np.array(place) for place in places):
        if room.contains(np.array([[x - 0.1, y - 0.1], [x + 0.1, y + 0.1]])).all():
            ring = lathe([(0.035, 0.0), (0.04, -0.006), (0.055, -0.006), (0.056, 0.0)][::-1], (x, y, ceiling), 24)
            disk = lathe([(1e-3, -0.002), (0.036, -0.002)], (x, y, ceiling), 24)
            room.parts += [Part(ring, trim), Part(disk, lit)]


def add_ceiling_lamp(room: Room, radiance: NDArray[np.floating[Any]]) -> None:
    """A flat round lamp in the middle of the ceiling."""
    radius = room.rng.uniform(0.14, 0.25)
    x, y = room.floors[0][0] + room.floors[0][1] / 2
    bowl = [(1e-3, -0.09), (radius * 0.7, -0.085), (radius * 0.95, -0.06), (radius, -0.02), (radius, 0.0)]
    glass = Material(np.full(3, 0.8), roughness=0.3, emission=radiance if radiance.any() else None)
    room.parts.append(Part(lathe(bowl, (x, y, room.height), 40), glass))


def cameras_in(room: Room) -> tuple[Camera, ...]:
    """Views from eye height that look across the room in differing directions."""
    rng = room.rng
    found: list[tuple[float, Camera]] = []
    for _ in range(120):
        x, y = room.size * rng.uniform(0, 1, 2)
        eye = np.array([x, y, rng.uniform(1.15, 1.6)])
        around = Box(eye - np.array([CLEARANCE, CLEARANCE, 0.45]), eye + np.array([CLEARANCE, CLEARANCE, 0.3]))
        if not room.has_floor(around) or any(around.meets(box) for box in room.taken if box.solid):
            continue
        aim = room.size * rng.uniform(0.3, 0.7, 2) - eye[:2]
        yaw, view = float(np.degrees(np.arctan2(aim[1], aim[0]))), rng.uniform(55, 100)
        camera = Camera(tuple(eye.tolist()), yaw, float(np.clip(rng.normal(-4, 4), -14, 6)), view)
        found.append((openness(room, camera) * view**0.6 * rng.uniform(0.75, 1), camera))
    found.sort(key=lambda pair: -pair[0])
    chosen = [found[0][1]]
    while len(chosen) < VIEWS:
        turns = [min(abs((c.yaw_deg - o.yaw_deg + 180) % 360 - 180) for o in chosen) for _, c in found]
        best = max(range(len(found)), key=lambda k: found[k][0] ** 2 * min(turns[k], 60))
        chosen.append(found[best][1])
    return tuple(chosen)


def openness(room: Room, camera: Camera) -> float:
    """How far the camera sees, on average over its angle of view, in metres."""
    yaw = np.radians(camera.yaw_deg + camera.view_deg * np.linspace(-0.5, 0.5, 15))[:, None, None]
    steps = np.arange(0.1, 9, 0.1)[None, :, None]
    points = np.array(camera.position)[:2] + steps * np.concatenate([np.cos(yaw), np.sin(yaw)], -1)
    blocked = ~room.contains(points)
    for box in room.taken:
        inside = ((points > box.low[:2]) & (points < box.high[:2])).all(-1)
        near = (steps[..., 0] < 1.3) & (box.high[2] > 0.75)
        tall = (box.high[2] > camera.position[2] - 0.15) & (box.low[2] < camera.position[2])
        if box.solid:
            blocked |= inside & (near | tall)
    free = np.where(blocked.any(1), blocked.argmax(1), steps.shape[1]) * 0.1
    return float(np.minimum(free, 6).mean() * np.clip(np.quantile(free, 0.15) / 1.6, 0.05, 1))


def furnished_room(seed: int, number: int) -> Room:
    """Room ``number`` of a set, the same every time."""
    room = Room(np.random.default_rng((seed, number)))
    build_shell(room)
    KINDS[room.kind](room)
    decorate(room)
    light(room)
    return room


def window_frames(room: Room) -> rendering.Array:
    """The openings that light comes through, (n, 4, 3): corner, along, up, inward normal."""
    frames = [
        [wall.point(o.left, 0, o.bottom), [*(o.width * wall.along), 0], [0, 0, o.height], [*wall.inward, 0]]
        for wall in room.walls
        for o in wall.openings
        if not o.is_door
    ]
    return np.array(frames, np.float32).reshape(-1, 4, 3)


def outside(panoramas: Sequence[Path], night: bool, rng: Rng) -> Radiance:
    """What windows look out on: a panorama or a plain sky, turned and exposed at random."""
    sky = load_panorama(panoramas[int(rng.integers(len(panoramas)))]) if panoramas else plain_sky(rng)
    level = np.exp(rng.uniform(np.log(0.7), np.log(10)))
    mean = float(np.exp(np.log(np.maximum(sky @ LUMINANCE, 1e-4)).mean()))
    return np.roll(sky, int(rng.integers(sky.shape[1])), axis=1) * np.float32((0.01 if night else level) / mean)


def plain_sky(rng: Rng) -> Radiance:
    """A gradient over a dull ground, with a sun."""
    height = np.sin(np.pi * (0.5 - (np.arange(64) + 0.5) / 64))[:, None, None] * np.ones((64, 128, 1))
    blue = np.array([0.9, 1.0, 1.15]) * (1 - 0.5 * np.clip(height, 0, 1) * np.array([1, 0.6, 0.1]))
    panorama = np.where(height > 0, blue, rng.uniform(0.1, 0.3) * np.array([0.9, 1.0, 0.7]))
    panorama[int(rng.integers(8, 26)), 64] += rng.choice([0.0, 2e4]) * np.array([1.1, 1.0, 0.85])
    return panorama.astype(np.float32)


@lru_cache(maxsize=64)
def load_panorama(path: Path) -> Radiance:
    """Each process reads each panorama once."""
    return read_panorama(path)


def outdoor_panoramas(folder: Path) -> tuple[Path, ...]:
    """Those of a folder that show a blue sky, without the ones kept for validation; all, where none does.

    Raises:
        PairsError: no panoramas in the folder.
    """
    paths = [path for path in sorted(folder.glob("*.hdr")) if not path.name.startswith(VALIDATION_PANORAMAS)]
    if not paths:
        raise PairsError(f"{folder}: no panoramas (.hdr); get some from polyhaven.com/hdris, or leave --panoramas out")
    return tuple(path for path in paths if is_outdoors(read_panorama(path))) or tuple(paths)


def is_outdoors(panorama: Radiance) -> bool:
    """Whether the upper quarter is blue."""
    upper = panorama[: len(panorama) // 4]
    return float(np.median(upper[..., 2] / (upper[..., 0] + 1e-6))) > BLUE_SKY


def make_rooms(rooms: Rooms, folder: Path, processes: int) -> None:
    """Render into a folder; rooms whose views exist are skipped, so an interrupted run goes on where it stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    fresh = get_context("spawn")  # a renderer that runs in this process already would not survive a fork
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        made = pool.map(make_room, *zip(*((rooms, folder, n) for n in range(rooms.count)), strict=True))
        for room_rows in tqdm(made, total=rooms.count, unit="room"):
            rows.extend(room_rows)
            write_pairs(folder / "rooms.jsonl", rows)


def make_room(rooms: Rooms, folder: Path, number: int) -> list[dict[str, Any]]:
    """Render one room; returns a description of each view."""
    cv2.setNumThreads(1)
    room = furnished_room(rooms.seed, number)
    cameras = cameras_in(room)
    paths = [folder / f"room-{number:05d}-{view}.hdr" for view in range(VIEWS)]
    if not all(path.exists() for path in paths):
        sky = outside(rooms.panoramas, room.night, np.random.default_rng((rooms.seed, number, 1)))
        scene = Scene(tuple(room.parts), cameras, sky, window_frames(room), number)
        for path, radiance in zip(paths, rendering.render(scene, rooms.quality), strict=True):
            write_radiance(path, radiance)
    return [
        {
            "file": path.name,
            "room": number,
            "kind": room.kind,
            "night": room.night,
            "view_deg": round(camera.view_deg, 1),
        }
        for path, camera in zip(paths, cameras, strict=True)
    ]


def write_radiance(path: Path, radiance: Radiance) -> None:
    """Write a Radiance file beside the path, then put it in place."""
    _, data = cv2.imencode(".hdr", radiance[..., ::-1])
    partial = path.with_suffix(".partial")
    partial.write_bytes(data.tobytes())
    partial.replace(path)


def add_options(command: argparse.ArgumentParser) -> None:
    """Options of the command."""
    command.add_argument("folder", type=Path, help="where views go")
    command.add_argument("--count", type=positive, default=100, help="rooms (%(default)s)")
    command.add_argument(
        "--panoramas", type=Path, help="folder of equirectangular .hdr files, seen through the windows"
    )
    command.add_argument("--width", type=positive, default=480, help="of a view, in pixels (%(default)s)")
    command.add_argument("--height", type=positive, default=320, help="of a view, in pixels (%(default)s)")
    command.add_argument("--samples", type=positive, default=64, help="light paths per pixel (%(default)s)")
    command.add_argument("--seed", type=int, default=0, help="of all choices (%(default)s)")
    command.add_argument("--processes", type=positive, default=1, help="rooms at a time (%(default)s)")


def positive(text: str) -> int:
    """A whole number from 1 up."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 up")
    return number


def run(options: argparse.Namespace) -> None:
    """Render rooms."""
    threads = max(1, (os.cpu_count() or 1) // options.processes)
    quality = Quality(options.width, options.height, options.samples, threads)
    panoramas = outdoor_panoramas(options.panoramas) if options.panoramas else ()
    make_rooms(Rooms(options.count, options.seed, panoramas, quality), options.folder, options.processes)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 0, 1 for an error that the user can put right, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m training.data.rooms", description="Render furnished rooms.")
    add_options(parser)
    try:
        run(parser.parse_args(arguments))
    except (TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
