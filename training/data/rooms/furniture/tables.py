"""Tables, alone and with chairs, and what lies on them."""

import numpy as np

from training.data.rendering.meshes import block, join, lathe, leaf, legs
from training.data.rendering.scene import Material, Part
from training.data.rooms.furniture.accessories import lamp
from training.data.rooms.furniture.seating import chair
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Piece


def table(rng: np.random.Generator, palette: Palette, width: float, depth: float, height: float) -> Piece:
    """A table; round ones where width and depth agree."""
    top = 0.03 + 0.02 * rng.random()
    if width == depth:
        disk = [(1e-3, 0.0), (width / 2 - 0.01, 0.0), (width / 2, 0.01), (width / 2, top - 0.01)]
        disk += [(width / 2 - 0.01, top), (1e-3, top)]
        plate = lathe(disk, (0, depth / 2, height - top), 48)
        foot = [(width * 0.28, 0.0), (width * 0.28, 0.02), (0.04, 0.05), (0.035, height - top)]
        stand = lathe(foot, (0, depth / 2, 0), 32)
    else:
        plate = block((width, depth, top), (0, depth / 2, height - top), 0.008)
        stand = legs(width, depth, height - top, 0.07)
    material = palette.wood if rng.random() < 0.7 else palette.lacquer
    frame = palette.wood if rng.random() < 0.6 else palette.metal
    things = decoration(rng, palette, height, width * 0.25, depth / 2)
    return Piece((Part(plate, material), Part(stand, frame), *things), width, depth, height)


def dining_set(rng: np.random.Generator, palette: Palette) -> Piece:
    """A table with chairs."""
    depth = rng.uniform(0.75, 0.95)
    width = depth if rng.random() < 0.25 else rng.uniform(1.1, 2.0)
    board = table(rng, palette, width, depth, 0.75)
    seat, out = (palette.wood if rng.random() < 0.5 else palette.fabric), rng.uniform(0.2, 0.4)
    parts = [part.moved(0, out, 0) for part in board.parts]
    count = max(1, int(width / 0.6))
    for x in (np.arange(count) - (count - 1) / 2) * 0.6:
        for yaw, y in ((rng.normal(0, 3), 0.0), (180 + rng.normal(0, 3), depth + 2 * out)):
            parts += [part.turned(yaw).moved(x, y, 0) for part in chair(rng, palette, seat).parts]
    return Piece(tuple(parts), max(width, count * 0.6), depth + 2 * out, 0.9)


def desk(rng: np.random.Generator, palette: Palette) -> Piece:
    """A desk with a screen, a lamp and a chair."""
    board = table(rng, palette, rng.uniform(1.1, 1.6), 0.65, 0.74)
    screen = [block((0.55, 0.02, 0.33), (0, 0.18, 0.84), 0.004), block((0.2, 0.15, 0.1), (0, 0.16, 0.74), 0.004)]
    light = [part.moved(board.width * 0.38, 0, 0.74) for part in lamp(palette, 0.42, 0.15)]
    one = [part.turned(180 + 12).moved(0, 1.05, 0) for part in chair(rng, palette, palette.fabric).parts]
    return Piece((*board.parts[:2], Part(join(screen), palette.black), *light, *one), board.width, 1.1, 1.2)


def decoration(rng: np.random.Generator, palette: Palette, z: float, reach: float, y: float) -> list[Part]:
    """A vase, a bowl or a pile of books, or nothing, on a surface."""
    x, kind = rng.uniform(-reach, reach), rng.integers(4)
    at = (x, y, z)
    if kind == 0:
        tall = rng.uniform(0.15, 0.32)
        curve = [(0.04, 0.0), (0.07, 0.25), (0.08, 0.45), (0.06, 0.7), (0.03, 0.85), (0.04, 1.0)]
        stems = [leaf(0.25, 0.05, a, 1.2).moved(x, y, z + tall) for a in rng.uniform(0, 360, 7)]
        vase = lathe([(r, h * tall) for r, h in curve], at)
        return [Part(vase, palette.lacquer), Part(join(stems), palette.leaf)]
    if kind == 1:
        bowl = [(0.05, 0.0), (0.1, 0.02), (0.14, 0.06), (0.16, 0.1), (0.15, 0.1), (0.1, 0.04), (1e-3, 0.02)]
        return [Part(lathe(bowl, at), palette.accent)]
    if kind == 2:
        return books_lying(rng, at)
    return []


def books_lying(rng: np.random.Generator, at: tuple[float, float, float]) -> list[Part]:
    """A pile of books."""
    parts, z = [], at[2]
    for _ in range(int(rng.integers(2, 5))):
        thick = rng.uniform(0.02, 0.04)
        size = (rng.uniform(0.18, 0.28), rng.uniform(0.14, 0.2), thick)
        parts.append(Part(block(size, (at[0], at[1], z), 0.003), book_cover(rng)))
        z += thick
    return parts


def book_cover(rng: np.random.Generator) -> Material:
    """Paper and cloth of any colour, rather muted."""
    return Material(rng.uniform(0.05, 0.75) * (1 - rng.uniform(0, 0.7) * rng.random(3)), roughness=0.5)
