"""A furnished room from a seed."""

import numpy as np

from training.data.rooms.lamps import light
from training.data.rooms.layout import KINDS, SHARES, decorate
from training.data.rooms.palette import random_palette
from training.data.rooms.room import Room
from training.data.rooms.shell import build_shell
from training.data.rooms.walls import walls_around, with_openings


def furnished_room(seed: int, number: int) -> Room:
    """Room ``number`` of a set, the same every time."""
    room = bare_room(np.random.default_rng((seed, number)))
    build_shell(room)
    KINDS[room.kind](room)
    decorate(room)
    light(room)
    return room


def bare_room(rng: np.random.Generator) -> Room:
    """Floor plan, materials and purpose."""
    size = np.array([rng.uniform(3.4, 6.8), rng.uniform(3.1, 5.2)])
    height = rng.uniform(2.4, 3.1)
    l_shaped = size.prod() > 16 and rng.random() < 0.35
    cut = size * rng.uniform(0.25, 0.5, 2) if l_shaped else np.zeros(2)
    return Room(
        rng,
        size,
        cut,
        height,
        walls=with_openings(walls_around(size, cut), height, rng),
        palette=random_palette(rng),
        dressing=str(rng.choice(["curtains", "blinds", "none"], p=[0.6, 0.15, 0.25])),
        kind=str(rng.choice(list(KINDS), p=SHARES)),
        night=bool(rng.random() < 0.12),
    )
