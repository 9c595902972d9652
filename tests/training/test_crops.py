"""Crops for the refiner: photo and clean crop show the same place, and differ by the camera's defects alone."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import room
from training.data.camera import Shot
from training.data.crops import COARSE_PX, CropDataset, crop_pair, random_defects
from training.data.radiance import write_radiance


@pytest.fixture
def view(tmp_path: Path) -> Path:
    write_radiance(tmp_path / "white_room-0-0.hdr", room(1, 200, 300))
    return tmp_path / "white_room-0-0.hdr"


def pair(view: Path, shot: Shot) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return crop_pair(view, 96, shot, np.random.default_rng(0))


def test_without_defects_photo_and_clean_crop_are_one(view: Path) -> None:
    photo, clean, _, _ = pair(view, Shot())
    assert np.array_equal(photo, clean)


@pytest.mark.parametrize("defects", [Shot(noise=0.02), Shot(quality=60)])
def test_defects_change_the_photo_and_not_its_mean(view: Path, defects: Shot) -> None:
    photo, clean, _, _ = pair(view, defects)
    difference = photo.astype(float) - clean
    assert difference.std() > 0.5
    assert abs(difference.mean()) < 1


def test_more_noise_differs_more(view: Path) -> None:
    errors = [np.subtract(*pair(view, Shot(noise=noise))[:2], dtype=float).std() for noise in (0.004, 0.01, 0.02)]
    assert errors == sorted(errors)


def test_clean_crop_is_found_at_its_place_in_the_whole_photo(view: Path) -> None:
    _, clean, coarse, (left, top, right, bottom) = pair(view, Shot())
    rows, columns = (slice(round(a * COARSE_PX), round(b * COARSE_PX)) for a, b in ((top, bottom), (left, right)))
    assert coarse[rows, columns].mean((0, 1)) == pytest.approx(clean.mean((0, 1)), abs=3)


def test_items_hang_on_their_key_alone(view: Path) -> None:
    dataset = CropDataset((view,), 8, 64, seed=1)
    first, again, other = dataset[0, 3], dataset[0, 3], dataset[1, 3]
    assert [tuple(x.shape) for x in first] == [(3, 64, 64), (3, 64, 64), (3, COARSE_PX, COARSE_PX), (4,)]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_some_shots_are_nearly_clean() -> None:
    noise = np.array([random_defects(np.random.default_rng(seed)).noise for seed in range(200)])
    assert 0.15 < (noise < 0.001).mean() < 0.35
    assert noise.max() <= 0.02
