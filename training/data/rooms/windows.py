"""Windows: frames in their recesses, what hangs and stands before them, and the light that they let in."""

import numpy as np

from training.data.rendering.meshes import Array, Mesh, block, drape, join
from training.data.rendering.scene import Material, Part
from training.data.rooms.furniture.accessories import radiator
from training.data.rooms.pieces import Box
from training.data.rooms.room import Room
from training.data.rooms.walls import Opening, Wall

THICKNESS = 0.22
"""Of the outer walls."""


def build_window(room: Room, wall: Wall, opening: Opening, white: Material) -> None:
    """A recess with frame, bars and sill, and what hangs or stands before it."""
    rng, middle = room.rng, opening.left + opening.width / 2
    frame = join(frame_of(opening, rng))
    room.parts.append(on_wall(join(recess_of(opening)), wall, white))
    room.parts.append(on_wall(frame, wall, white if rng.random() < 0.8 else room.palette.black))
    covered = hang_at_window(room, wall, opening)
    if not covered and opening.bottom > 0.7 and rng.random() < 0.7:
        heater = radiator(min(opening.width, rng.uniform(0.6, 1.4)), white)
        room.stand(heater, wall.point(middle, 0.02, 0), wall.yaw_deg)


def recess_of(opening: Opening) -> list[Mesh]:
    """The cut through the wall: two cheeks, bottom and top."""
    left, right, middle = opening.left, opening.left + opening.width, opening.left + opening.width / 2
    y, ends = -THICKNESS / 2, (opening.bottom - 0.02, opening.bottom + opening.height)
    cheeks = [block((0.02, THICKNESS, opening.height), (x, y, opening.bottom)) for x in (left - 0.01, right + 0.01)]
    return cheeks + [block((opening.width, THICKNESS, 0.02), (middle, y, z)) for z in ends]


def frame_of(opening: Opening, rng: np.random.Generator) -> list[Mesh]:
    """Bars around the panes and between them, and a sill."""
    left, bottom, width, height = opening.left, opening.bottom, opening.width, opening.height
    middle, y, bar = left + width / 2, -THICKNESS * 0.7, rng.uniform(0.04, 0.07)
    frame = [block((bar, 0.06, height), (left + bar / 2 + k * (width - bar), y, bottom)) for k in (0, 1)]
    frame += [block((width, 0.06, bar), (middle, y, bottom + k * (height - bar))) for k in (0, 1)]
    for x in np.linspace(left, left + width, 1 + max(1, round(width / 0.8)))[1:-1]:
        frame.append(block((bar, 0.06, height), (x, y, bottom)))
    if rng.random() < 0.3:
        frame.append(block((width, 0.05, bar * 0.7), (middle, y, bottom + height * 0.7)))
    if bottom > 0.3:
        frame.append(block((width + 0.1, 0.24, 0.03), (middle, -0.06, bottom - 0.02), 0.008))
    return frame


def hang_at_window(room: Room, wall: Wall, opening: Opening) -> bool:
    """Curtains, sheers or blinds, or nothing; whether the wall beside the window is covered."""
    if room.dressing == "blinds":
        hang_blinds(room, wall, opening)
    ends = (opening.left, opening.left + opening.width)
    take(room, wall, ends, (max(0.0, opening.bottom - 0.05), opening.bottom + opening.height), 0.15)
    if room.dressing == "curtains":
        hang_curtains(room, wall, opening)
    return room.dressing == "curtains"


def hang_blinds(room: Room, wall: Wall, opening: Opening) -> None:
    """Tilted slats in the recess, let down some way."""
    rng, top = room.rng, opening.bottom + opening.height
    heights = np.arange(opening.bottom + 0.05, top - 0.02, 0.05)
    heights = heights[heights > top - rng.uniform(0.2, 1) * opening.height]
    if heights.size:
        slat = block((opening.width - 0.04, 0.045, 0.003), (0, 0, 0)).tilted(rng.uniform(-40, 40))
        slats = [slat.moved(opening.left + opening.width / 2, -0.06, z) for z in heights]
        room.parts.append(on_wall(join(slats), wall, Material(np.full(3, 0.7), roughness=0.4)))


def hang_curtains(room: Room, wall: Wall, opening: Opening) -> None:
    """A curtain on either side, on a rail, with a sheer between them now and then."""
    rng, left, width = room.rng, opening.left, opening.width
    rail, spare = opening.bottom + opening.height + 0.1, min(0.4, left - 0.03, wall.length - left - width - 0.03)
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


def on_wall(mesh: Mesh, wall: Wall, material: Material) -> Part:
    """A mesh in the wall's coordinates (along, into the room, up), in the room's."""
    return Part(mesh.turned(wall.yaw_deg).moved(*wall.point(0, 0, 0)), material)


def take(
    room: Room, wall: Wall, along: tuple[float, float], up: tuple[float, float], away: float, solid: bool = True
) -> None:
    """Keep furniture out of a space at a wall."""
    ends = np.stack([wall.point(along[0], 0, up[0]), wall.point(along[1], away, up[1])])
    room.taken.append(Box(ends.min(0), ends.max(0), solid))


def window_frames(room: Room) -> Array:
    """The openings that light comes through, (n, 4, 3): corner, along, up, inward normal."""
    frames = [
        [wall.point(o.left, 0, o.bottom), [*(o.width * wall.along), 0], [0, 0, o.height], [*wall.inward, 0]]
        for wall in room.walls
        for o in wall.openings
        if not o.is_door
    ]
    return np.array(frames, np.float32).reshape(-1, 4, 3)
