"""Views of interiors rendered into a folder.

``bedroom-2-1.hdr`` is view 1 of variant 2 of the bedroom: each variant has a panorama, lamps and (but for the first)
materials of its own. ``scenes.jsonl`` says of every view what it shows, whose room it is and under which licence.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from training.data.fusion import Radiance
from training.data.radiance import write_radiance
from training.data.rendering.renderer import RenderingError, engines, views
from training.data.rendering.scene import Camera, Quality
from training.data.rooms.outside import outside
from training.data.scenes.archives import scene_file
from training.data.scenes.catalogue import INTERIORS, LICENCE_URLS, Interior
from training.data.scenes.description import authors_eye, prepare, read, vary
from training.data.scenes.loading import Lighting, assemble, caster, load_shapes
from training.data.scenes.viewpoints import find_viewpoints
from training.data.views import view_name

NIGHTS = 0.12
"""Share of the variants at night, in rooms with lamps."""
LAMPS_ON = 0.5
"""Share of the others whose lamps are on."""
LAMPS_FLUX = (1.0, 40.0)
"""Radiance times area in square metres, where a window's is about 20 by day."""
LAMPS_KELVIN = (2500.0, 4500.0)


@dataclass(frozen=True)
class Views:
    """A set of views to be rendered; the same values make the same files."""

    interiors: tuple[Interior, ...]
    geometry: Path
    """Folder of the unpacked interiors."""
    panoramas: tuple[Path, ...]
    """What windows look out on; without any, a plain sky."""
    variants: int
    """Of each interior."""
    views: int
    """Of each variant."""
    quality: Quality
    seed: int
    only: tuple[str, ...] = ()
    """Names of the views to render (``bedroom-2-1``), where these are not all."""


def make_views(wanted: Views, folder: Path) -> None:
    """Render into a folder, one variant of every room after the other; views that exist are skipped."""
    folder.mkdir(parents=True, exist_ok=True)
    turns = [(variant, interior) for variant in range(wanted.variants) for interior in wanted.interiors]
    for variant, interior in tqdm(turns, unit="variant"):
        cameras = cameras_in(wanted, interior)[variant :: wanted.variants]
        paths = [folder / f"{view_name(interior.name, variant, view)}.hdr" for view in range(len(cameras))]
        missing = [
            (path, camera)
            for path, camera in zip(paths, cameras, strict=True)
            if not path.exists() and path.stem in (wanted.only or [path.stem])
        ]
        if not missing:
            continue
        rendered = render_variant(wanted, interior, variant, [camera for _, camera in missing])
        for (path, camera), radiance in zip(missing, rendered, strict=True):
            write_radiance(path, radiance)
            note(folder, provenance(wanted, interior, variant, camera, path))


@cache
def cameras_in(wanted: Views, interior: Interior) -> tuple[Camera, ...]:
    """All cameras of an interior; raises RenderingError without LLVM."""
    mi, _ = engines(wanted.quality.threads)
    if mi.variant() == "scalar_rgb":
        raise RenderingError(
            "views of modelled interiors are found by casting many rays at once, which needs LLVM 19: "
            "install Debian's libllvm19, or name the library in DRJIT_LIBLLVM_PATH"
        )
    path = scene_file(wanted.geometry, interior)
    scene = read(path)
    inside = authors_eye(scene)
    prepare(scene, interior)
    cast = caster(mi, load_shapes(mi, scene, path.parent))
    return find_viewpoints(cast, inside, wanted.variants * wanted.views, wanted.seed)


def render_variant(wanted: Views, interior: Interior, variant: int, cameras: Sequence[Camera]) -> Iterator[Radiance]:
    """Radiance of each camera's view."""
    mi, denoise = engines(wanted.quality.threads)
    rng = stream(wanted, interior, variant)
    path = scene_file(wanted.geometry, interior)
    scene = read(path)
    inside = authors_eye(scene)
    prepare(scene, interior)
    lighting = random_lighting(wanted.panoramas, interior, rng)
    if variant > 0:
        vary(scene, rng)
    parts = assemble(mi, load_shapes(mi, scene, path.parent), lighting, inside)
    return views(mi, denoise, mi.load_dict({"type": "scene", **parts}), cameras, wanted.quality, variant)


def stream(wanted: Views, interior: Interior, variant: int) -> np.random.Generator:
    """Random choices of one variant."""
    return np.random.default_rng((wanted.seed, INTERIORS.index(interior), variant))


def random_lighting(panoramas: tuple[Path, ...], interior: Interior, rng: np.random.Generator) -> Lighting:
    """A time of day, something outside, lamps on or off."""
    night = bool(interior.lamps) and rng.random() < NIGHTS
    on = bool(interior.lamps) and (night or rng.random() < LAMPS_ON)
    flux = float(np.exp(rng.uniform(*np.log(LAMPS_FLUX)))) if on else 0.0
    return Lighting(outside(panoramas, night, rng), flux, rng.uniform(*LAMPS_KELVIN))


def provenance(wanted: Views, interior: Interior, variant: int, camera: Camera, path: Path) -> dict[str, Any]:
    """What a view shows, whose it is and how it was made."""
    return {
        "file": path.name,
        "room": interior.name,
        "title": interior.title,
        "author": interior.author,
        "licence": interior.licence,
        "licence_url": LICENCE_URLS[interior.licence],
        "source": interior.source,
        "held_out": interior.held_out,
        "variant": variant,
        "seed": wanted.seed,
        "position_m": [round(x, 3) for x in camera.position],
        "yaw_deg": round(camera.yaw_deg, 1),
        "view_deg": round(camera.view_deg, 1),
        "samples": wanted.quality.samples,
    }


def note(folder: Path, row: dict[str, Any]) -> None:
    """Add a view to the folder's list."""
    with (folder / "scenes.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
