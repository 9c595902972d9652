"""Cabinets and what is made of them: wardrobes, chests, kitchens; shelves."""

import numpy as np

from training.data.rendering.meshes import block, join, lathe, legs, panel
from training.data.rendering.scene import Part
from training.data.rooms.furniture.accessories import lamp
from training.data.rooms.furniture.tables import book_cover, decoration
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Piece


def cabinet(
    rng: np.random.Generator, palette: Palette, width: float, depth: float, height: float, doors: int, raised: float
) -> Piece:
    """A carcass with a grid of fronts and handles: wardrobe, chest, sideboard, kitchen unit."""
    rows = 1 if height > 1.5 else int(rng.integers(1, 4))
    material = palette.wood if rng.random() < 0.5 else palette.lacquer
    body = [block((width, depth - 0.02, height - raised), (0, depth / 2 - 0.01, raised))]
    handles, gap = [], 0.004
    front_w, front_h = width / doors, (height - raised) / rows
    for column in range(doors):
        for row in range(rows):
            x, z = (column + 0.5) * front_w - width / 2, raised + row * front_h
            body.append(block((front_w - gap, 0.02, front_h - gap), (x, depth - 0.008, z + gap / 2), 0.003))
            if rows > 1:
                handles.append(block((0.14, 0.02, 0.012), (x, depth + 0.012, z + front_h * 0.8)))
            else:
                inward = front_w * 0.42 * (1 if column % 2 == 0 else -1)
                middle = z + front_h / 2 if height > 1.5 else z + front_h * 0.7
                handles.append(block((0.012, 0.02, 0.16), (x + inward, depth + 0.012, middle)))
    parts = [Part(join(body), material), Part(join(handles), palette.metal)]
    if raised:
        parts.append(Part(legs(width, depth, raised, 0.05), palette.wood if raised > 0.1 else palette.black))
    return Piece(tuple(parts), width, depth + 0.025, height)


def sideboard(rng: np.random.Generator, palette: Palette) -> Piece:
    """A chest with something on it."""
    base = cabinet(rng, palette, rng.uniform(0.9, 1.8), 0.42, rng.uniform(0.7, 0.95), int(rng.integers(2, 5)), 0.12)
    things = decoration(rng, palette, base.height, base.width * 0.35, 0.2)
    return Piece((*base.parts, *things), base.width, base.depth, base.height)


def wardrobe(rng: np.random.Generator, palette: Palette) -> Piece:
    """A tall cupboard."""
    doors = int(rng.integers(2, 5))
    return cabinet(rng, palette, doors * rng.uniform(0.45, 0.55), 0.6, rng.uniform(1.9, 2.25), doors, 0.06)


def night_table(rng: np.random.Generator, palette: Palette) -> Piece:
    """A small chest with a lamp on it."""
    base = cabinet(rng, palette, rng.uniform(0.4, 0.5), 0.38, rng.uniform(0.45, 0.55), 1, 0.12)
    light = [part.moved(0, 0, base.height) for part in lamp(palette, rng.uniform(0.38, 0.5), 0.19)]
    return Piece((*base.parts, *light), base.width, base.depth, base.height + 0.5)


def television(rng: np.random.Generator, palette: Palette) -> Piece:
    """A low unit with a screen on it."""
    width = rng.uniform(1.2, 2.0)
    base = cabinet(rng, palette, width, 0.42, rng.uniform(0.4, 0.55), int(rng.integers(2, 5)), 0.08)
    screen_w = rng.uniform(0.9, 1.25)
    screen = block((screen_w, 0.03, screen_w * 0.5625), (0, 0.16, base.height + 0.06), 0.004)
    foot = block((screen_w * 0.3, 0.2, 0.06), (0, 0.16, base.height), 0.004)
    return Piece((*base.parts, Part(join([screen, foot]), palette.black)), width, base.depth, 1.15)


def kitchen(rng: np.random.Generator, palette: Palette, width: float, uppers: bool) -> Piece:
    """A row of units with a worktop, sink, splashback and, where no window is, wall units."""
    doors = max(2, round(width / 0.6))
    base = cabinet(rng, palette, width, 0.6, 0.87, doors, 0.1)
    fronts = base.parts[0].material
    parts = [*base.parts[:2], Part(block((width, 0.55, 0.1), (0, 0.28, 0)), palette.black)]
    parts.append(Part(block((width + 0.01, 0.64, 0.035), (0, 0.32, 0.87), 0.006), palette.worktop))
    x = rng.uniform(-0.25, 0.25) * width
    tap = [lathe([(0.016, 0), (0.014, 0.3)], (x, 0.12, 0.9), 16), block((0.025, 0.2, 0.02), (x, 0.21, 1.19), 0.009)]
    parts.append(Part(join([*tap, block((0.5, 0.4, 0.006), (x, 0.33, 0.903), 0.003)]), palette.metal))
    hob = block((0.58, 0.5, 0.006), (x + (0.9 if x < 0 else -0.9), 0.32, 0.905), 0.003)
    parts.append(Part(hob, palette.black))
    height = 0.905
    if uppers:
        top = cabinet(rng, palette, width, 0.34, 0.72, doors, 0.0)
        parts += [
            Part(top.parts[0].mesh.moved(0, 0, 1.45), fronts),
            Part(top.parts[1].mesh.moved(0, 0, 1.3), palette.metal),
        ]
        height = 2.17
    parts.append(Part(panel((-width / 2, 0.004, 0.9), (width, 0, 0), (0, 0, 0.55), (0, 0)), palette.accent))
    return Piece(tuple(parts), width + 0.01, 0.64, height)


def shelf(rng: np.random.Generator, palette: Palette) -> Piece:
    """An open shelf with books and a few things."""
    width, depth, height, board = rng.uniform(0.7, 1.6), 0.3, rng.uniform(1.2, 2.1), 0.022
    levels = max(3, round(height / 0.36))
    boards = [block((board, depth, height), (s * (width - board) / 2, depth / 2, 0)) for s in (-1, 1)]
    boards.append(block((width, 0.01, height), (0, 0.005, 0)))
    parts: list[Part] = []
    for level in range(levels + 1):
        z = level * (height - board) / levels
        boards.append(block((width - 2 * board, depth - 0.01, board), (0, depth / 2, z)))
        if level < levels:
            parts += row_of_books(rng, width - 0.06, z + board, height / levels - 0.05)
    body = Part(join(boards), palette.wood if rng.random() < 0.6 else palette.lacquer)
    return Piece((body, *parts), width, depth, height)


def row_of_books(rng: np.random.Generator, width: float, z: float, space: float) -> list[Part]:
    """Books side by side in groups of one colour, ending somewhere along the board."""
    parts, x, end = [], -width / 2 + rng.uniform(0, 0.2), width / 2 - rng.uniform(0, width * 0.7)
    while x < end:
        cover, group = book_cover(rng), []
        for _ in range(int(rng.integers(1, 6))):
            thick, tall = rng.uniform(0.015, 0.045), space * rng.uniform(0.65, 0.95)
            if x + thick > width / 2:
                break
            group.append(block((thick, 0.18, tall), (x + thick / 2, 0.12, z), 0.002))
            x += thick + 0.001
        if group:
            parts.append(Part(join(group), cover))
        x += 0.12 * rng.random() + 0.005
    return parts
