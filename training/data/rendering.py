"""Physically based rendering: meshes, materials and light in, linear radiance out (Mitsuba 3, Open Image Denoise).

Descriptions are plain NumPy. Only `render` needs Mitsuba, which picks its back end once per process: LLVM where libLLVM
19 is installed (or DRJIT_LIBLLVM_PATH names one), else the slower scalar one.
"""

import ctypes
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.metering import LUMINANCE
from training.data.fusion import Radiance
from training.errors import TrainingError

LLVM_LIBRARIES = ("libLLVM.so.19.1", "libLLVM-19.so")  # 14 and 15 abort the process
BOUNCES = 7
MOST_WINDOWS = 9
OUTSIDE_M = 100.0  # far from any room
SUN_ABOVE_MEDIAN = 60.0  # panorama radiance beyond this share of its median is the sun's
Texture = NDArray[np.float32]
Array = NDArray[np.float32]


class RenderingError(TrainingError):
    """Rendering is not possible here; the message says what to install."""


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
    compiled = mi.load_dict(
        {
            "type": "scene",
            "integrator": {
                "type": "aov",
                "aovs": "albedo:albedo,normal:sh_normal",
                "beauty": {"type": "path", "max_depth": BOUNCES, "rr_depth": 4},
            },
            **lights(mi, scene),
            **{f"mesh_{k}": mesh for k, mesh in enumerate(shapes(mi, scene.parts))},
        }
    )
    for index, camera in enumerate(scene.cameras):
        sensor = mi.load_dict(sensor_of(mi, camera, quality))
        seed = scene.seed * len(scene.cameras) + index
        layers = np.array(mi.render(compiled, sensor=sensor, spp=quality.samples, seed=seed), np.float32)
        layers = np.nan_to_num(layers, posinf=0.0, neginf=0.0)
        beauty, albedo, normal = (np.ascontiguousarray(layers[..., k : k + 3]) for k in (0, 3, 6))
        clean = denoise(beauty, albedo=np.clip(albedo, 0, 1), normal=np.clip(normal, -1, 1), hdr=True)
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


def sensor_of(mi: Any, camera: Camera, quality: Quality) -> dict[str, Any]:
    """Mitsuba's description of a camera."""
    yaw, pitch = np.radians(camera.yaw_deg), np.radians(camera.pitch_deg)
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), np.sin(pitch)])
    position = np.asarray(camera.position)
    pose = mi.ScalarTransform4f().look_at(origin=position.tolist(), target=(position + forward).tolist(), up=[0, 0, 1])
    film = {
        "type": "hdrfilm",
        "width": quality.width_px,
        "height": quality.height_px,
        "pixel_format": "rgb",
        "component_format": "float32",
        "rfilter": {"type": "box"},  # leaves the noise uncorrelated, as the denoiser expects
    }
    sampler = {"type": "independent", "sample_count": quality.samples}
    return {
        "type": "perspective",
        "fov": camera.view_deg,
        "fov_axis": "x",
        "near_clip": 0.01,
        "to_world": pose,
        "film": film,
        "sampler": sampler,
    }


def lights(mi: Any, scene: Scene) -> dict[str, Any]:
    """The sky, and the sun on its own, which is found by chance otherwise."""
    sky, towards, irradiance = split_sun(scene.outside)
    image = mi.Bitmap(np.ascontiguousarray(sky))
    if mi.variant() == "scalar_rgb":
        t = mi.ScalarTransform4f()
        upright = t.rotate([0, 0, 1], 90) @ t.rotate([1, 0, 0], 90)
        found: dict[str, Any] = {"sky": {"type": "envmap", "bitmap": image, "to_world": upright}}
    else:
        texture = mi.load_dict({"type": "bitmap", "bitmap": image, "raw": True})
        found = {"sky": window_light(mi)(texture, scene.windows)}
    if irradiance.max() > 0:
        value = {"type": "rgb", "value": irradiance.tolist()}
        found["sun"] = {"type": "directional", "direction": (-towards).tolist(), "irradiance": value}
    return found


