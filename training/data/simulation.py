"""Pairs from radiance: photograph known light with a simulated camera, and edit a simulated bracket stack of it.

A scene is a view of true radiance: from a virtual camera in a panorama, or cut out of a rendered room. Its target is
what the bracket operator makes of a clean stack of exposures of it; its sources are single shots by the same camera:
one at the middle of the stack, the others up to EXPOSURE_ERROR_EV off it, each with its own white balance; and the
stack itself, merged to one photo as brackets are when they are served. Several photos of one scene with one target
teach consistency.
"""

import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from pixels.brackets.merging import merge
from pixels.brackets.scene import Tone
from pixels.ranges import to_8_bits
from training.data.camera import METERING_EV, STACKS_EV, Body, random_body, random_cast, random_shot, shoot, shoot_stack
from training.data.fusion import Photo, Radiance, meter, standard_edit
from training.data.pairs import PairsError, write_pairs, write_photo
from training.data.panoramas import read_panorama, view
from training.data.radiance import read_radiance
from training.data.scenery import decorate
from training.data.scenes.catalogue import BY_NAME, INTERIORS
from training.data.views import ROOM, shown

VALIDATION_PANORAMAS = ("autoshop_01", "dancing_hall", "potsdamer_platz", "st_fagans_interior")
"""Beginnings of the names of panoramas that are never trained on: three interiors and a street."""
VALIDATION_ROOMS = 10
"""One generated room in so many is never trained on: those whose number it divides."""
ROOM_SHARE = 0.5
"""Of the scenes, where there are rooms."""
SMALLEST_CROP = 0.65
"""Of a room's view, so that one view serves several scenes; wide enough for listings still."""
SHOTS_PER_SCENE = 2
EXPOSURE_ERROR_EV = 1.5
"""Largest distance of further shots from the first one's exposure, in stops."""
ASPECTS = (3 / 2, 3 / 2, 4 / 3, 16 / 9, 2 / 3)  # width over height; listings are mostly 3:2


@dataclass(frozen=True)
class Simulation:
    """A dataset to be made; the same values make the same files."""

    panoramas: tuple[Path, ...]
    """Equirectangular .hdr files that scenes are cut from."""
    scenes: int
    """Number of views; each gives a pair for every shot, and one for the merged stack."""
    long_edge_px: int
    """Size of the photos."""
    seed: int
    """Every scene has a random stream of its own, made from this and its number."""
    decorated: bool
    """Whether views of panoramas get the windows, surface texture and coloured light that they lack."""
    rooms: tuple[Path, ...] = ()
    """Views of rendered rooms (.hdr), a second source of scenes; they have windows, textures and lamps of their own."""


