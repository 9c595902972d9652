"""The obvious script: PyTorch eager, tile by tile at full resolution, overlaps blended, Pillow on both ends.

    python -m perf.peers.script photo.jpg edited.jpg

It knows the network and its two inputs, and nothing of editing at two scales.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from perf.peers import Enhance
from perf.peers.files import read, write
from perf.runtimes import CPU_THREADS
from perf.runtimes.pytorch import shipped_network
from pixels.metering import metering_exponent
from pixels.tiling import segments

TILE_PX, OVERLAP_PX = 512, 64


@torch.inference_mode()
def edit(photo: NDArray[np.uint8], network: torch.nn.Module) -> NDArray[np.uint8]:
    """Edit a photo of at least one tile.

    Args:
        photo: uint8 (height, width, 3).
        network: the generator.
    """
    planes = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    shrunk = F.interpolate(planes, (TILE_PX, TILE_PX), mode="area")[0].permute(1, 2, 0).numpy()
    exponent = torch.from_numpy(metering_exponent(shrunk))[None]
    edited = torch.zeros_like(planes)
    for y in segments(photo.shape[0], TILE_PX, OVERLAP_PX):
        for x in segments(photo.shape[1], TILE_PX, OVERLAP_PX):
            here = (..., slice(y.start_px, y.stop_px), slice(x.start_px, x.stop_px))
            weights = torch.from_numpy(np.outer(y.weights, x.weights))
            edited[here] += weights * network(planes[here], exponent)
    rounded = edited[0].clamp_(0, 1).mul_(255).round_().to(torch.uint8)
    return np.asarray(rounded.permute(1, 2, 0).contiguous().numpy())


@contextlib.contextmanager
def opened() -> Iterator[Enhance]:
    """The script with its network loaded, as in the middle of a shoot."""
    torch.set_num_threads(CPU_THREADS)
    network = shipped_network(half=False)
    yield lambda file, _mode: write(edit(read(file), network))


def main() -> None:
    """Edit one photo."""
    source, target = map(Path, sys.argv[1:])
    with opened() as enhance:
        target.write_bytes(enhance(source.read_bytes(), ""))


if __name__ == "__main__":
    main()
