"""What stands where: sofas before televisions, tables under lamps, chairs around tables, pictures at eye height."""

from collections.abc import Callable, Sequence

import numpy as np

from training.data.rooms.furniture import accessories, seating, storage, tables
from training.data.rooms.palette import Palette
from training.data.rooms.pieces import Piece, outline
from training.data.rooms.room import Room
from training.data.rooms.walls import Vector, Wall

Maker = Callable[[np.random.Generator, Palette], Piece]


def furnish_living(room: Room) -> None:
    """Sofa with a table on a rug, something to watch, something to read."""
    rng, palette = room.rng, room.palette
    seat = seating.sofa(rng, palette, int(rng.integers(2, 4)))
    place = room.lean(seat, 0.05)
    if place is not None:
        wall, s = place
        low = tables.table(rng, palette, rng.uniform(0.8, 1.2), rng.uniform(0.5, 0.7), rng.uniform(0.35, 0.45))
        room.stand(low, wall.point(s, seat.depth + 0.45, 0), wall.yaw_deg)
        lay_rug(room, wall.point(s, seat.depth - 0.25, 0), wall.yaw_deg, seat.width + 0.3, 1.7)
        beside = s + rng.choice([-1, 1]) * (seat.width / 2 + 0.32)
        room.stand(accessories.floor_lamp(rng, palette), wall.point(beside, 0.05, 0), wall.yaw_deg)
    else:
        room.float(seat)
    lean_some(
        room,
        [
            (storage.television, 0.8),
            (lambda r, p: seating.sofa(r, p, 1), 0.6),
            (storage.shelf, 0.8),
            (storage.sideboard, 0.7),
        ],
    )
    if room.size.prod() > 17 and rng.random() < 0.7:
        furnish_dining(room)


def furnish_bedroom(room: Room) -> None:
    """Bed, night tables, wardrobe."""
    rng, palette = room.rng, room.palette
    sleeper = seating.bed(rng, palette)
    place = room.lean(sleeper)
    if place is not None:
        wall, s = place
        for side in (-1, 1):
            small = storage.night_table(rng, palette)
            room.stand(small, wall.point(s + side * ((sleeper.width + small.width) / 2 + 0.06), 0.02, 0), wall.yaw_deg)
        hang(room, accessories.framed(rng, palette, False), wall, s, 1.5)
        if rng.random() < 0.6:
            lay_rug(room, wall.point(s, 1.1, 0), wall.yaw_deg, sleeper.width + 1.2, 1.7)
    lean_some(
        room,
        [
            (storage.wardrobe, 0.85),
            (storage.sideboard, 0.5),
            (tables.desk, 0.3),
            (lambda r, p: seating.sofa(r, p, 1), 0.3),
        ],
    )


def furnish_dining(room: Room) -> None:
    """A table with chairs under a pendant lamp."""
    rng, palette = room.rng, room.palette
    group = tables.dining_set(rng, palette)
    if room.float(group):
        box = room.taken[-1]
        middle = (box.low + box.high) / 2
        if rng.random() < 0.4:
            lay_rug(room, np.array([middle[0], box.low[1] - 0.2, 0]), 0, *(box.high - box.low)[:2] + 0.4)
        if rng.random() < 0.75:
            hang_lamp(room, middle, room.height - rng.uniform(1.6, 1.75))
    lean_some(room, [(storage.sideboard, 0.8), (storage.shelf, 0.5)])


def furnish_kitchen(room: Room) -> None:
    """A row of units along a wall, a tall one, a place to eat."""
    rng, palette = room.rng, room.palette
    for _ in range(12):
        width = rng.uniform(1.8, 3.6)
        if room.lean(storage.kitchen(rng, palette, width, uppers=True)) is not None:
            break
    if rng.random() < 0.8:
        room.lean(storage.cabinet(rng, palette, 0.6, 0.62, rng.uniform(1.9, 2.1), 1, 0.05))
    furnish_dining(room)


def furnish_office(room: Room) -> None:
    """A desk and shelves."""
    lean_some(
        room,
        [
            (tables.desk, 1.0),
            (storage.shelf, 0.9),
            (storage.shelf, 0.5),
            (lambda r, p: seating.sofa(r, p, 2), 0.5),
            (storage.sideboard, 0.5),
        ],
    )


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


def decorate(room: Room) -> None:
    """Pictures, a mirror, plants: what every kind of room may have."""
    rng, palette = room.rng, room.palette
    for _ in range(int(rng.integers(1, 7))):
        wall = room.walls[int(rng.integers(len(room.walls)))]
        piece = accessories.framed(rng, palette, mirror=bool(rng.random() < 0.2))
        hang(room, piece, wall, rng.uniform(0, wall.length), rng.uniform(1.65, 1.75) - piece.height / 2)
    for _ in range(int(rng.integers(0, 3))):
        room.lean(accessories.plant(rng, palette), 0.05)


def lean_some(room: Room, choices: Sequence[tuple[Maker, float]]) -> None:
    """Put each of some pieces against a wall, with its probability."""
    for make, chance in choices:
        if room.rng.random() < chance:
            room.lean(make(room.rng, room.palette), 0.03)


def lay_rug(room: Room, back: Vector, yaw_deg: float, width: float, depth: float) -> None:
    """A rug, where all of it lies on the floor; furniture stands on it."""
    piece = accessories.rug(room.rng, width, depth)
    if room.has_floor(outline(piece, back, yaw_deg)):
        room.parts += [part.turned(yaw_deg).moved(*back) for part in piece.parts]


def hang(room: Room, piece: Piece, wall: Wall, s: float, z: float) -> bool:
    """Hang a piece on a wall, where it fits."""
    if not piece.width / 2 < s < wall.length - piece.width / 2 or z + piece.height > room.height - 0.1:
        return False
    return room.stand(piece, wall.point(s, 0.004, z), wall.yaw_deg)


def hang_lamp(room: Room, place: Vector, drop: float) -> None:
    """A lamp from the ceiling above a place."""
    piece = accessories.pendant(room.rng, room.palette, drop)
    room.parts += [part.moved(place[0], place[1], room.height) for part in piece.parts]