@lru_cache(maxsize=1)
def window_light(mi: Any) -> Any:
    """The class of an environment emitter that aims its samples at the windows; most would meet walls otherwise."""
    import drjit as dr

    class WindowLight(mi.Emitter):  # type: ignore[misc]
        """Mitsuba's emitter interface; numbers of windows are padded so that rooms share compiled kernels."""

        def __init__(self, sky: Any, windows: Array) -> None:
            super().__init__(mi.Properties())
            self.m_flags = mi.EmitterFlags.Infinite | mi.EmitterFlags.SpatiallyVarying
            self.sky = sky
            padded = np.zeros((MOST_WINDOWS, 4, 3), np.float32)
            padded[: len(windows)] = windows
            areas = np.linalg.norm(np.cross(padded[:, 1], padded[:, 2]), axis=1) + 1e-9
            self.area = dr.opaque(mi.Float, float(areas.sum()))
            self.shares = mi.Float(np.append(0, np.cumsum(areas) / areas.sum()).astype(np.float32))
            self.data = mi.Float(padded.ravel())
            dr.eval(self.shares, self.data)

        def window(self, index: Any) -> list[Any]:
            """Corner, along, up and inward normal."""
            at = [mi.UInt32(index) * 12 + k for k in range(12)]
            values = [dr.gather(mi.Float, self.data, k) for k in at]
            return [mi.Vector3f(*values[k : k + 3]) for k in (0, 3, 6, 9)]

        def radiance(self, d: Any, active: Any) -> Any:
            """Of the sky in a direction."""
            si = dr.zeros(mi.SurfaceInteraction3f)
            si.uv = mi.Point2f(0.5 - dr.atan2(d.y, d.x) * dr.inv_two_pi, dr.safe_acos(d.z) * dr.inv_pi)
            return self.sky.eval(si, active)

        def density(self, p: Any, d: Any) -> Any:
            """Per solid angle, of samples from a point in a direction: all windows on the way count."""
            total = mi.Float(0)
            for index in range(MOST_WINDOWS):
                corner, along, up, inward = self.window(index)
                cosine = dr.dot(d, inward)
                distance = dr.dot(corner - p, inward) / cosine
                spot = p + distance * d - corner
                a, b = dr.dot(spot, along) / dr.squared_norm(along), dr.dot(spot, up) / dr.squared_norm(up)
                hit = (cosine < -1e-4) & (distance > 0) & (a >= 0) & (a <= 1) & (b >= 0) & (b <= 1)
                total += dr.select(hit, -distance * distance / cosine, 0)
            return total / self.area

        def eval(self, si: Any, active: Any = True) -> Any:
            return self.radiance(-si.wi, active)

        def sample_direction(self, it: Any, sample: Any, active: Any = True) -> Any:
            index = mi.UInt32(0)
            for k in range(1, MOST_WINDOWS):
                index = dr.select(sample.x > dr.gather(mi.Float, self.shares, mi.UInt32(k)), mi.UInt32(k), index)
            low, high = (dr.gather(mi.Float, self.shares, index + k) for k in (0, 1))
            corner, along, up, _ = self.window(index)
            spot = corner + (sample.x - low) / (high - low) * along + sample.y * up
            ds = dr.zeros(mi.DirectionSample3f)
            ds.d = dr.normalize(spot - it.p)
            ds.dist, ds.p, ds.n = OUTSIDE_M, it.p + OUTSIDE_M * ds.d, -ds.d
            ds.uv, ds.time, ds.delta, ds.emitter = sample, it.time, False, mi.EmitterPtr(self)
            ds.pdf = self.density(it.p, ds.d)
            found = active & (ds.pdf > 0)
            return ds, dr.select(found, self.radiance(ds.d, found) / ds.pdf, 0)

        def pdf_direction(self, it: Any, ds: Any, active: Any = True) -> Any:
            return self.density(it.p, ds.d)

        def eval_direction(self, it: Any, ds: Any, active: Any = True) -> Any:
            return self.radiance(ds.d, active)

        def bbox(self) -> Any:
            return mi.ScalarBoundingBox3f()

        def traverse(self, cb: Any) -> None:
            pass

        def to_string(self) -> str:
            return "WindowLight"

    return WindowLight


def split_sun(panorama: Radiance) -> tuple[Radiance, Array, Array]:
    """A panorama without its sun; the unit vector towards the sun, and its irradiance (linear RGB, 0 without sun)."""
    luminance = panorama @ LUMINANCE
    limit = SUN_ABOVE_MEDIAN * float(np.median(luminance))
    share = np.minimum(1, limit / np.maximum(luminance, 1e-9))[..., None].astype(np.float32)
    rows, columns = luminance.shape
    latitude = np.pi * (0.5 - (np.arange(rows) + 0.5) / rows)[:, None]
    longitude = 2 * np.pi * (0.5 - (np.arange(columns) + 0.5) / columns)[None, :]
    solid_angle = np.cos(latitude)[..., None] * (np.pi / rows) * (2 * np.pi / columns)
    excess = panorama * (1 - share) * solid_angle
    weight = excess @ LUMINANCE
    directions = np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude) + 0 * longitude],
        -1,
    )
    towards = (directions * weight[..., None]).sum((0, 1))
    towards = towards / max(float(np.linalg.norm(towards)), 1e-9)
    return panorama * share, towards.astype(np.float32), excess.sum((0, 1)).astype(np.float32)


