"""Textures: reflectance, float32 (SIZE_PX, SIZE_PX, 3), linear RGB in 0.01 to 0.9."""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.rendering.meshes import Array

Texture = NDArray[np.float32]
SIZE_PX = 768


def wood(rng: np.random.Generator, colour: Array) -> Texture:
    """Grain along the columns' direction."""
    grain = 0.05 * noise(rng, 4, 90) + 0.07 * noise(rng, 12, 400) + 0.06 * noise(rng, 3, 12)
    return limited(colour * np.exp(grain))


def planks(rng: np.random.Generator, colour: Array) -> Texture:
    """Floorboards with staggered joints."""
    texture = wood(rng, colour)
    boards = int(rng.integers(6, 16))
    edges = np.linspace(0, SIZE_PX, boards + 1).astype(int)
    for left, right in pairwise(edges):
        joints = np.sort(rng.integers(0, SIZE_PX, 2))
        for top, bottom in zip([0, *joints], [*joints, SIZE_PX], strict=True):
            texture[top:bottom, left:right] *= np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.02, 3)).astype(np.float32)
            texture[top : top + 2, left:right] *= 0.45
        texture[:, left : left + 2] *= 0.45
    return limited(texture)


def tiles(rng: np.random.Generator, colour: Array, other: Array) -> Texture:
    """A grid of tiles with joints; some chequered."""
    count, texture = int(rng.integers(2, 6)) * 2, np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    edges, joint = np.linspace(0, SIZE_PX, count + 1).astype(int), int(rng.integers(2, 6))
    for row in range(count):
        for column in range(count):
            base = other if (row + column) % 2 else colour
            block = texture[edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            block[:] = base * np.exp(rng.normal(0, 0.04))
            block[:joint] = block[:, :joint] = 0.75 * base.mean()
    return limited(texture * np.exp(0.05 * noise(rng, 30, 30) + 0.04 * noise(rng, 300, 300)))


def plaster(rng: np.random.Generator, colour: Array) -> Texture:
    """Painted wall: almost even."""
    return limited(colour * np.exp(0.012 * noise(rng, 8, 8) + 0.012 * noise(rng, 250, 250)))


def bricks(rng: np.random.Generator, colour: Array) -> Texture:
    """Bricks in running bond."""
    rows, columns = 16, 5
    texture = np.full((SIZE_PX, SIZE_PX, 3), 0.45, np.float32)
    high, wide = SIZE_PX / rows, SIZE_PX / columns
    for row in range(rows):
        for column in range(-1, columns):
            left, top = (column + row % 2 / 2) * wide, row * high
            tone = colour * np.exp(rng.normal(0, 0.18) + rng.normal(0, 0.05, 3))
            texture[int(top) : int(top + high - 7), max(0, int(left)) : max(0, int(left + wide - 7))] = tone
    return limited(texture * np.exp(0.08 * noise(rng, 120, 120) + 0.08 * noise(rng, 400, 400)))


def weave(rng: np.random.Generator, colour: Array) -> Texture:
    """Upholstery."""
    return limited(colour * np.exp(0.10 * noise(rng, 380, 380) + 0.05 * noise(rng, 60, 380) + 0.05 * noise(rng, 6, 6)))


def stripes(rng: np.random.Generator) -> Texture:
    """Cloth with stripes of a few colours."""
    colours = random_colours(rng, int(rng.integers(2, 5)))
    widths = rng.uniform(0.3, 1, len(colours) * 3)
    ends = (np.cumsum(widths) / widths.sum() * SIZE_PX).astype(int)
    texture = np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    for k, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        texture[start:end] = colours[k % len(colours)]
    return limited(texture * np.exp(0.1 * noise(rng, 384, 384)))


def spots(rng: np.random.Generator) -> Texture:
    """A carpet: worn, mottled, with a border pattern of diamonds or plain."""
    colours = random_colours(rng, 3)
    y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX
    count = int(rng.integers(1, 6))
    diamonds = np.abs((x * count) % 1 - 0.5) + np.abs((y * count) % 1 - 0.5)
    worn = diamonds[..., None] + 0.06 * noise(rng, 40, 40)
    level = np.where(worn < 0.22, 0, np.where(worn < 0.34, 1, 2))[..., 0]
    return limited(colours[level] * np.exp(0.18 * noise(rng, 384, 384) + 0.1 * noise(rng, 10, 10)))


def marble(rng: np.random.Generator, colour: Array) -> Texture:
    """Stone with veins."""
    field = noise(rng, 5, 5) + 0.5 * noise(rng, 14, 14) + 0.3 * noise(rng, 50, 50)
    veins = np.exp(-np.abs(field) * 14)
    return limited(colour * (1 - 0.4 * veins) * np.exp(0.05 * noise(rng, 20, 20) + 0.05 * noise(rng, 350, 350)))


def picture(rng: np.random.Generator) -> Texture:
    """Something to hang: bands and shapes with a white mount."""
    colours = random_colours(rng, 6)
    canvas = np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    canvas[:] = colours[0]
    for k in range(int(rng.integers(3, 14))):
        centre = tuple(int(v) for v in rng.integers(0, SIZE_PX, 2))
        size = rng.uniform(0.1, 0.7, 2) * SIZE_PX
        corners = cv2.boxPoints((centre, tuple(size), rng.choice([0.0, 0.0, rng.uniform(0, 180)]))).astype(np.int32)
        colour = colours[k % 6].tolist()
        if rng.random() < 0.6:
            cv2.fillPoly(canvas, [corners], colour, lineType=cv2.LINE_AA)
        else:
            cv2.circle(canvas, centre, int(size.min() / 2), colour, -1, lineType=cv2.LINE_AA)
    return limited(canvas * np.exp(0.12 * noise(rng, 60, 60) + 0.1 * noise(rng, 300, 300)))


def random_colours(rng: np.random.Generator, count: int) -> Array:
    """Muted colours that go together, (count, 3), with at least one pale."""
    tint = rng.uniform(0, 0.6) * (rng.random(3) - 0.5) + rng.normal(0, 0.12, (count, 3))
    lightness = np.concatenate([[rng.uniform(0.5, 0.75)], rng.uniform(0.03, 0.6, count - 1)])
    return limited(lightness[:, None] * np.exp(1.2 * tint))


def noise(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Smooth values (SIZE_PX, SIZE_PX, 1) around 0 with deviation 1, from a coarse grid of random ones."""
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    smooth = cv2.resize(coarse, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth / smooth.std())[..., None]


def limited(reflectance: NDArray[np.floating[Any]]) -> Array:
    """Reflectances that exist."""
    return np.asarray(np.clip(reflectance, 0.01, 0.9), np.float32)
