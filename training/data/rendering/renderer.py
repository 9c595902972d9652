"""From a scene to denoised, white-balanced radiance.

Only this needs Mitsuba, which picks its back end once per process: LLVM where libLLVM 19 is installed (or
DRJIT_LIBLLVM_PATH names one), else the slower scalar one.
"""

import ctypes
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pixels.light import LUMINANCE
from training.data.fusion import Radiance
from training.data.rendering.daylight import daylight
from training.data.rendering.meshes import Array
from training.data.rendering.scene import Camera, Quality, Scene
from training.data.rendering.translation import sensor_of, shapes
from training.errors import TrainingError

LLVM_LIBRARIES = ("libLLVM.so.19.1", "libLLVM-19.so")  # 14 and 15 abort the process
BOUNCES = 7


class RenderingError(TrainingError):
    """Rendering is not possible here; the message says what to install."""


def render(scene: Scene, quality: Quality) -> Iterator[Radiance]:
    """Views of a scene, white-balanced for the light that falls on its surfaces.

    Args:
        scene: what to render.
        quality: how.

    Yields:
        float32 (height_px, width_px, 3), linear RGB of any scale, one per camera.

    Raises:
        RenderingError: Mitsuba or Open Image Denoise is not installed.
    """
    mi, denoise = engines(quality.threads)
    light = daylight(mi, scene.outside, scene.windows)
    parts = {**light, **{f"mesh_{k}": mesh for k, mesh in enumerate(shapes(mi, scene.parts))}}
    yield from views(mi, denoise, mi.load_dict({"type": "scene", **parts}), scene.cameras, quality, scene.seed)


def views(
    mi: Any, denoise: Any, compiled: Any, cameras: Sequence[Camera], quality: Quality, seed: int
) -> Iterator[Radiance]:
    """Views of a compiled scene, as :func:`render` yields them."""
    beauty = {"type": "path", "max_depth": BOUNCES, "rr_depth": 4}
    integrator = mi.load_dict({"type": "aov", "aovs": "albedo:albedo,normal:sh_normal", "beauty": beauty})
    for index, camera in enumerate(cameras):
        sensor = mi.load_dict(sensor_of(mi, camera, quality))
        samples, stream = quality.samples, seed * len(cameras) + index
        rendered = mi.render(compiled, sensor=sensor, integrator=integrator, spp=samples, seed=stream)
        layers = np.nan_to_num(np.array(rendered, np.float32), posinf=0.0, neginf=0.0)
        colour, albedo, normal = (np.ascontiguousarray(layers[..., k : k + 3]) for k in (0, 3, 6))
        clean = denoise(colour, albedo=np.clip(albedo, 0, 1), normal=np.clip(normal, -1, 1), hdr=True)
        yield balanced(np.maximum(clean, 0), albedo)


def engines(threads: int) -> tuple[Any, Any]:
    """Mitsuba, with its back end chosen, and the denoiser's function."""
    if "DRJIT_LIBLLVM_PATH" not in os.environ:
        library = next((name for name in LLVM_LIBRARIES if loads(name)), None)
        if library is not None:
            os.environ["DRJIT_LIBLLVM_PATH"] = library
    try:
        import drjit
        import mitsuba as mi
        from pyoidn import denoise
    except ImportError as error:
        raise RenderingError(f"rendering needs {error.name}; pip install -c constraints.txt -e '.[rooms]'") from None
    if mi.variant() is None:
        mi.set_variant("llvm_ad_rgb" if "DRJIT_LIBLLVM_PATH" in os.environ else "scalar_rgb")
        drjit.set_thread_count(threads)
    return mi, denoise


def loads(library: str) -> bool:
    """Whether the dynamic linker finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def balanced(radiance: Radiance, albedo: Array) -> Radiance:
    """The view as a camera sees it whose white balance suits the light on the surfaces: their median light is grey."""
    surface = (albedo.min(2) > 0.04) & (albedo.max(2) < 0.98) & (radiance.max(2) > 0)
    if surface.mean() < 0.05:
        return radiance
    light = np.median(radiance[surface] / albedo[surface], axis=0)
    return np.asarray(radiance * ((light @ LUMINANCE) / light), np.float32)