def shapes(mi: Any, parts: tuple[Part, ...]) -> Iterator[Any]:
    """One Mitsuba mesh per material."""
    groups: dict[int, list[Part]] = {}
    for part in parts:
        groups.setdefault(id(part.material), []).append(part)
    for group in groups.values():
        meshes, material = [part.mesh for part in group], group[0].material
        offsets = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
        faces = [mesh.faces + np.uint32(offset) for mesh, offset in zip(meshes, offsets, strict=False)]
        yield triangles(mi, material, np.concatenate(faces), meshes)


def triangles(mi: Any, material: Material, faces: NDArray[np.uint32], meshes: list[Mesh]) -> Any:
    """A Mitsuba mesh."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(surface_of(mi, material))
    if material.emission is not None:
        value = {"type": "rgb", "value": np.asarray(material.emission, float).tolist()}
        properties["emitter"] = mi.load_dict({"type": "area", "radiance": value})
    count = sum(len(mesh.vertices) for mesh in meshes)
    mesh = mi.Mesh("part", count, len(faces), has_vertex_normals=True, has_vertex_texcoords=True, props=properties)
    values = mi.traverse(mesh)
    values["vertex_positions"] = np.concatenate([m.vertices for m in meshes]).astype(np.float32).ravel()
    values["vertex_normals"] = np.concatenate([m.normals for m in meshes]).astype(np.float32).ravel()
    values["vertex_texcoords"] = np.concatenate([m.uv for m in meshes]).astype(np.float32).ravel()
    values["faces"] = faces.ravel()
    values.update()
    return mesh


def surface_of(mi: Any, material: Material) -> dict[str, Any]:
    """Mitsuba's description of a material; four plugins in all, so that rooms share compiled kernels."""
    colour = reflectance_of(mi, material)
    if material.translucency:
        return {
            "type": "principledthin",
            "base_color": colour,
            "roughness": 0.9,
            "diff_trans": 2 * material.translucency,
        }
    if material.roughness is None:
        inner: dict[str, Any] = {"type": "diffuse", "reflectance": colour}
    elif material.metallic:
        inner = {"type": "roughconductor", "alpha": material.roughness, "specular_reflectance": colour}
    else:
        inner = {"type": "principled", "base_color": colour, "roughness": material.roughness, "specular": 0.5}
    return {"type": "twosided", "bsdf": inner}


def reflectance_of(mi: Any, material: Material) -> dict[str, Any]:
    """A colour, or a texture that continues mirrored."""
    value = np.array(material.reflectance, np.float32)
    if value.ndim == 1:
        value = value.reshape(1, 1, 3)
    t = mi.ScalarTransform3f().scale([1 / material.metres, value.shape[1] / value.shape[0] / material.metres])
    image = mi.Bitmap(value)
    return {"type": "bitmap", "bitmap": image, "raw": True, "wrap_mode": "mirror", "to_uv": t}


# Textures: reflectance, float32 (size, size, 3).

SIZE_PX = 768


def noise(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Smooth values (SIZE_PX, SIZE_PX, 1) around 0 with deviation 1, from a coarse grid of random ones."""
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    smooth = cv2.resize(coarse, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth / smooth.std())[..., None]


def wood(rng: np.random.Generator, colour: Array) -> Texture:
    """Grain along the columns' direction."""
    grain = 0.05 * noise(rng, 4, 90) + 0.07 * noise(rng, 12, 400) + 0.06 * noise(rng, 3, 12)
    return limited(colour * np.exp(grain))


def planks(rng: np.random.Generator, colour: Array) -> Texture:
    """Floorboards with staggered joints."""
    texture = wood(rng, colour)
    boards = int(rng.integers(6, 16))
    edges = np.linspace(0, SIZE_PX, boards + 1).astype(int)
    for left, right in pairwise(edges):
        joints = np.sort(rng.integers(0, SIZE_PX, 2))
        for top, bottom in zip([0, *joints], [*joints, SIZE_PX], strict=True):
            texture[top:bottom, left:right] *= np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.02, 3)).astype(np.float32)
            texture[top : top + 2, left:right] *= 0.45
        texture[:, left : left + 2] *= 0.45
    return limited(texture)


