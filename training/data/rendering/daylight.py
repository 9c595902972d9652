"""Light from outside: the sky, which enters through the windows, and the sun on its own."""

from functools import lru_cache
from typing import Any

import numpy as np

from pixels.light import LUMINANCE
from training.data.fusion import Radiance
from training.data.rendering.meshes import Array

FEW_WINDOWS, MOST_WINDOWS = 4, 9  # a place for each, used or not, so that rooms share compiled kernels
OUTSIDE_M = 100.0  # far from any room
SUN_ABOVE_MEDIAN = 60.0  # panorama radiance beyond this share of its median is the sun's


def daylight(mi: Any, outside: Radiance, windows: Array) -> dict[str, Any]:
    """The sky, and the sun on its own, which is found by chance otherwise.

    Args:
        mi: Mitsuba, its back end chosen.
        outside: panorama, as in :class:`training.data.rendering.scene.Scene`.
        windows: openings, as there; where they are not known, (0, 4, 3), light is sought in all directions.
    """
    sky, towards, irradiance = split_sun(outside)
    image = mi.Bitmap(np.ascontiguousarray(sky))
    if mi.variant() == "scalar_rgb" or not len(windows):
        t = mi.ScalarTransform4f()
        upright = t.rotate([0, 0, 1], 90) @ t.rotate([1, 0, 0], 90)
        found: dict[str, Any] = {"sky": {"type": "envmap", "bitmap": image, "to_world": upright}}
    else:
        texture = mi.load_dict({"type": "bitmap", "bitmap": image, "raw": True})
        found = {"sky": window_light(mi)(texture, windows)}
    if irradiance.max() > 0:
        value = {"type": "rgb", "value": irradiance.tolist()}
        found["sun"] = {"type": "directional", "direction": (-towards).tolist(), "irradiance": value}
    return found


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


@lru_cache(maxsize=1)
def window_light(mi: Any) -> Any:
    """The class of an environment emitter that aims its samples at the windows; most would meet walls otherwise."""
    import drjit as dr

    class WindowLight(mi.Emitter):  # type: ignore[misc]
        """Mitsuba's emitter interface."""

        def __init__(self, sky: Any, windows: Array) -> None:
            super().__init__(mi.Properties())
            self.m_flags = mi.EmitterFlags.Infinite | mi.EmitterFlags.SpatiallyVarying
            self.sky = sky
            self.places = FEW_WINDOWS if len(windows) <= FEW_WINDOWS else MOST_WINDOWS
            padded = np.zeros((self.places, 4, 3), np.float32)
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
            """Radiance of the sky in a direction."""
            si = dr.zeros(mi.SurfaceInteraction3f)
            si.uv = mi.Point2f(0.5 - dr.atan2(d.y, d.x) * dr.inv_two_pi, dr.safe_acos(d.z) * dr.inv_pi)
            return self.sky.eval(si, active)

        def density(self, p: Any, d: Any) -> Any:
            """Per solid angle, of samples from a point in a direction: all windows on the way count."""
            total = mi.Float(0)
            for index in range(self.places):
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
            for k in range(1, self.places):
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