def split_panoramas(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Panoramas for training and for validation.

    Raises:
        PairsError: none for one of the two.
    """
    panoramas = sorted(folder.glob("*.hdr"))
    held = tuple(path for path in panoramas if path.name.startswith(VALIDATION_PANORAMAS))
    training = tuple(path for path in panoramas if path not in held)
    if not held or not training:
        raise PairsError(
            f"{folder}: {len(training)} panoramas (.hdr) to train on and {len(held)} to validate on "
            f"({', '.join(VALIDATION_PANORAMAS)}); both are needed: get them from polyhaven.com/hdris, 1k, HDR"
        )
    return training, held


def split_rooms(folders: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Views of rendered rooms for training and for validation; no room is in both.

    Args:
        folders: what training.data.rooms and training.data.scenes rendered.

    Raises:
        PairsError: none for one of the two.
    """
    views = [(path, shown(path.stem)) for folder in folders for path in sorted(folder.glob("*.hdr"))]
    held = tuple(path for path, place in views if place and is_held_out(*place))
    training = tuple(path for path, place in views if place and not is_held_out(*place))
    if not held or not training:
        kept = ", ".join(interior.name for interior in INTERIORS if interior.held_out)
        raise PairsError(
            f"{', '.join(map(str, folders))}: {len(training)} views of rendered rooms to train on and {len(held)} to "
            f"validate on (rooms 0, {VALIDATION_ROOMS} and so on; {kept}); both are needed: render them with "
            "python -m training.data.rooms or training.data.scenes"
        )
    return training, held


def is_held_out(place: str, number: int) -> bool:
    """Whether a room is held out for validation; place and number as of training.data.views.shown."""
    return number % VALIDATION_ROOMS == 0 if place == ROOM else BY_NAME[place].held_out


def make_pairs(simulation: Simulation, folder: Path, jsonl: Path, processes: int) -> None:
    """Write a dataset; scenes whose files exist are skipped, so an interrupted run goes on where it stopped.

    Raises:
        PairsError: the folder was begun with other values.
    """
    claim(folder, simulation)
    rows: list[dict[str, str]] = []
    spawn = multiprocessing.get_context("spawn")  # a forked process would wait for ever for OpenCV's threads
    with ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        made = pool.map(make_scene, *zip(*((simulation, folder, n) for n in range(simulation.scenes)), strict=True))
        for scene_rows in tqdm(made, total=simulation.scenes, unit="scene"):
            rows.extend(scene_rows)
    relative = folder.relative_to(jsonl.parent)
    write_pairs(jsonl, ({key: str(relative / name) for key, name in row.items()} for row in rows))


def claim(folder: Path, simulation: Simulation) -> None:
    """Note what a folder is filled with, so that two datasets never mix in it."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "simulation.json"
    values = {
        "panoramas": [path.name for path in simulation.panoramas],
        "rooms": [path.name for path in simulation.rooms],
        "long_edge_px": simulation.long_edge_px,
        "seed": simulation.seed,
        "decorated": simulation.decorated,
    }
    text = json.dumps(values, indent=1)
    if not record.exists():
        record.write_text(text, encoding="utf-8")
    elif record.read_text(encoding="utf-8") != text:
        raise PairsError(
            f"{folder}: was begun from other panoramas, rooms or settings ({record.name}); "
            "choose another folder with --out, or delete this one"
        )


def make_scene(simulation: Simulation, folder: Path, number: int) -> list[dict[str, str]]:
    """Photograph one scene; returns its rows with file names."""
    cv2.setNumThreads(1)
    target_name = f"{number:05d}.target.jpg"
    names = [*(f"{number:05d}.{shot}.jpg" for shot in range(SHOTS_PER_SCENE)), f"{number:05d}.merged.jpg"]
    if not (folder / target_name).exists():
        rng = np.random.default_rng((simulation.seed, number))
        sources, target = photograph(random_radiance(simulation, rng), random_body(rng), rng)
        for name, source in zip(names, sources, strict=True):
            write_photo(folder / name, source)
        write_photo(folder / target_name, target)  # last: its presence says that the scene is complete
    return [{"source": name, "target": target_name} for name in names]


def photograph(radiance: Radiance, body: Body, rng: np.random.Generator) -> tuple[list[Photo], Photo]:
    """Unedited photos of the scene, SHOTS_PER_SCENE single shots and the merged stack; and its target."""
    metered, middle_ev = meter(radiance), rng.uniform(*METERING_EV)
    stack_ev = STACKS_EV[int(rng.integers(len(STACKS_EV)))]
    light = merge(shoot_stack(metered, body, (middle_ev + ev for ev in stack_ev)))
    errors_ev = (0.0, *rng.uniform(-EXPOSURE_ERROR_EV, EXPOSURE_ERROR_EV, SHOTS_PER_SCENE - 1))
    shots = [shoot(metered, body, random_shot(middle_ev + error_ev, rng), rng) for error_ev in errors_ev]
    return [*shots, merged_photo(light * np.asarray(random_cast(rng), np.float32))], standard_edit(light)


def merged_photo(light: Radiance) -> Photo:
    """The photo that a merged stack is served as, in 8 bits."""
    return np.asarray(to_8_bits(Tone.of(light).encoded(light)), np.uint8)


def random_radiance(simulation: Simulation, rng: np.random.Generator) -> Radiance:
    """A random cut-out of a random room, or a random view of a random panorama, decorated."""
    aspect = rng.choice(ASPECTS)
    long_edge = simulation.long_edge_px
    width, height = (long_edge, round(long_edge / aspect)) if aspect > 1 else (round(long_edge * aspect), long_edge)
    if simulation.rooms and rng.random() < ROOM_SHARE:
        room = load_room(simulation.rooms[int(rng.integers(len(simulation.rooms)))])
        return random_crop(room, width, height, rng)
    scene = random_view(simulation.panoramas, width, height, rng)
    if simulation.decorated:
        scene = decorate(scene, lambda w, h: random_view(simulation.panoramas, w, h, rng), rng)
    return scene


def random_crop(scene: Radiance, width_px: int, height_px: int, rng: np.random.Generator) -> Radiance:
    """A part of a scene, of the given shape and at the given size; mirrored half of the time."""
    rows, columns = scene.shape[:2]
    scale = min(columns / width_px, rows / height_px) * rng.uniform(SMALLEST_CROP, 1)  # pixels there per pixel here
    wide, high = max(1, int(scale * width_px)), max(1, int(scale * height_px))
    left, top = int(rng.integers(columns - wide + 1)), int(rng.integers(rows - high + 1))
    crop = scene[top : top + high, left : left + wide]
    smooth = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR  # neither overshoots at the edge of a window
    resized = np.asarray(cv2.resize(crop, (width_px, height_px), interpolation=smooth), np.float32)
    return resized[:, ::-1] if rng.random() < 0.5 else resized


def random_view(panoramas: Sequence[Path], width_px: int, height_px: int, rng: np.random.Generator) -> Radiance:
    """A level to slightly tilted view; mirrored half of the time."""
    panorama = load_panorama(panoramas[int(rng.integers(len(panoramas)))])
    yaw, pitch, angle = rng.uniform(-180, 180), rng.normal(0, 6), rng.uniform(55, 100)
    scene = view(panorama, yaw, pitch, angle, width_px, height_px)
    return scene[:, ::-1] if rng.random() < 0.5 else scene


@lru_cache(maxsize=64)
def load_panorama(path: Path) -> Radiance:
    """Each process reads each panorama once."""
    return read_panorama(path)


@lru_cache(maxsize=512)
def load_room(path: Path) -> Radiance:
    """Each process reads each view once; 2 MB each at 480 x 320."""
    return read_radiance(path)