def tiles(rng: np.random.Generator, colour: Array, other: Array) -> Texture:
    """A grid of tiles with joints; some chequered."""
    count, texture = int(rng.integers(2, 6)) * 2, np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    edges, joint = np.linspace(0, SIZE_PX, count + 1).astype(int), int(rng.integers(2, 6))
    for row in range(count):
        for column in range(count):
            base = other if (row + column) % 2 else colour
            block = texture[edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            block[:] = base * np.exp(rng.normal(0, 0.04))
            block[:joint] = block[:, :joint] = 0.75 * base.mean()
    return limited(texture * np.exp(0.05 * noise(rng, 30, 30) + 0.04 * noise(rng, 300, 300)))


def plaster(rng: np.random.Generator, colour: Array) -> Texture:
    """Painted wall: almost even."""
    return limited(colour * np.exp(0.012 * noise(rng, 8, 8) + 0.012 * noise(rng, 250, 250)))


def bricks(rng: np.random.Generator, colour: Array) -> Texture:
    """Bricks in running bond."""
    rows, columns = 16, 5
    texture = np.full((SIZE_PX, SIZE_PX, 3), 0.45, np.float32)
    high, wide = SIZE_PX / rows, SIZE_PX / columns
    for row in range(rows):
        for column in range(-1, columns):
            left, top = (column + row % 2 / 2) * wide, row * high
            tone = colour * np.exp(rng.normal(0, 0.18) + rng.normal(0, 0.05, 3))
            texture[int(top) : int(top + high - 7), max(0, int(left)) : max(0, int(left + wide - 7))] = tone
    return limited(texture * np.exp(0.08 * noise(rng, 120, 120) + 0.08 * noise(rng, 400, 400)))


def weave(rng: np.random.Generator, colour: Array) -> Texture:
    """Upholstery."""
    return limited(colour * np.exp(0.10 * noise(rng, 380, 380) + 0.05 * noise(rng, 60, 380) + 0.05 * noise(rng, 6, 6)))


def stripes(rng: np.random.Generator) -> Texture:
    """Cloth with stripes of a few colours."""
    colours = random_colours(rng, int(rng.integers(2, 5)))
    widths = rng.uniform(0.3, 1, len(colours) * 3)
    ends = (np.cumsum(widths) / widths.sum() * SIZE_PX).astype(int)
    texture = np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    for k, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        texture[start:end] = colours[k % len(colours)]
    return limited(texture * np.exp(0.1 * noise(rng, 384, 384)))


def spots(rng: np.random.Generator) -> Texture:
    """A carpet: worn, mottled, with a border pattern of diamonds or plain."""
    colours = random_colours(rng, 3)
    y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX] / SIZE_PX
    count = int(rng.integers(1, 6))
    diamonds = np.abs((x * count) % 1 - 0.5) + np.abs((y * count) % 1 - 0.5)
    worn = diamonds[..., None] + 0.06 * noise(rng, 40, 40)
    level = np.where(worn < 0.22, 0, np.where(worn < 0.34, 1, 2))[..., 0]
    return limited(colours[level] * np.exp(0.18 * noise(rng, 384, 384) + 0.1 * noise(rng, 10, 10)))


def marble(rng: np.random.Generator, colour: Array) -> Texture:
    """Stone with veins."""
    field = noise(rng, 5, 5) + 0.5 * noise(rng, 14, 14) + 0.3 * noise(rng, 50, 50)
    veins = np.exp(-np.abs(field) * 14)
    return limited(colour * (1 - 0.4 * veins) * np.exp(0.05 * noise(rng, 20, 20) + 0.05 * noise(rng, 350, 350)))


def picture(rng: np.random.Generator) -> Texture:
    """Something to hang: bands and shapes with a white mount."""
    colours = random_colours(rng, 6)
    canvas = np.empty((SIZE_PX, SIZE_PX, 3), np.float32)
    canvas[:] = colours[0]
    for k in range(int(rng.integers(3, 14))):
        centre = tuple(int(v) for v in rng.integers(0, SIZE_PX, 2))
        size = rng.uniform(0.1, 0.7, 2) * SIZE_PX
        corners = cv2.boxPoints((centre, tuple(size), rng.choice([0.0, 0.0, rng.uniform(0, 180)]))).astype(np.int32)
        colour = colours[k % 6].tolist()
        if rng.random() < 0.6:
            cv2.fillPoly(canvas, [corners], colour, lineType=cv2.LINE_AA)
        else:
            cv2.circle(canvas, centre, int(size.min() / 2), colour, -1, lineType=cv2.LINE_AA)
    return limited(canvas * np.exp(0.12 * noise(rng, 60, 60) + 0.1 * noise(rng, 300, 300)))


def random_colours(rng: np.random.Generator, count: int) -> Array:
    """Muted colours that go together, (count, 3), with at least one pale."""
    tint = rng.uniform(0, 0.6) * (rng.random(3) - 0.5) + rng.normal(0, 0.12, (count, 3))
    lightness = np.concatenate([[rng.uniform(0.5, 0.75)], rng.uniform(0.03, 0.6, count - 1)])
    return limited(lightness[:, None] * np.exp(1.2 * tint))


def limited(reflectance: NDArray[np.floating[Any]]) -> Array:
    """Reflectances that exist."""
    return np.asarray(np.clip(reflectance, 0.01, 0.9), np.float32)
