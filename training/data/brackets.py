"""Pairs from a studio's exposure brackets: the photo is the frame without compensation, the target the edited stack.

Stacks are told apart by folder (one stack each), or, for photos that lie side by side, by EXIF: a stack's frames follow
each other within seconds and no exposure compensation comes twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from pixels.brackets.alignment import MisalignedError, align
from pixels.brackets.merging import merge
from training.data.fusion import Photo, standard_edit
from training.data.pairs import Pair, PairsError, read_photo, split_pairs, write_pairs, write_photo

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
LONG_EDGE_PX = 2048  # of the pairs; training cuts its tiles from less
TRAINING, HELD_OUT = "train.jsonl", "held-out.jsonl"
FEWEST_TO_SPLIT = 3  # of which training then holds out one by itself, to choose weights by
LONGEST_PAUSE_S = 5.0  # between the frames of a stack
EXIF_IFD, TIME, SUBSECONDS, COMPENSATION = 0x8769, 0x9003, 0x9291, 0x9204


@dataclass(frozen=True)
class Frame:
    """One exposure."""

    path: Path
    time_s: float | None
    """When it was taken, from EXIF."""
    compensation_ev: float | None
    """Exposure compensation, from EXIF."""


@dataclass(frozen=True)
class Made:
    """What became of a shoot."""

    training: int
    """Number of pairs in train.jsonl."""
    held_out: int
    """Number of pairs in held-out.jsonl, which there is from three pairs on."""
    refused: list[str]
    """A line for each stack that was refused."""


def make_pairs_from_brackets(folder: Path, out: Path) -> Made:
    """Write a dataset: photos, ``out/train.jsonl``, and a tenth of the pairs in ``out/held-out.jsonl``.

    Args:
        folder: sub-folders with one stack each, or photos with EXIF.
        out: folder of the dataset.

    Raises:
        PairsError: no stack at all, or none that could be used.
    """
    stacks = list(find_stacks(folder))
    if not stacks:
        raise PairsError(
            f"{folder}: no exposure stacks; put each stack into a folder of its own, or keep the photos' EXIF data"
        )
    (out / "photos").mkdir(parents=True, exist_ok=True)
    pairs, refused = [], []
    for name, frames in tqdm(stacks, unit="stack"):
        try:
            source, target = pair_of_stack(frames)
        except ValueError as reason:
            refused.append(f"{name}: {reason}")
            continue
        pair = Pair(Path(f"photos/{name}.jpg"), Path(f"photos/{name}.target.jpg"))
        write_photo(out / pair.source, source)
        write_photo(out / pair.target, target)
        pairs.append(pair)
    if not pairs:
        raise PairsError(f"{folder}: every stack was refused:\n" + "\n".join(f"  {line}" for line in refused))
    training, held_out = split_pairs(pairs) if len(pairs) >= FEWEST_TO_SPLIT else (pairs, [])
    for name, part in ((TRAINING, training), (HELD_OUT, held_out)):
        if part:
            write_pairs(out / name, ({"source": str(pair.source), "target": str(pair.target)} for pair in part))
        else:
            (out / name).unlink(missing_ok=True)  # of an earlier run, whose pairs are now trained on
    return Made(len(training), len(held_out), refused)


def find_stacks(folder: Path) -> Iterator[tuple[str, list[Frame]]]:
    """Named stacks of at least two frames, in the folder's sub-folders and side by side in itself."""
    for sub in sorted(path for path in folder.glob("*") if path.is_dir()):
        frames = frames_in(sub)
        if len(frames) > 1:
            yield sub.name, frames
    for frames in split_by_exif(frames_in(folder)):
        yield frames[0].path.stem, frames


def frames_in(folder: Path) -> list[Frame]:
    """The photos that lie in a folder."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    return [read_frame(path) for path in paths]


def read_frame(path: Path) -> Frame:
    """A photo's EXIF; what is missing is None."""
    try:
        with Image.open(path) as image:
            exif = image.getexif().get_ifd(EXIF_IFD)
    except OSError:
        return Frame(path, None, None)  # found out, with its name, when it is decoded
    try:
        fraction = float(f"0.{str(exif.get(SUBSECONDS, '0')).strip()}")
        time = datetime.strptime(str(exif[TIME]), "%Y:%m:%d %H:%M:%S").timestamp() + fraction
    except (KeyError, ValueError):
        time = None
    return Frame(path, time, float(exif[COMPENSATION]) if COMPENSATION in exif else None)


def split_by_exif(frames: list[Frame]) -> Iterator[list[Frame]]:
    """Stacks among photos that lie side by side; photos without the EXIF data belong to none."""
    known = sorted((f for f in frames if f.time_s is not None and f.compensation_ev is not None), key=taken_at)
    stack: list[Frame] = []
    for frame in known:
        repeated = frame.compensation_ev in {other.compensation_ev for other in stack}
        if stack and (repeated or taken_at(frame) - taken_at(stack[-1]) > LONGEST_PAUSE_S):
            if len(stack) > 1:
                yield stack
            stack = []
        stack.append(frame)
    if len(stack) > 1:
        yield stack


def taken_at(frame: Frame) -> float:
    """Seconds; for frames whose time is known."""
    return frame.time_s or 0.0


def pair_of_stack(frames: list[Frame]) -> tuple[Photo, Photo]:
    """The unedited photo and its target, of one size.

    Raises:
        ValueError: damaged photos, differing sizes, or frames that do not align; says which.
    """
    photos = [shrink(read_photo(frame.path, at_least_px=LONG_EDGE_PX)) for frame in frames]
    sizes = {photo.shape for photo in photos}
    if len(sizes) > 1:
        raise ValueError("its frames differ in size: " + ", ".join(f"{w}x{h}" for h, w, _ in sorted(sizes)))
    order = sorted(range(len(photos)), key=lambda index: photos[index].mean())
    anchor = order.index(unedited(frames, order))
    try:
        aligned = align([photos[index] for index in order], anchor)
    except MisalignedError as error:
        raise ValueError(f"misaligned: {error}") from None
    return np.asarray(aligned[anchor], np.uint8), standard_edit(merge(aligned))


def unedited(frames: list[Frame], order: list[int]) -> int:
    """Index of the frame that the camera's meter chose: no compensation, or the middle of the exposures."""
    compensations = [frame.compensation_ev for frame in frames]
    if None in compensations:
        return order[(len(order) - 1) // 2]
    return min(range(len(frames)), key=lambda index: abs(compensations[index] or 0.0))


def shrink(photo: Photo) -> Photo:
    """The photo with a long edge of at most LONG_EDGE_PX."""
    scale = LONG_EDGE_PX / max(photo.shape[:2])
    if scale >= 1:
        return photo
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
