"""Memory that a decode model and its worker share: one photo goes in as a file and comes out as pixels."""

import fcntl
import math
import mmap
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codec.header import Header
from codec.upright import COARSE_PX

ALIGNMENT = 64  # bytes, for vectorised code
GRAIN = 32 << 20  # buffers grow in such steps, so that few photos need a new one


@dataclass(frozen=True)
class Places:
    """Where a photo's parts lie in the shared memory, in bytes.

    Attributes:
        coarse: behind the pixels, which lie at 0.
        file: behind the coarse tile.
        end: of the file.
    """

    coarse: int
    file: int
    end: int

    @classmethod
    def of(cls, header: Header, file_bytes: int) -> "Places":
        """Places for a photo whose cleaned file has that many bytes."""
        coarse = _aligned(math.prod(header.upright_shape) * header.bits // 8)
        file = _aligned(coarse + COARSE_PX * COARSE_PX * 3 * 4)
        return cls(coarse, file, file + file_bytes)


def pixels_in(memory: mmap.mmap, header: Header) -> NDArray[Any]:
    """The upright photo, uint8 or uint16 (height, width, channels), in the memory itself."""
    kind = np.uint16 if header.bits == 16 else np.uint8
    count = math.prod(header.upright_shape)
    return np.frombuffer(memory, kind, count).reshape(header.upright_shape)


def coarse_in(memory: mmap.mmap, places: Places) -> NDArray[np.float32]:
    """The coarse tile, float32 (512, 512, 3), in the memory itself."""
    return np.frombuffer(memory, np.float32, COARSE_PX * COARSE_PX * 3, places.coarse).reshape(COARSE_PX, COARSE_PX, 3)


class Buffer:
    """Anonymous memory of zeros that another process can map, and that no process can shrink under another's feet.

    Args:
        wanted: bytes; it has as many or some more.
    """

    def __init__(self, wanted: int) -> None:
        self.size = -(-wanted // GRAIN) * GRAIN
        self.handle = os.memfd_create("photo", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.handle, self.size)
        fcntl.fcntl(self.handle, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.memory = mmap.mmap(self.handle, self.size)

    def close(self) -> None:
        """Give the memory back; as long as arrays still look into it, it stays mapped."""
        os.close(self.handle)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
