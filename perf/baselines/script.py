"""The obvious script: both networks in PyTorch eager, the curves looked up by its tensors, Pillow on both ends.

It shares nothing with the service but the weights and where tiles start.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from export.contract import read_contract
from export.networks import load_network
from files.checkout import MODEL_REPOSITORY
from perf.baselines import Enhance, read, write
from perf.engines.table import CPU_THREADS, WEIGHTS
from pixels.tiling import TILE_PX, segments
from serving.versions import NETWORKS
from training.networks.curves import apply_curves

STRIP_PX = 256  # rows that are stretched at a time: 27 planes of a whole photo would not fit


@torch.inference_mode()
def edit(photo: NDArray[np.uint8], generator: nn.Module, refiner: nn.Module | None) -> NDArray[np.uint8]:
    """Edit a photo.

    Args:
        photo: uint8 (height, width, 3).
        generator: from COARSE to CURVES.
        refiner: from PHOTO and APPLIED to REFINED; None for the curves alone.
    """
    planes = torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255
    coarse = F.interpolate(planes, (TILE_PX, TILE_PX), mode="bilinear", antialias=True)
    applied = apply(planes[0], generator(coarse.permute(0, 2, 3, 1)))
    edited = applied.permute(1, 2, 0).mul(255).round_().to(torch.uint8).contiguous().numpy()
    return edited if refiner is None else refine(photo, edited, refiner)


def apply(planes: Tensor, curves: Tensor) -> Tensor:
    """Apply the curves strip by strip, so that a large photo fits: (3, height, width) in [0, 1], likewise back."""
    height, strips = planes.shape[1], []
    for top in range(0, height, STRIP_PX):
        strip = planes[None, :, top : top + STRIP_PX]
        place = torch.tensor([[0, top / height, 1, (top + strip.shape[2]) / height]])
        strips.append(apply_curves(curves, strip, place)[0].clamp_(0, 1))
    return torch.cat(strips, dim=1)


def refine(photo: NDArray[np.uint8], applied: NDArray[np.uint8], refiner: nn.Module) -> NDArray[np.uint8]:
    """Refine tile by tile, each cropped where it has a neighbour."""
    refined = np.empty_like(applied)
    for y in segments(photo.shape[0]):
        for x in segments(photo.shape[1]):
            tiles = [torch.from_numpy(padded(whole[y.seen, x.seen]))[None] for whole in (photo, applied)]
            refined[y.kept, x.kept] = refiner(*tiles)[0].numpy()[y.kept_of_tile, x.kept_of_tile]
    return refined


def padded(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mirrored outwards where the photo ends before the tile does."""
    return np.pad(tile, [(0, TILE_PX - tile.shape[0]), (0, TILE_PX - tile.shape[1]), (0, 0)], mode="symmetric")


@contextlib.contextmanager
def opened() -> Iterator[Enhance]:
    """The script with its networks loaded, as in the middle of a shoot."""
    torch.set_num_threads(CPU_THREADS)
    contracts = [read_contract(MODEL_REPOSITORY / name) for name in NETWORKS]
    generator, refiner = (load_network(each, WEIGHTS / each.weights) for each in contracts)
    yield lambda file, mode: write(edit(read(file), generator, refiner if mode == "full" else None))
