"""Artificial light of mixed colour."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixels.light import LUMINANCE
from training.data.rendering.meshes import Array, lathe
from training.data.rendering.scene import Material, Part
from training.data.rooms.room import Room
from training.data.rooms.windows import window_frames


def light(room: Room) -> None:
    """Lamps of mixed colour; those in shades shine, and others may sit in the ceiling."""
    rng = room.rng
    dark = room.night or len(window_frames(room)) == 0
    on = dark or rng.random() < 0.65
    warm = rng.choice([2500, 2700, 3000, 3000, 3500, 4000])
    for index, part in enumerate(room.parts):
        if part.material is not room.palette.shade or not on:
            continue
        glow = kelvin_to_rgb(warm * rng.uniform(0.92, 1.12)) * rng.uniform(2, 7)
        room.parts[index] = Part(part.mesh, Material(part.material.reflectance, emission=glow))
    kind = rng.random()
    if kind < 0.4:
        add_downlights(room, kelvin_to_rgb(rng.choice([2700, 3000, 4000, 5000])) * rng.uniform(50, 200) * on)
    elif kind < 0.8 or dark:
        add_ceiling_lamp(room, kelvin_to_rgb(rng.choice([2700, 3000, 4000, 5000])) * rng.uniform(4, 14) * on)


def add_downlights(room: Room, radiance: NDArray[np.floating[Any]]) -> None:
    """A regular grid of small round lights in the ceiling."""
    rng, ceiling = room.rng, room.height
    counts = np.maximum(1, np.round(room.size / rng.uniform(1.2, 2.0))).astype(int)
    places = [((i + 0.5) / counts[0], (j + 0.5) / counts[1]) for i in range(counts[0]) for j in range(counts[1])]
    trim = Material(np.full(3, 0.8), roughness=0.3)
    lit = Material(np.full(3, 0.7), emission=radiance if radiance.any() else None)
    for x, y in (room.size * np.array(place) for place in places):
        if room.contains(np.array([[x - 0.1, y - 0.1], [x + 0.1, y + 0.1]])).all():
            ring = lathe([(0.035, 0.0), (0.04, -0.006), (0.055, -0.006), (0.056, 0.0)][::-1], (x, y, ceiling), 24)
            disk = lathe([(1e-3, -0.002), (0.036, -0.002)], (x, y, ceiling), 24)
            room.parts += [Part(ring, trim), Part(disk, lit)]


def add_ceiling_lamp(room: Room, radiance: NDArray[np.floating[Any]]) -> None:
    """A flat round lamp in the middle of the ceiling."""
    radius = room.rng.uniform(0.14, 0.25)
    x, y = room.floors[0][0] + room.floors[0][1] / 2
    bowl = [(1e-3, -0.09), (radius * 0.7, -0.085), (radius * 0.95, -0.06), (radius, -0.02), (radius, 0.0)]
    glass = Material(np.full(3, 0.8), roughness=0.3, emission=radiance if radiance.any() else None)
    room.parts.append(Part(lathe(bowl, (x, y, room.height), 40), glass))


def kelvin_to_rgb(kelvin: float) -> Array:
    """Linear RGB of luminance 1 of a black body, 1667 to 25000 K; 6500 K is about white.

    Kim et al., "Design of Advanced Color Temperature Control System", 2002: the Planckian locus in CIE xy.
    """
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    xyz = np.array([x / y, 1, (1 - x - y) / y])
    to_srgb = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    rgb = np.maximum(to_srgb @ xyz, 0)
    return np.asarray(rgb / (rgb @ LUMINANCE), np.float32)
