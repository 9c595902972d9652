"""Photos with EXIF of a camera, alone and in brackets."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clients.brackets.shots import (
    APERTURE,
    BIAS,
    EXIF,
    MAKER,
    MODE,
    MODEL,
    SENSITIVITY,
    SHUTTER,
    SUBSECONDS,
    TIME,
    Shot,
    read_shot,
)
from tests.photos import encoded

Pixels = NDArray[np.uint8]


def room(seed: int, width: int = 240, height: int = 160) -> Pixels:
    """A scene with large and small things, from dark to bright, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    pixels = cv2.resize(rng.uniform(15, 150, (9, 13, 3)).astype(np.float32), (width, height))
    for _ in range(12):
        x, y = rng.integers(0, width - 30), rng.integers(0, height - 30)
        pixels[y : y + rng.integers(10, 30), x : x + rng.integers(10, 30)] *= rng.uniform(0.4, 1.5)
    return np.clip(pixels, 6, 200).astype(np.uint8)


def exposed(scene: Pixels, ev: float) -> Pixels:
    """The scene with more light."""
    return np.clip(scene * 2 ** (ev / 2.2) + 0.5, 0, 255).astype(np.uint8)


def exif(time_s: float, ev: float, bias_ev: float | None = None, mode: int = 0) -> Image.Exif:
    """Of a photo taken some seconds after ten o'clock, `ev` stops above 1/60 s."""
    tags = Image.Exif()
    tags[MAKER], tags[MODEL] = "Maker", "Model"
    minutes, seconds = divmod(int(time_s), 60)
    inner = tags.get_ifd(EXIF)
    inner[TIME], inner[SUBSECONDS] = f"2026:05:01 10:{minutes:02}:{seconds:02}", f"{time_s % 1:.2f}"[2:]
    inner[SHUTTER], inner[APERTURE], inner[SENSITIVITY], inner[MODE] = 2.0**ev / 60, 8.0, 100, mode
    if bias_ev is not None:
        inner[BIAS] = bias_ev
    return tags


def shoot(folder: Path, *frames: tuple[str, int, float, Image.Exif | None]) -> list[Shot]:
    """Writes photos: name, seed of the room, exposure in stops, EXIF."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed, ev, tags in frames:
        kind = {"exif": tags} if tags else {}
        (folder / name).write_bytes(encoded(exposed(room(seed), ev), quality=95, **kind))
    return [read_shot(folder / name) for name, *_ in frames]


def bracket(
    start: int, seed: int, time_s: float | None, evs: tuple[float, ...] = (0, -2, 2), biased: bool = True
) -> list[tuple[str, int, float, Image.Exif | None]]:
    """Frames `IMG_<start>.jpg` and on, a second apart; without a time they have no EXIF."""
    return [
        (
            f"IMG_{start + index}.jpg",
            seed,
            ev,
            None if time_s is None else exif(time_s + index, ev, ev if biased else 0.0),
        )
        for index, ev in enumerate(evs)
    ]


def names(found: list[tuple[Path, ...]]) -> list[str]:
    """Groups as texts such as `8 9 10`."""
    return [" ".join(path.stem.removeprefix("IMG_") for path in paths) for paths in found]
