"""Rooms rendered into a folder: ``room-00012-1.hdr`` is view 1 of room 12, and ``rooms.jsonl`` describes each view."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from training.data.pairs import write_pairs
from training.data.radiance import write_radiance
from training.data.rendering.renderer import render
from training.data.rendering.scene import Quality, Scene
from training.data.rooms.cameras import VIEWS, cameras_in
from training.data.rooms.interiors import furnished_room
from training.data.rooms.outside import outside
from training.data.rooms.windows import window_frames
from training.data.views import ROOM, view_name


@dataclass(frozen=True)
class Rooms:
    """A set of rooms to be rendered; the same values make the same files."""

    count: int
    seed: int
    """Every room has a random stream of its own, made from this and its number."""
    panoramas: tuple[Path, ...]
    """What windows look out on; without any, a plain sky."""
    quality: Quality


def make_rooms(rooms: Rooms, folder: Path, processes: int) -> None:
    """Render into a folder; rooms whose views exist are skipped, so an interrupted run goes on where it stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    fresh = get_context("spawn")  # a renderer that runs in this process already would not survive a fork
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        made = pool.map(make_room, *zip(*((rooms, folder, n) for n in range(rooms.count)), strict=True))
        for room_rows in tqdm(made, total=rooms.count, unit="room"):
            rows.extend(room_rows)
            write_pairs(folder / "rooms.jsonl", rows)


def make_room(rooms: Rooms, folder: Path, number: int) -> list[dict[str, Any]]:
    """Render one room; returns a description of each view."""
    cv2.setNumThreads(1)
    room = furnished_room(rooms.seed, number)
    cameras = cameras_in(room)
    paths = [folder / f"{view_name(ROOM, number, view)}.hdr" for view in range(VIEWS)]
    if not all(path.exists() for path in paths):
        sky = outside(rooms.panoramas, room.night, np.random.default_rng((rooms.seed, number, 1)))
        scene = Scene(tuple(room.parts), cameras, sky, window_frames(room), number)
        for path, radiance in zip(paths, render(scene, rooms.quality), strict=True):
            write_radiance(path, radiance)
    return [
        {
            "file": path.name,
            "room": number,
            "kind": room.kind,
            "night": room.night,
            "view_deg": round(camera.view_deg, 1),
        }
        for path, camera in zip(paths, cameras, strict=True)
    ]
