"""Augmentation and loading: both photos alike, no black corners, the same pairs in the same order."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.augmentation import Augmentation, augment, rotate, tint
from training.data.dataset import EpochSampler, PairDataset, load_batches

EVERYTHING = Augmentation(horizontal_flip=0.5, vertical_flip=0.5, rotation_deg=5)


def squares(count: int = 10, side: int = 48) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    source = rng.integers(40, 200, (count, side, side, 3), np.uint8)
    return np.stack([source, source + 50], axis=1)


def test_both_photos_are_varied_alike() -> None:
    for seed in range(20):
        source, target = augment(squares()[0], 32, EVERYTHING, np.random.default_rng(seed))
        assert np.abs(target.astype(int) - source - 50).max() <= 1


@pytest.mark.parametrize("angle", [-5, -3, 3, 5])
def test_rotation_leaves_no_black_corners(angle: float) -> None:
    white = np.full((64, 64, 3), 255, np.uint8)
    assert rotate(white, angle).min() == 255
    marked = np.zeros((65, 65, 3), np.uint8)
    marked[32, 40:] = 255
    turned = rotate(marked, angle)[..., 0]
    rows = turned[:, 60].argmax()
    assert np.sign(32 - rows) == np.sign(angle)  # it does turn


def test_default_changes_nothing_but_the_size() -> None:
    photos = squares()[0]
    assert np.array_equal(augment(photos, 48, Augmentation(), np.random.default_rng(0)), photos)
    assert augment(photos, 16, Augmentation(), np.random.default_rng(0)).shape == (2, 16, 16, 3)


@pytest.mark.parametrize(
    ("augmentation", "axis"), [(Augmentation(horizontal_flip=1), 2), (Augmentation(vertical_flip=1), 1)]
)
def test_flips(augmentation: Augmentation, axis: int) -> None:
    photos = squares()[0]
    flipped = augment(photos, 48, augmentation, np.random.default_rng(0))
    assert np.array_equal(flipped, np.flip(photos, axis))


def test_casts_tint_the_source_alone() -> None:
    grey = np.full((1, 2, 48, 48, 3), 100, np.uint8)
    photo, target = PairDataset(grey, 48, Augmentation(cast=0.3), seed=1)[0, 0]
    assert photo.mean((1, 2)).std() > 0.02 and target.mean((1, 2)).std() == 0


def test_tint_is_a_gain_of_light_that_spares_white() -> None:
    photo = np.array([[[60, 60, 60], [255, 255, 255], [0, 0, 0]]], np.uint8)
    tinted = tint(photo, np.array([1.5, 1.0, 0.5]))[0]
    assert (tinted[0] / 60.0) ** 2.2 == pytest.approx([1.5, 1.0, 0.5], rel=0.03)
    assert (tinted[1] == 255).all() and (tinted[2] == 0).all()


def test_an_item_hangs_on_seed_epoch_and_index_alone() -> None:
    first, again, other = (PairDataset(squares(), 32, EVERYTHING, seed) for seed in (0, 0, 1))
    assert first[3, 5][0].equal(again[3, 5][0])
    assert not first[3, 5][0].equal(first[4, 5][0]) and not first[3, 5][0].equal(other[3, 5][0])


def test_workers_deliver_what_one_process_does() -> None:
    dataset, sampler = PairDataset(squares(), 32, EVERYTHING, 0), EpochSampler(10, 0, 0)
    alone, shared = (list(load_batches(dataset, sampler, 4, workers)) for workers in (0, 2))
    assert len(alone) == len(shared) == 2  # full batches only
    assert all(a.equal(b) for x, y in zip(alone, shared, strict=True) for a, b in zip(x, y, strict=True))


def test_processes_share_an_epoch_and_resume_within_it() -> None:
    whole = EpochSampler(11, epoch=2, seed=0).keys
    first, second = (EpochSampler(11, 2, 0, rank, world_size=2).keys for rank in (0, 1))
    assert len(first) == len(second) == 5 and set(first).isdisjoint(second) and set(first + second) <= set(whole)
    assert EpochSampler(11, 2, 0, skip=4).keys == whole[4:]
    assert [index for _, index in EpochSampler(11, 3, 0).keys] != [index for _, index in whole]
