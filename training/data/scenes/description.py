"""Scene files: what is changed in Mitsuba's XML before an interior is loaded.

All interiors stand with y up, light enters through stand-ins (white planes behind the windows, skies of their own), and
most lamps are off. After these edits z is up, planes and lamps carry names by which they are found again, and skies,
cameras and integrators are gone.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.scenes.catalogue import Interior

WINDOW, LAMP = "window-", "lamp-"
"""Beginnings of the identifiers of what stands for daylight, and of what shines."""
LEAST_DAYLIGHT = 5.0
"""Radiance of a stand-in for daylight; dimmer planes are fill lights, which no house has."""
VARIED_SHARE = 0.4
"""Of the plain materials, that a variant changes."""
REFLECTANCES = ("reflectance", "diffuseReflectance", "diffuse_reflectance")
DARKEST, LIGHTEST = 0.02, 0.88
"""Bounds of a varied reflectance."""


def read(path: Path) -> ET.Element:
    """The root of a scene file."""
    return ET.parse(path).getroot()


def authors_eye(scene: ET.Element) -> tuple[float, float, float]:
    """Where the author's camera stands, z up: a point that is surely inside the room."""
    matrix = scene.find("sensor/transform/matrix")
    if matrix is None:
        raise ValueError("the scene has no camera with a matrix")
    entries = [float(entry) for entry in matrix.attrib["value"].split()]
    return entries[3], -entries[11], entries[7]


def prepare(scene: ET.Element, interior: Interior) -> None:
    """Make z up, name windows and lamps, and take out what is replaced."""
    for tag in ("sensor", "integrator", "emitter"):
        for element in scene.findall(tag):
            scene.remove(element)
    for number, shape in enumerate(scene.findall("shape")):
        material = shape.find("ref")
        name = "" if material is None else material.attrib["id"]
        if (stand_in := shape.find("emitter/rgb")) is not None:
            if values(stand_in).max() < LEAST_DAYLIGHT:
                scene.remove(shape)
            shape.set("id", f"{WINDOW}{number}")
        elif name in interior.lamps:
            shape.set("id", f"{LAMP}{number}")
            light_up(shape)
        elif name in interior.dropped:
            scene.remove(shape)
        turn_upright(shape)


def light_up(shape: ET.Element) -> None:
    """Let a shape emit white light of radiance 1, which is scaled once its area is known."""
    emitter = ET.SubElement(shape, "emitter", type="area")
    ET.SubElement(emitter, "rgb", name="radiance", value="1 1 1")


def turn_upright(shape: ET.Element) -> None:
    """Turn a shape from y up to z up, after whatever moves it already."""
    transform = shape.find("transform")
    if transform is None:
        transform = ET.SubElement(shape, "transform", name="to_world")
    ET.SubElement(transform, "rotate", x="1", angle="90")


def vary(scene: ET.Element, rng: np.random.Generator) -> None:
    """Repaint a random share of the plain materials, lighter or darker and slightly tinted; textures stay."""
    for colour in scene.iter("rgb"):
        if colour.get("name") not in REFLECTANCES or rng.random() > VARIED_SHARE:
            continue
        repainted = values(colour) * np.exp(rng.normal(-0.1, 0.3) + rng.normal(0, 0.08, 3))
        colour.set("value", " ".join(f"{x:.5f}" for x in repainted.clip(DARKEST, LIGHTEST)))


def values(colour: ET.Element) -> NDArray[np.float64]:
    """Linear RGB (3,) of an ``<rgb>`` element; a single number is grey."""
    return np.array([float(x) for x in colour.attrib["value"].replace(",", " ").split()]) * np.ones(3)
