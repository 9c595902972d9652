"""What people sit and lie on."""

import numpy as np

from training.data.rendering.meshes import block, join, legs
from training.data.rendering.scene import Material, Part
from training.data.rendering.textures import stripes
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Piece


def sofa(rng: np.random.Generator, palette: Palette, seats: int) -> Piece:
    """An upholstered seat for one or more, with cushions."""
    seat, arm, depth = rng.uniform(0.6, 0.75), rng.uniform(0.12, 0.24), rng.uniform(0.85, 1.0)
    height, soft = rng.uniform(0.72, 0.9), rng.uniform(0.03, 0.07)
    width, inner = seats * seat + 2 * arm, seats * seat
    cloth = [
        block((inner, depth - 0.05, 0.2), (0, depth / 2, 0.1), 0.02),
        block((width, 0.2, height - 0.1), (0, 0.1, 0.1), soft),
    ]
    for side in (-1, 1):
        cloth.append(block((arm, depth, rng.uniform(0.5, 0.6)), (side * (width - arm) / 2, depth / 2, 0.08), soft))
    for k in range(seats):
        x = (k + 0.5) * seat - inner / 2
        cloth.append(block((seat - 0.005, depth - 0.2, 0.17), (x, (depth + 0.22) / 2, 0.28), 0.05))
        back = block((seat - 0.02, 0.17, height - 0.4), (0, 0, 0), 0.07)
        cloth.append(back.tilted(-12).moved(x, 0.3, 0.44))
    parts = [Part(join(cloth), palette.fabric), Part(legs(width, depth, 0.1, 0.05), palette.wood)]
    for _ in range(int(rng.integers(0, seats + 1))):
        cushion = block((0.42, 0.13, 0.42), (0, 0, 0), 0.062).tilted(-rng.uniform(15, 28))
        x = rng.uniform(-0.5, 0.5) * max(0.0, inner - 0.45)
        parts.append(Part(cushion.moved(x, 0.48, 0.45), palette.accent))
    return Piece(tuple(parts), width, depth, height)


def chair(rng: np.random.Generator, palette: Palette, material: Material) -> Piece:
    """A dining chair; its back is at y = 0."""
    width, depth, seat, height = 0.44, 0.48, 0.46, 0.86
    parts = [
        Part(legs(width, depth, seat - 0.03, 0.045), palette.wood),
        Part(block((width, depth, 0.04), (0, depth / 2, seat - 0.03), 0.018), material),
        Part(block((width - 0.02, 0.03, 0.26), (0, 0, 0), 0.014).tilted(-8).moved(0, 0.05, height - 0.26), material),
    ]
    posts = [block((0.03, 0.025, 0.36), (s * 0.17, 0.035, seat), 0.01) for s in (-1, 1)]
    return Piece((*parts, Part(join(posts), palette.wood)), width, depth, height)


def bed(rng: np.random.Generator, palette: Palette) -> Piece:
    """A bed with its head at the wall: frame, mattress, duvet, pillows, sometimes a throw."""
    width, length, head = float(rng.choice([0.9, 1.4, 1.6, 1.8])), 2.05, rng.uniform(0.8, 1.2)
    linen = Material(np.array([0.8, 0.79, 0.77]))
    frame = [block((width + 0.08, length, 0.22), (0, length / 2 + 0.06, 0.08), 0.015)]
    headboard = block((width + 0.12, 0.08, head - 0.05), (0, 0.04, 0.05), 0.03)
    pillows = []
    for x in np.linspace(-0.25, 0.25, 2) * width if width > 1 else [0.0]:
        pillows.append(block((0.62, 0.16, 0.42), (0, 0, 0), 0.078).tilted(-62).moved(x, 0.56, 0.56))
    duvet = block((width + 0.1, length * 0.68, 0.2), (0, 0.1 + length * 0.65, 0.41), 0.07)
    parts = [
        Part(join(frame), palette.wood),
        Part(headboard, palette.fabric if rng.random() < 0.6 else palette.wood),
        Part(block((width, length - 0.06, 0.24), (0, length / 2 + 0.06, 0.28), 0.05), linen),
        Part(duvet, linen if rng.random() < 0.5 else palette.accent),
        Part(join(pillows), linen),
    ]
    if rng.random() < 0.6:
        throw = block((width + 0.13, length * 0.25, 0.235), (0, length * 0.83, 0.395), 0.075)
        parts.append(Part(throw, Material(stripes(rng), metres=0.6) if rng.random() < 0.5 else palette.fabric))
    return Piece(tuple(parts), width + 0.14, length + 0.1, head)
