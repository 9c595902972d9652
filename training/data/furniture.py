"""Furniture for rendered rooms: meshes with soft edges, and plausible pieces built from them.

Lengths are metres, z is up. A piece stands with its back at y = 0, looks along +y, and is centred on x = 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.data.rendering import Material, Mesh, Part, picture, spots, stripes

Points = NDArray[np.floating[Any]]
SHARP = 0.75  # cosine of the angle between neighbours above which a turned profile is smooth


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


@dataclass(frozen=True)
class Piece:
    """A piece of furniture and the room it takes."""

    parts: tuple[Part, ...]
    width: float
    depth: float
    height: float


def grid(points: Points, normals: Points, uv: Points) -> Mesh:
    """A mesh over points of shape (rows, columns, 3)."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns, dtype=np.uint32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    flat = [np.ascontiguousarray(x.reshape(-1, x.shape[-1]), np.float32) for x in (points, normals, uv)]
    return Mesh(flat[0], flat[1], flat[2], faces)


def panel(corner: ArrayLike, along: ArrayLike, up: ArrayLike, uv_from: tuple[float, float]) -> Mesh:
    """A rectangle; its normal is along × up, its texture is in metres from ``uv_from``."""
    u, v = np.asarray(along, float), np.asarray(up, float)
    points = np.asarray(corner, float) + np.stack([[0 * u, u], [v, u + v]])
    normal = np.cross(u, v)
    length, height = np.linalg.norm(u), np.linalg.norm(v)
    uv = np.asarray(uv_from) + np.array([[[0, 0], [length, 0]], [[0, height], [length, height]]])
    return grid(points, np.broadcast_to(normal / np.linalg.norm(normal), points.shape), uv)


def block(size: tuple[float, float, float], at: tuple[float, float, float], rounding: float = 0.004) -> Mesh:
    """A box with rounded edges that stands centred on ``at``."""
    half = np.asarray(size) / 2
    radius = min(rounding, 0.98 * half.min())
    arc = radius * np.tan(np.radians(np.linspace(45, 0, 2 if rounding < 0.02 else 5)))
    sides = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        cu, cv = (np.concatenate([-(half[k] - radius) - arc, (half[k] - radius) + arc[::-1]]) for k in (u, v))
        for sign in (-1, 1):
            points = np.empty((len(cv), len(cu), 3))
            points[..., u], points[..., v], points[..., axis] = sign * cu[None, :], cv[:, None], sign * half[axis]
            inner = np.clip(points, -half + radius, half - radius)
            normals = points - inner
            normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
            uv = points[..., [u, v] if axis == 0 else [v, u]]  # grain runs up, and along x on the top
            sides.append(grid(inner + radius * normals, normals, uv))
    return join(sides).moved(at[0], at[1], at[2] + half[2])


def lathe(profile: Sequence[tuple[float, float]], at: tuple[float, float, float], segments: int = 32) -> Mesh:
    """A turned solid around the z axis through ``at``: (radius, height) from bottom to top."""
    line = np.asarray(profile, float)
    run = np.diff(line, axis=0)
    outward = np.stack([run[:, 1], -run[:, 0]], -1) / np.linalg.norm(run, axis=1, keepdims=True)
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    rings = []
    for k in range(len(run)):
        ends = [outward[k], outward[k]]
        for end, other in ((0, k - 1), (1, k + 1)):
            if 0 <= other < len(run) and outward[k] @ outward[other] > SHARP:
                ends[end] = outward[k] + outward[other]
        slope = np.stack([n / np.linalg.norm(n) for n in ends])
        radius, height = line[k : k + 2, 0, None], line[k : k + 2, 1, None] + 0 * angle
        points = np.stack([radius * np.cos(angle), radius * np.sin(angle), height], -1)
        normals = np.stack([slope[:, :1] * np.cos(angle), slope[:, :1] * np.sin(angle), slope[:, 1:] + 0 * angle], -1)
        rings.append(grid(points, normals, np.stack([radius * 0 + angle * line[:, 0].max(), height], -1)))
    return join(rings).moved(*at)


