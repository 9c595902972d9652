"""What people would use in place of this project, each as a competent user would write it, measured side by side.

A baseline takes a photo file and returns an edited one, as the service does, so that every way pays for reading and
writing photos. The served ones run the service's own engine and arithmetic (perf.baselines.editor): what differs is
the serving.
"""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Enhance: TypeAlias = Callable[[bytes, str], bytes]
"""(photo file, mode) to edited photo file, JPEG both."""

QUALITY = 92  # of every JPEG that is written, as the service's default


@dataclass(frozen=True)
class Baseline:
    """One way to edit photos.

    Attributes:
        name: what its rows are called.
        modes: those that it has; a way with one only has its own word for it.
        opened: makes it ready for the time of a ``with`` block; raises where it cannot run.
        about: what it is, in a sentence.
    """

    name: str
    modes: tuple[str, ...]
    opened: Callable[[], AbstractContextManager[Enhance]]
    about: str


def read(file: bytes) -> NDArray[np.uint8]:
    """Pixels of a photo file, upright, uint8 (height, width, 3)."""
    return np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB"))


def write(photo: NDArray[np.uint8]) -> bytes:
    """A JPEG file."""
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
