"""Lamps, plants, pictures, rugs, radiators."""

import numpy as np

from training.data.rendering.meshes import ball, block, join, lathe, leaf, panel
from training.data.rendering.scene import Material, Part
from training.data.rendering.textures import picture, spots, stripes
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Piece


def lamp(palette: Palette, height: float, y: float) -> list[Part]:
    """A stand, from y on the floor or a surface, with a conical shade on top."""
    wide, shade = 0.1 + 0.07 * height, 0.16 + 0.06 * height
    stand = [(wide * 0.8, 0.0), (wide * 0.8, 0.02), (0.012, 0.03), (0.012, height - shade * 0.4)]
    cone = [(wide * 1.15, height - shade), (wide * 0.85, height)]
    return [Part(lathe(stand, (0, y, 0), 24), palette.metal), Part(lathe(cone, (0, y, 0), 40), palette.shade)]


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Piece:
    """A lamp as tall as a person."""
    height = rng.uniform(1.4, 1.7)
    return Piece(tuple(lamp(palette, height, 0.26)), 0.52, 0.52, height)


def pendant(rng: np.random.Generator, palette: Palette, drop: float) -> Piece:
    """A lamp hanging by ``drop`` metres from (0, 0, 0)."""
    radius = rng.uniform(0.12, 0.24)
    cable = lathe([(0.004, -drop), (0.004, 0)], (0, 0, 0), 8)
    if rng.random() < 0.5:
        bulb = ball(radius, (0, 0, -drop - 2 * radius))
    else:
        bulb = lathe([(radius * 1.4, -drop - radius), (radius, -drop)], (0, 0, 0), 40)
    return Piece((Part(cable, palette.black), Part(bulb, palette.shade)), 3 * radius, 3 * radius, drop)


def plant(rng: np.random.Generator, palette: Palette) -> Piece:
    """A potted plant with bent leaves."""
    pot, tall, spread = rng.uniform(0.14, 0.2), rng.uniform(0.4, 1.0), rng.uniform(0.3, 0.5)
    vessel = [(pot * 0.75, 0.0), (pot, 0.3), (pot * 0.93, 0.3), (pot * 0.9, 0.26), (1e-3, 0.26)]
    middle = pot + spread * 0.7
    blades = []
    for _ in range(int(rng.integers(14, 34))):
        z = 0.3 + tall * rng.random() ** 0.7
        blade = leaf(
            spread * rng.uniform(0.6, 1.05), rng.uniform(0.06, 0.14), rng.uniform(0, 360), rng.uniform(0.3, 1.3)
        )
        blades.append(blade.moved(0, middle, z))
    stem = lathe([(0.015, 0.25), (0.008, 0.3 + tall)], (0, middle, 0), 10)
    parts = (
        Part(lathe(vessel, (0, middle, 0)), palette.lacquer if rng.random() < 0.6 else palette.accent),
        Part(join(blades), palette.leaf),
        Part(stem, palette.wood),
    )
    return Piece(parts, 2 * middle, 2 * middle, 0.4 + tall + spread)


def framed(rng: np.random.Generator, palette: Palette, mirror: bool) -> Piece:
    """A picture or a mirror in a frame, to hang."""
    width, height = sorted(rng.uniform(0.35, 1.1, 2), reverse=bool(rng.random() < 0.5))
    edge, frame = rng.uniform(0.015, 0.05), palette.wood if rng.random() < 0.5 else palette.black
    bars = [block((width, 0.03, edge), (0, 0.017, z), 0.004) for z in (0, height - edge)]
    bars += [block((edge, 0.03, height), (s * (width - edge) / 2, 0.017, 0), 0.004) for s in (-1, 1)]
    inner = panel((-width / 2, 0.018, 0), (width, 0, 0), (0, 0, height), (0, 0))
    art = Material(picture(rng), metres=max(width, height), roughness=0.3 if rng.random() < 0.5 else None)
    return Piece((Part(join(bars), frame), Part(inner, palette.mirror if mirror else art)), width, 0.035, height)


def rug(rng: np.random.Generator, width: float, depth: float) -> Piece:
    """A flat carpet."""
    cloth = stripes(rng) if rng.random() < 0.4 else spots(rng)
    flat = block((width, depth, 0.012), (0, depth / 2, 0), 0.004)
    return Piece((Part(flat, Material(cloth, metres=rng.uniform(0.8, 1.6))),), width, depth, 0.012)


def radiator(width: float, material: Material) -> Piece:
    """A column radiator."""
    count = max(3, round(width / 0.06))
    columns = [block((0.045, 0.08, 0.5), (x, 0.07, 0.1), 0.02) for x in (np.arange(count) - (count - 1) / 2) * 0.06]
    rails = [block((count * 0.06, 0.05, 0.05), (0, 0.07, z), 0.02) for z in (0.13, 0.52)]
    return Piece((Part(join([*columns, *rails]), material),), count * 0.06, 0.12, 0.62)