def ball(radius: float, at: tuple[float, float, float]) -> Mesh:
    """A sphere that stands on ``at``."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    return lathe([(max(1e-4, radius * np.cos(a)), radius * (1 + np.sin(a))) for a in angle], at, 24)


def leaf(length: float, width: float, yaw: float, lift: float) -> Mesh:
    """A bent blade from the origin outwards."""
    t, s = np.linspace(0, 1, 7)[:, None], np.linspace(-1, 1, 3)[None, :]
    half = width / 2 * np.sin(np.pi * np.clip(t, 0.02, 0.99)) ** 0.7
    along, up = length * t * np.cos(lift) + 0 * s, length * (t * np.sin(lift) - 0.45 * t**2) - 0.15 * half * np.abs(s)
    points = np.stack([along, half * s, up + 0 * s], -1)
    across = np.gradient(points, axis=1)
    normals = np.cross(np.gradient(points, axis=0), across)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-9
    return grid(points, normals, points[..., :2]).turned(yaw)


def drape(width: float, height: float, folds: float, phase: float) -> Mesh:
    """A hanging curtain from (0, 0, 0): along +x and up, with waves along y."""
    x = np.linspace(0, 1, int(24 * max(2.0, folds)))[None, :]
    z = np.linspace(0, 1, 2)[:, None]
    wave = 0.035 * np.sin(2 * np.pi * folds * x + phase + 0.8 * np.sin(7 * x)) * (1 - 0.25 * z)
    points = np.stack([width * x + 0 * z, wave, height * z + 0 * x], -1)
    slope = np.gradient(points, axis=1)
    normals = np.stack([slope[..., 1], -slope[..., 0], 0 * slope[..., 0]], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return grid(points, normals, np.stack([1.6 * width * x + 0 * z, height * z + 0 * x], -1))


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([mesh.faces + np.uint32(offset) for mesh, offset in zip(meshes, offsets, strict=False)]),
    )


def legs(width: float, depth: float, height: float, thickness: float, y: float = 0.0) -> Mesh:
    """Four tapered legs under the corners of a rectangle whose back is at ``y``."""
    x, inset = width / 2 - thickness, thickness
    profile = [(thickness * 0.3, 0.0), (thickness * 0.5, height)]
    return join([lathe(profile, (sx * x, y + dy, 0), 12) for sx in (-1, 1) for dy in (inset, depth - inset)])


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


def lamp(rng: np.random.Generator, palette: Palette, height: float, y: float) -> list[Part]:
    """A stand, from y on the floor or a surface, with a conical shade on top."""
    wide, shade = 0.1 + 0.07 * height, 0.16 + 0.06 * height
    stand = [(wide * 0.8, 0.0), (wide * 0.8, 0.02), (0.012, 0.03), (0.012, height - shade * 0.4)]
    cone = [(wide * 1.15, height - shade), (wide * 0.85, height)]
    return [Part(lathe(stand, (0, y, 0), 24), palette.metal), Part(lathe(cone, (0, y, 0), 40), palette.shade)]


def floor_lamp(rng: np.random.Generator, palette: Palette) -> Piece:
    """A lamp as tall as a person."""
    height = rng.uniform(1.4, 1.7)
    return Piece(tuple(lamp(rng, palette, height, 0.26)), 0.52, 0.52, height)


def night_table(rng: np.random.Generator, palette: Palette) -> Piece:
    """A small chest with a lamp on it."""
    base = cabinet(rng, palette, rng.uniform(0.4, 0.5), 0.38, rng.uniform(0.45, 0.55), 1, 0.12)
    light = [part.moved(0, 0, base.height) for part in lamp(rng, palette, rng.uniform(0.38, 0.5), 0.19)]
    return Piece((*base.parts, *light), base.width, base.depth, base.height + 0.5)


def sideboard(rng: np.random.Generator, palette: Palette) -> Piece:
    """A chest with something on it."""
    base = cabinet(rng, palette, rng.uniform(0.9, 1.8), 0.42, rng.uniform(0.7, 0.95), int(rng.integers(2, 5)), 0.12)
    things = decoration(rng, palette, base.height, base.width * 0.35, 0.2)
    return Piece((*base.parts, *things), base.width, base.depth, base.height)


def wardrobe(rng: np.random.Generator, palette: Palette) -> Piece:
    """A tall cupboard."""
    doors = int(rng.integers(2, 5))
    return cabinet(rng, palette, doors * rng.uniform(0.45, 0.55), 0.6, rng.uniform(1.9, 2.25), doors, 0.06)


def framed(rng: np.random.Generator, palette: Palette, mirror: bool) -> Piece:
    """A picture or a mirror in a frame, to hang."""
    width, height = sorted(rng.uniform(0.35, 1.1, 2), reverse=bool(rng.random() < 0.5))
    edge, frame = rng.uniform(0.015, 0.05), palette.wood if rng.random() < 0.5 else palette.black
    bars = [block((width, 0.03, edge), (0, 0.017, z), 0.004) for z in (0, height - edge)]
    bars += [block((edge, 0.03, height), (s * (width - edge) / 2, 0.017, 0), 0.004) for s in (-1, 1)]
    inner = panel((-width / 2, 0.018, 0), (width, 0, 0), (0, 0, height), (0, 0))
    art = Material(picture(rng), metres=max(width, height), roughness=0.3 if rng.random() < 0.5 else None)
    return Piece((Part(join(bars), frame), Part(inner, palette.mirror if mirror else art)), width, 0.035, height)


def pendant(rng: np.random.Generator, palette: Palette, drop: float) -> Piece:
    """A lamp hanging by ``drop`` metres from (0, 0, 0)."""
    radius = rng.uniform(0.12, 0.24)
    cable = lathe([(0.004, -drop), (0.004, 0)], (0, 0, 0), 8)
    if rng.random() < 0.5:
        bulb = ball(radius, (0, 0, -drop - 2 * radius))
    else:
        bulb = lathe([(radius * 1.4, -drop - radius), (radius, -drop)], (0, 0, 0), 40)
    return Piece((Part(cable, palette.black), Part(bulb, palette.shade)), 3 * radius, 3 * radius, drop)


def radiator(width: float, material: Material) -> Piece:
    """A column radiator."""
    count = max(3, round(width / 0.06))
    columns = [block((0.045, 0.08, 0.5), (x, 0.07, 0.1), 0.02) for x in (np.arange(count) - (count - 1) / 2) * 0.06]
    rails = [block((count * 0.06, 0.05, 0.05), (0, 0.07, z), 0.02) for z in (0.13, 0.52)]
    return Piece((Part(join([*columns, *rails]), material),), count * 0.06, 0.12, 0.62)


def rug(rng: np.random.Generator, width: float, depth: float) -> Piece:
    """A flat carpet."""
    cloth = stripes(rng) if rng.random() < 0.4 else spots(rng)
    flat = block((width, depth, 0.012), (0, depth / 2, 0), 0.004)
    return Piece((Part(flat, Material(cloth, metres=rng.uniform(0.8, 1.6))),), width, depth, 0.012)


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
    light = [part.moved(board.width * 0.38, 0, 0.74) for part in lamp(rng, palette, 0.42, 0.15)]
    one = [part.turned(180 + 12).moved(0, 1.05, 0) for part in chair(rng, palette, palette.fabric).parts]
    return Piece((*board.parts[:2], Part(join(screen), palette.black), *light, *one), board.width, 1.1, 1.2)
