"""Rendering: meshes are sound, light is what theory says."""

import sys

import numpy as np
import pytest

from training.data.rendering.daylight import split_sun
from training.data.rendering.meshes import Mesh, ball, block, join, lathe
from training.data.rendering.renderer import BOUNCES, RenderingError, balanced, render
from training.data.rendering.scene import Camera, Material, Part, Quality, Scene

TINY = Quality(48, 32, 4, 1)


@pytest.mark.parametrize(
    "mesh", [block((1, 0.5, 0.2), (0, 0, 0)), block((1, 1, 1), (0, 0, 0), 0.4), ball(0.5, (0, 0, 0))]
)
def test_solids_are_closed_and_their_normals_point_outwards(mesh: Mesh) -> None:
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-5)
    centre = (mesh.vertices.max(0) + mesh.vertices.min(0)) / 2
    assert (((mesh.vertices - centre) * mesh.normals).sum(1) > 0).all()


def test_meshes_of_one_size_fill_it() -> None:
    low, high = (f(block((1.0, 0.5, 0.2), (3, 4, 5)).vertices, axis=0) for f in (np.min, np.max))
    np.testing.assert_allclose([low, high], [[2.5, 3.75, 5], [3.5, 4.25, 5.2]], atol=1e-5)
    two = join([lathe([(0.1, 0), (0.1, 1)], (0, 0, 0)), ball(1, (0, 0, 0))])
    assert two.faces.max() == len(two.vertices) - 1


def test_splitting_the_sun_off_keeps_all_light() -> None:
    sky = np.full((64, 128, 3), 0.5, np.float32)
    sky[16, 96] = 5000  # 44 degrees high, to the right of the centre: towards -y
    rest, towards, irradiance = split_sun(sky)
    latitude = np.pi * (0.5 - (16 + 0.5) / 64)
    pixel = np.cos(latitude) * (np.pi / 64) ** 2
    np.testing.assert_allclose(irradiance + rest[16, 96] * pixel, 5000 * pixel, rtol=1e-4)
    np.testing.assert_allclose(towards, [0, -np.cos(latitude), np.sin(latitude)], atol=0.03)
    assert rest[0, 0, 0] == np.float32(0.5)


def test_white_balance_suits_the_light_on_the_surfaces() -> None:
    rng = np.random.default_rng(0)
    albedo = rng.uniform(0.1, 0.9, (32, 32, 3)).astype(np.float32)
    lamp = np.array([1.7, 0.9, 0.3], np.float32) / 1.027  # of luminance 1
    neutral = balanced(albedo * lamp, albedo)
    np.testing.assert_allclose(neutral / albedo, 1, rtol=2e-3)


def test_a_missing_renderer_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mitsuba", None)
    monkeypatch.setitem(sys.modules, "drjit", None)
    with pytest.raises(RenderingError, match=r"\[rooms\]"):
        next(render(box_scene(0.5), TINY))


def box_scene(albedo: float) -> Scene:
    """A closed room of one grey whose walls glow: the light inside is known."""
    inner = block((4, 4, 3), (0, 0, 0), 0.001)
    wall = Material(np.full(3, albedo), emission=np.full(3, 1.0))
    inward = Mesh(inner.vertices, -inner.normals, inner.uv, inner.faces[:, ::-1].copy())
    camera = Camera((0, 0, 1.5), 30, 0, 90)
    outside = np.zeros((8, 16, 3), np.float32)
    return Scene((Part(inward, wall),), (camera,), outside, np.zeros((0, 4, 3), np.float32), 0)


def test_a_furnace_is_as_bright_as_theory_says() -> None:
    pytest.importorskip("mitsuba", reason="rendering needs the 'rooms' extra")
    (view,) = render(box_scene(0.5), Quality(32, 24, 64, 1))
    expected = sum(0.5**bounce for bounce in range(BOUNCES))
    np.testing.assert_allclose(np.median(view), expected, rtol=0.03)
