"""What is known of a photo file without decoding it: size, camera, time and exposure; and a tiny copy where needed."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from clients.brackets.likeness import VIEW_PX, View
from clients.camera import NEARLY_TIFF, TIFF_START, is_developed
from clients.request import FORMAT_OF
from codec.options import EXTENSIONS

SAME_KIND = {".heif": ".heic"} | {extension: EXTENSIONS[kind] for extension, kind in FORMAT_OF.items()}
HEAD_BYTES = 4 << 20
"""Of files whose EXIF has to be searched for."""
EXIF_START = b"Exif\0\0"
EXIF = 0x8769
WIDTH, HEIGHT, MAKER, MODEL, ORIENTATION = 0x0100, 0x0101, 0x010F, 0x0110, 0x0112
SHUTTER, APERTURE, SENSITIVITY, TIME, BIAS, SUBSECONDS = 0x829A, 0x829D, 0x8827, 0x9003, 0x9204, 0x9291
EXIF_WIDTH, EXIF_HEIGHT, MODE, SERIAL = 0xA002, 0xA003, 0xA402, 0xA431
AUTO_BRACKET = 2

Tags = dict[int, object]


@dataclass(frozen=True)
class Shot:
    """One photo file, as far as its header tells; what is not known is empty, 0 or None."""

    path: Path
    kind: str
    """Its extension, the same for all spellings: a camera file and its JPEG are of two kinds."""
    size_px: tuple[int, int] = (0, 0)
    """Width and height as stored."""
    orientation: int = 1
    camera: tuple[str, ...] = ()
    """Maker, model and serial number."""
    time_s: float | None = None
    """When it was taken, by the camera's clock."""
    shutter_s: float = 0.0
    exposure_ev: float | None = None
    """How much light shutter, aperture and sensitivity made of the scene's, in stops."""
    bias_ev: float | None = None
    """What the camera was told to deviate from its metering, in stops."""
    is_bracketed: bool = False
    """Whether the camera says that it was bracketing."""

    @property
    def is_timed(self) -> bool:
        """Whether EXIF tells when and how it was exposed."""
        return self.time_s is not None and self.exposure_ev is not None


def read_shot(path: Path) -> Shot:
    """Reads a file's header; a file that cannot be read is a shot of which nothing is known."""
    kind = SAME_KIND.get(path.suffix.lower(), path.suffix.lower())
    try:
        with path.open("rb") as file:
            return _shot(path, kind, *_header(path, file))
    except Exception:  # Pillow's readers raise nearly anything; whoever sends the photo will be told
        return Shot(path, kind)


def read_view(shot: Shot) -> View | None:
    """A tiny copy of a photo; None for camera files, and for what cannot be read."""
    if is_developed(shot.path):
        return None
    try:
        with shot.path.open("rb") as file, Image.open(file) as photo:
            photo.draft("L", (4 * VIEW_PX, 4 * VIEW_PX))
            return np.asarray(photo.convert("L").resize((VIEW_PX, VIEW_PX), Image.Resampling.BOX))
    except Exception:  # as above
        return None


def by_name(path: Path) -> tuple[tuple[str, ...], list[tuple[int, str]], str]:
    """Sorts as people do: folder by folder, `IMG_9` before `IMG_10`."""
    parts = re.findall(r"\d+|\D+", path.stem.lower())
    return path.parts[:-1], [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


def _header(path: Path, file: BinaryIO) -> tuple[tuple[int, int], Tags]:
    """The size in pixels and all EXIF tags."""
    head = file.read(8)
    file.seek(0)
    if head[:4] in (TIFF_START, b"MM\0*", *NEARLY_TIFF):
        is_nearly = head[:4] in NEARLY_TIFF
        tags = _tags(io.BytesIO(TIFF_START + file.read(HEAD_BYTES)[4:]) if is_nearly else file)
        return (_whole(tags, WIDTH), _whole(tags, HEIGHT)), tags
    if is_developed(path):
        head = file.read(HEAD_BYTES)
        start = head.find(EXIF_START)
        tags = _tags(io.BytesIO(head[start + len(EXIF_START) :])) if start >= 0 else {}
        return (_whole(tags, EXIF_WIDTH), _whole(tags, EXIF_HEIGHT)), tags
    with Image.open(file) as photo:
        exif = photo.getexif()
        return photo.size, {**exif, **exif.get_ifd(EXIF)}


def _tags(file: BinaryIO) -> Tags:
    exif = Image.Exif()
    exif.load_from_fp(file)
    return {**exif, **exif.get_ifd(EXIF)}


def _shot(path: Path, kind: str, size_px: tuple[int, int], tags: Tags) -> Shot:
    shutter_s, aperture = _number(tags, SHUTTER), _number(tags, APERTURE)
    sensitivity = _number(tags, SENSITIVITY) or 100.0
    return Shot(
        path,
        kind,
        size_px,
        _whole(tags, ORIENTATION) or 1,
        tuple(str(tags.get(tag, "")) for tag in (MAKER, MODEL, SERIAL)),
        _time_s(tags),
        shutter_s or 0.0,
        math.log2(shutter_s * sensitivity / 100 / (aperture or 1.0) ** 2) if shutter_s else None,
        _number(tags, BIAS),
        _whole(tags, MODE) == AUTO_BRACKET,
    )


def _time_s(tags: Tags) -> float | None:
    """Seconds by the camera's clock; only differences mean something."""
    try:
        taken = datetime.strptime(str(tags[TIME]), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        return taken.timestamp() + float(f"0.{str(tags.get(SUBSECONDS, '0')).strip()}")
    except (KeyError, ValueError):
        return None


def _number(tags: Tags, tag: int) -> float | None:
    """A finite number; of several, such as sensitivities, the first."""
    value = tags.get(tag)
    try:
        number = float(value[0] if isinstance(value, tuple) else value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and abs(number) < 1e9 and (number >= 0 or tag == BIAS) else None


def _whole(tags: Tags, tag: int) -> int:
    return int(_number(tags, tag) or 0)
