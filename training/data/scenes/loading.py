"""Interiors in Mitsuba: shapes from their scene files, daylight and lamps from here."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from training.data.fusion import Radiance
from training.data.rendering.daylight import daylight
from training.data.rendering.meshes import Array
from training.data.rooms.lamps import kelvin_to_rgb
from training.data.scenes.description import LAMP, WINDOW
from training.data.scenes.openings import find_openings
from training.data.scenes.viewpoints import Cast, Floats

SHARPER = 3
"""How much finer panoramas are made, smoothly, before windows show them magnified."""


@dataclass(frozen=True)
class Lighting:
    """What lights a room."""

    outside: Radiance
    """Panorama (H, 2H, 3), linear, as in :class:`training.data.rendering.scene.Scene`."""
    lamps_flux: float
    """Of all lamps together, radiance times area; 0 is off."""
    lamps_kelvin: float
    """Colour temperature."""


def load_shapes(mi: Any, scene: ET.Element, folder: Path) -> list[Any]:
    """Mitsuba's shapes of a prepared scene.

    Args:
        mi: Mitsuba, its back end chosen.
        scene: root of the prepared description.
        folder: where its meshes and textures lie.
    """
    path = folder / "prepared.xml"
    ET.ElementTree(scene).write(path)
    return list(mi.load_file(str(path)).shapes())


def assemble(mi: Any, shapes: list[Any], lighting: Lighting, inside: tuple[float, float, float]) -> dict[str, Any]:
    """Mitsuba's dictionary of the room in its light: no stand-ins, lamps scaled, the panorama outside."""
    lamps = [shape for shape in shapes if shape.id().startswith(LAMP)]
    area = sum(float(np.ravel(shape.surface_area())[0]) for shape in lamps)
    radiance = lighting.lamps_flux / max(area, 1e-6) * kelvin_to_rgb(lighting.lamps_kelvin)
    for lamp in lamps:
        values = mi.traverse(lamp.emitter())
        values["radiance.value"] = mi.Color3f([float(x) for x in radiance])
        values.update()
    solid = {f"shape_{k}": s for k, s in enumerate(shapes) if not s.id().startswith(WINDOW)}
    return {**daylight(mi, smoothed(lighting.outside), windows_of(mi, shapes, inside)), **solid}


def windows_of(mi: Any, shapes: list[Any], inside: tuple[float, float, float]) -> Array:
    """Openings (n, 4, 3), as :func:`~training.data.rendering.daylight.daylight` takes them: known, or found by rays."""
    frames = [opening(corners(mi, shape), np.array(inside)) for shape in shapes if shape.id().startswith(WINDOW)]
    if not frames:
        return find_openings(caster(mi, shapes), inside, seed=0)
    return np.array(frames, np.float32)


def corners(mi: Any, shape: Any) -> Floats:
    """Vertices (n, 3) of a flat shape."""
    values = mi.traverse(shape)
    if "vertex_positions" in values:
        return np.array(values["vertex_positions"], float).reshape(-1, 3)
    square = np.array([[-1, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]], float)
    matrix = np.array(values["to_world"].matrix, float).reshape(4, 4)
    return np.asarray((square @ matrix.T)[:, :3])


def opening(points: Floats, inside: Floats) -> Floats:
    """Corner, along, up and inward unit normal, (4, 3), of a flat rectangle, from points that include its corners."""
    first = points[np.argmax(np.linalg.norm(points - points.mean(0), axis=1))]
    away = points - first
    opposite = away[np.argmax(np.linalg.norm(away, axis=1))]
    along = away[np.argmax(np.linalg.norm(np.cross(away, opposite), axis=1))]
    up = opposite - along
    normal = np.cross(along, up) / np.linalg.norm(np.cross(along, up))
    return np.stack([first, along, up, normal * np.sign((inside - first) @ normal)])


def smoothed(panorama: Radiance) -> Radiance:
    """A finer panorama without stairs: cubic in the logarithm, so that nothing overshoots below zero."""
    wanted = (panorama.shape[1] * SHARPER, panorama.shape[0] * SHARPER)
    finer = cv2.resize(np.log(panorama + 1e-4), wanted, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(np.exp(finer) - 1e-4, 0), np.float32)


def caster(mi: Any, shapes: list[Any]) -> Cast:
    """Casts rays into a room."""
    import drjit as dr

    scene = mi.load_dict({"type": "scene", **{f"shape_{k}": shape for k, shape in enumerate(shapes)}})

    def cast(origins: Floats, directions: Floats) -> tuple[Floats, Any]:
        rays = mi.Ray3f(mi.Point3f(origins.T.astype(np.float32)), mi.Vector3f(directions.T.astype(np.float32)))
        hit = scene.ray_intersect_preliminary(rays, coherent=False)
        things = dr.reinterpret_array(mi.UInt32, hit.shape)
        return np.array(hit.t, float), np.array(things, np.int64)

    return cast
