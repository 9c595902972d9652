"""Floor, ceiling, walls, skirting and doors."""

from collections.abc import Iterator

import numpy as np

from training.data.rendering import textures
from training.data.rendering.meshes import Mesh, block, join, panel
from training.data.rendering.scene import Material, Part
from training.data.rooms.palette import floor_material, wall_materials
from training.data.rooms.room import Room
from training.data.rooms.walls import DOOR_HEIGHT, Opening, Wall
from training.data.rooms.windows import build_window, on_wall, take


def build_shell(room: Room) -> None:
    """Floor, ceiling, walls with their openings, skirting."""
    rng = room.rng
    white = Material(np.full(3, rng.uniform(0.75, 0.85)), roughness=0.35)
    ceiling = Material(textures.plaster(rng, np.full(3, rng.uniform(0.75, 0.86), np.float32)), 2.5)
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


def wall_panels(wall: Wall, height: float) -> Iterator[Mesh]:
    """The wall's surface around its openings."""

    def piece(s0: float, s1: float, z0: float, z1: float) -> Mesh:
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
