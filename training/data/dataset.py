"""What the training loop draws from: photos and targets, reproducible to the bit after a resume.

An item's random choices hang on the seed, the epoch and the item's number alone, not on which worker makes it or when.
So a run that stops in the middle of an epoch goes on exactly as if it had not.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from training.data.augmentation import Augmentation, augment, random_gains, tint
from training.data.cache import Squares

Key = tuple[int, int]  # epoch, index
Batch = tuple[Tensor, ...]  # what the network sees, and the target last: float [N, 3, side, side] each


@dataclass(frozen=True)
class PairDataset(Dataset[Batch]):
    """Augmented pairs.

    Args:
        squares: uint8 (pairs, photos of a pair, cache side, cache side, 3); the target is the last.
        side_px: side of what is drawn.
        augmentation: how pairs are varied.
        seed: of all random choices.
    """

    squares: Squares
    side_px: int
    augmentation: Augmentation
    seed: int

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self.squares)

    def __getitem__(self, key: Key) -> Batch:
        """The photos of a pair, float32 [3, side, side] each, in [0, 1]."""
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch, index))
        photos = self.squares[index]
        if self.augmentation.cast:
            gains = random_gains(self.augmentation.cast, rng)
            photos = np.stack([*(tint(photo, gains) for photo in photos[:-1]), photos[-1]])
        return tuple(map(to_tensor, augment(photos, self.side_px, self.augmentation, rng)))


def to_tensor(photo: NDArray[np.uint8]) -> Tensor:
    """uint8 (height, width, 3) to float32 [3, height, width] in [0, 1]."""
    return torch.from_numpy(photo).permute(2, 0, 1).float() / 255


class EpochSampler(Sampler[Key]):
    """One epoch in random order, shared out to processes, from any batch on.

    Args:
        length: number of pairs.
        epoch: decides the order, with the seed.
        seed: of the run.
        rank: this process.
        world_size: number of processes; each gets the same number of pairs, so a remainder is left out.
        skip: pairs of this process that an interrupted run has already seen.
    """

    def __init__(self, length: int, epoch: int, seed: int, rank: int = 0, world_size: int = 1, skip: int = 0) -> None:
        order = np.random.default_rng((seed, epoch)).permutation(length)
        share = length // world_size
        self.keys = [(epoch, int(index)) for index in order[rank * share : (rank + 1) * share][skip:]]

    def __iter__(self) -> Iterator[Key]:
        """Keys of the dataset."""
        return iter(self.keys)

    def __len__(self) -> int:
        """Number of keys."""
        return len(self.keys)


def load_batches(dataset: PairDataset, sampler: EpochSampler, batch_size: int, workers: int) -> DataLoader[Batch]:
    """Full batches of one epoch; the remainder waits for another epoch's order."""
    cv2.setNumThreads(1)  # before workers are forked: they would wait for ever for OpenCV's threads
    return DataLoader(
        dataset,
        batch_size,
        sampler=sampler,
        num_workers=workers,
        drop_last=True,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
    )
