"""The materials of one room."""

from dataclasses import dataclass

import numpy as np

from training.data.rendering import textures
from training.data.rendering.scene import Material


@dataclass(frozen=True)
class Palette:
    """The materials of one room; pieces share them, as furniture of one taste does."""

    wood: Material
    fabric: Material
    accent: Material
    lacquer: Material
    metal: Material
    mirror: Material
    leaf: Material
    black: Material
    worktop: Material
    curtain: Material
    sheer: Material
    shade: Material
    """Lamp shades: emits when the lamps are on."""


def random_palette(rng: np.random.Generator) -> Palette:
    """Materials that go together."""
    brown = rng.choice(np.array([[0.45, 0.28, 0.14], [0.25, 0.13, 0.06], [0.6, 0.45, 0.28], [0.1, 0.06, 0.04]]))
    tint = 1 + rng.normal(0, 0.06, 3)
    grey = rng.uniform(0.06, 0.5)
    cloth = grey * np.exp(rng.normal(0, 0.12, 3))
    accent = textures.random_colours(rng, 2)[1]
    green = np.array([0.06, 0.16, 0.04]) * rng.uniform(0.6, 1.4)
    lacquer = rng.choice([0.82, 0.82, 0.75, 0.3, 0.06]) * (1 + rng.normal(0, 0.04, 3))
    return Palette(
        wood=Material(textures.wood(rng, np.asarray(brown * tint, np.float32)), 0.9, roughness=rng.uniform(0.25, 0.6)),
        fabric=Material(textures.weave(rng, np.asarray(cloth, np.float32)), 0.6),
        accent=Material(textures.weave(rng, np.asarray(accent, np.float32)), 0.5),
        lacquer=Material(np.clip(lacquer, 0.02, 0.85), roughness=rng.uniform(0.12, 0.5)),
        metal=Material(np.array([0.75, 0.73, 0.7]) * rng.uniform(0.5, 1), roughness=rng.uniform(0.1, 0.4), metallic=1),
        mirror=Material(np.array([0.9, 0.91, 0.9]), roughness=0.02, metallic=1),
        leaf=Material(green, roughness=0.45),
        black=Material(np.full(3, 0.02), roughness=0.12),
        worktop=Material(
            textures.marble(rng, np.float32(rng.uniform(0.1, 0.75)) * np.ones(3, np.float32)), 1.2, roughness=0.2
        ),
        curtain=Material(textures.weave(rng, textures.random_colours(rng, 1)[0]), 0.5, translucency=0.06),
        sheer=Material(np.full(3, 0.75), translucency=0.35),
        shade=Material(np.array([0.8, 0.77, 0.7]), translucency=0.3),
    )


def floor_material(rng: np.random.Generator) -> Material:
    """Boards, tiles, carpet or stone; mostly a little glossy."""
    kind, gloss = rng.random(), rng.uniform(0.08, 0.6)
    base = np.array([0.5, 0.34, 0.2]) * np.exp(rng.normal(-0.2, 0.45) + rng.normal(0, 0.06, 3))
    grey = np.full(3, rng.uniform(0.15, 0.6)) * (1 + rng.normal(0, 0.05, 3))
    if kind < 0.55:
        return Material(textures.planks(rng, np.asarray(base, np.float32)), rng.uniform(0.9, 1.8), gloss + 0.1)
    if kind < 0.8:
        other = grey * rng.choice([1, 1, 1, 0.3])
        return Material(textures.tiles(rng, grey.astype(np.float32), other.astype(np.float32)), 2.4, gloss)
    if kind < 0.92:
        return Material(textures.weave(rng, grey.astype(np.float32)), 0.8)
    return Material(textures.marble(rng, grey.astype(np.float32)), 2.5, gloss * 0.5)


def wall_materials(rng: np.random.Generator, count: int) -> list[Material]:
    """One per wall: all alike, but for an accent wall now and then."""
    pale = rng.uniform(0.6, 0.82) * (1 - rng.uniform(0, 0.12) * rng.random(3))
    colour = pale if rng.random() < 0.7 else textures.random_colours(rng, 1)[0] * rng.uniform(0.5, 1.1)
    plain = Material(textures.plaster(rng, np.asarray(colour, np.float32)), 2.5)
    materials = [plain] * count
    if rng.random() < 0.3:
        bold = np.asarray(textures.random_colours(rng, 2)[1], np.float32)
        brick = textures.bricks(rng, np.array([0.4, 0.16, 0.09], np.float32))
        accent = Material(brick, 1.2) if rng.random() < 0.3 else Material(textures.plaster(rng, bold), 2.5)
        materials[int(rng.integers(count))] = accent
    return materials
