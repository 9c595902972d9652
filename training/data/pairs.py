"""The dataset format: a folder of photos and a JSON Lines file, one ``{"source": ..., "target": ...}`` a line.

The keys may be ``src`` and ``tgt``, or ``input`` and ``output``, too. Paths are relative to the file, or to a data root
that is named; extra keys are allowed. Everything is checked before training starts, and every bad line
is named at once, so that nobody fixes a dataset one crash at a time.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from files.writing import write_whole
from training.errors import TrainingError

QUALITY = 97  # of the JPEG files that are written here
KEYS = (("source", "target"), ("src", "tgt"), ("input", "output"))
FULL_COLOUR = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444


class PairsError(TrainingError):
    """A dataset that cannot be trained on; the message names every bad line."""


@dataclass(frozen=True)
class Pair:
    """An unedited photo and the edit to learn, of one size in pixels."""

    source: Path
    target: Path


def read_pairs(jsonl: Path, root: Path | None = None) -> list[Pair]:
    """The pairs that a JSON Lines file lists, all checked.

    Args:
        jsonl: the file.
        root: what its paths are relative to; by default the file's own folder.

    Raises:
        PairsError: no such file, no pairs, or bad lines, each named with its number and reason.
    """
    try:
        lines = jsonl.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PairsError(f"{jsonl}: cannot be read ({error})") from None
    pairs: list[Pair] = []
    faults: list[str] = []
    seen: dict[Path, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pair = parse_line(line, root or jsonl.parent)
            check_photos(pair)
            first = seen.setdefault(pair.source, number)
            if first != number:
                raise ValueError(f"same source as line {first}")
        except ValueError as fault:
            faults.append(f"  line {number}: {fault}")
        else:
            pairs.append(pair)
    if faults:
        raise PairsError(f"{jsonl}: {len(faults)} of {len(lines)} lines are bad:\n" + "\n".join(faults))
    if not pairs:
        raise PairsError(f'{jsonl}: lists no pairs; each line reads {{"source": "a.jpg", "target": "b.jpg"}}')
    return pairs


def parse_line(line: str, folder: Path) -> Pair:
    """One line of the file, its paths resolved against the folder."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from None
    for keys in KEYS if isinstance(row, dict) else ():
        if all(isinstance(row.get(key), str) for key in keys):
            source, target = (folder / row[key] for key in keys)
            return Pair(source, target)
    raise ValueError('"source" and "target" (or "src" and "tgt", or "input" and "output") must be paths')


def check_photos(pair: Pair) -> None:
    """Raises ValueError unless both photos decode and have one size; reads headers, and the pixels when cached."""
    source, target = photo_size(pair.source), photo_size(pair.target)
    if source != target:
        raise ValueError(f"sizes differ: {pair.source.name} {source}, {pair.target.name} {target}")


def photo_size(path: Path) -> str:
    """'1500x1000', from the file's header, as it looks upright."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            width, height = image.size[::-1] if turned else image.size
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path}: not a readable image ({error})") from None
    return f"{width}x{height}"


def split_pairs(pairs: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Pairs for training and for validation: one target in ten is held out, with all its sources, the same every time.

    Raises:
        PairsError: too few pairs to hold one out.
    """
    targets = sorted({pair.target for pair in pairs})
    if len(targets) < 2:
        raise PairsError("a single pair cannot be split into training and validation; add pairs, or name --validation")
    held = set(random.Random(0).sample(targets, max(1, len(targets) // 10)))
    return [pair for pair in pairs if pair.target not in held], [pair for pair in pairs if pair.target in held]


def read_photo(path: Path, at_least_px: int | None = None) -> NDArray[np.uint8]:
    """A photo, upright.

    Args:
        path: any image file that Pillow reads.
        at_least_px: smallest side that is needed; a larger JPEG is shrunk while it is decoded, several times faster.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        PairsError: the file is damaged.
    """
    try:
        with Image.open(path) as image:
            if at_least_px is not None:
                image.draft("RGB", (at_least_px, at_least_px))
            return np.array(ImageOps.exif_transpose(image).convert("RGB"))
    except OSError as error:
        raise PairsError(f"{path}: does not decode ({error})") from None


def write_pairs(jsonl: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write the rows, one a line."""
    write_whole(jsonl, "".join(json.dumps(row) + "\n" for row in rows))


def write_photo(path: Path, photo: NDArray[np.uint8]) -> None:
    """Write a JPEG of little loss."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FULL_COLOUR]
    _, data = cv2.imencode(".jpg", photo[..., ::-1], parameters)
    write_whole(path, data.tobytes())
