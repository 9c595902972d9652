"""Triangle meshes: panels, rounded blocks, turned solids, leaves, curtains. Lengths are metres, z is up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]
Points = NDArray[np.floating[Any]]
SHARP = 0.75  # cosine of the angle between neighbours above which a turned profile is smooth


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth normals and texture coordinates in metres."""

    vertices: Array
    """(n, 3)."""
    normals: Array
    """(n, 3), of unit length."""
    uv: Array
    """(n, 2)."""
    faces: NDArray[np.uint32]
    """(m, 3)."""

    def moved(self, x: float, y: float, z: float) -> "Mesh":
        """Shifted."""
        return Mesh(self.vertices + np.array([x, y, z], np.float32), self.normals, self.uv, self.faces)

    def turned(self, degrees: float) -> "Mesh":
        """Turned around the z axis, counter-clockwise from above."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return self._rotated(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]], np.float32))

    def tilted(self, degrees: float) -> "Mesh":
        """Turned around the x axis; what is above it goes towards +y."""
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        return self._rotated(np.array([[1, 0, 0], [0, c, s], [0, -s, c]], np.float32))

    def _rotated(self, matrix: Array) -> "Mesh":
        return Mesh(self.vertices @ matrix.T, self.normals @ matrix.T, self.uv, self.faces)


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


def legs(width: float, depth: float, height: float, thickness: float, y: float = 0.0) -> Mesh:
    """Four tapered legs under the corners of a rectangle whose back is at ``y``."""
    x, inset = width / 2 - thickness, thickness
    profile = [(thickness * 0.3, 0.0), (thickness * 0.5, height)]
    return join([lathe(profile, (sx * x, y + dy, 0), 12) for sx in (-1, 1) for dy in (inset, depth - inset)])


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


def grid(points: Points, normals: Points, uv: Points) -> Mesh:
    """A mesh over points of shape (rows, columns, 3)."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns, dtype=np.uint32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    flat = [np.ascontiguousarray(x.reshape(-1, x.shape[-1]), np.float32) for x in (points, normals, uv)]
    return Mesh(flat[0], flat[1], flat[2], faces)
