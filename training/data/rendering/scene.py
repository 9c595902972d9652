"""What can be rendered: parts of a mesh and a material, cameras, and the light outside."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.fusion import Radiance
from training.data.rendering.meshes import Array, Mesh


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface reflects, lets through or emits light."""

    reflectance: NDArray[np.floating[Any]]
    """Linear RGB in [0, 1]: (3,), or a texture (height, width, 3)."""
    metres: float = 1.0
    """Width of the texture."""
    roughness: float | None = None
    """Of the gloss, 0.02 to 1; None is matt."""
    metallic: float = 0.0
    """1 for metals and mirrors."""
    translucency: float = 0.0
    """Share of the light that passes, diffused: curtains, shades."""
    emission: NDArray[np.floating[Any]] | None = None
    """Radiance, linear RGB."""


@dataclass(frozen=True)
class Part:
    """A mesh of one material."""

    mesh: Mesh
    material: Material

    def moved(self, x: float, y: float, z: float) -> "Part":
        """Shifted."""
        return Part(self.mesh.moved(x, y, z), self.material)

    def turned(self, degrees: float) -> "Part":
        """Turned around the z axis."""
        return Part(self.mesh.turned(degrees), self.material)


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without roll."""

    position: tuple[float, float, float]
    """Metres."""
    yaw_deg: float
    """Direction, counter-clockwise from +x."""
    pitch_deg: float
    """Tilt upwards."""
    view_deg: float
    """Horizontal angle of view."""


@dataclass(frozen=True)
class Scene:
    """All that is rendered."""

    parts: tuple[Part, ...]
    cameras: tuple[Camera, ...]
    outside: Radiance
    """Equirectangular panorama (H, 2H, 3), linear; its horizon is level, its centre in +x."""
    windows: Array
    """Openings to the outside, (n, 4, 3): corner, along, up, inward unit normal; all light from outside passes them."""
    seed: int
    """Of the noise."""


@dataclass(frozen=True)
class Quality:
    """What a rendering costs."""

    width_px: int
    height_px: int
    samples: int
    """Light paths per pixel."""
    threads: int
