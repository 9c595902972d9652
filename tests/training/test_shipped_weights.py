"""The tracked weights: one room, shot darker or with a cast, comes out much the same; grain goes, the rest stays."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pixels.brackets.exposure import to_linear
from training.data.fusion import to_display
from training.data.noise import with_noise
from training.data.pairs import read_photo
from training.inference import Edit, editor
from training.networks.refiner import MARGIN
from training.networks.weights import load_generator, load_refiner
from training.run import GENERATOR, REFINER

REPOSITORY = Path(__file__).parents[2]
WEIGHTS = REPOSITORY / "training" / "weights"
SAMPLES = sorted((REPOSITORY / "docs" / "samples").glob("*.jpg"))
CASTS = {(1.3, 1.0, 0.7): 0.67, (0.8, 1.0, 1.25): 0.67, (1.0, 1.12, 1.0): 0.5}
"""Gains of light by tungsten, in shade and by an old fluorescent tube, and the share that may remain of each: rooms may
be warm or cool, but are seldom green."""
Photo = NDArray[np.uint8]


@pytest.fixture(scope="module")
def fast() -> Edit:
    return editor(load_generator(WEIGHTS / GENERATOR))


@pytest.fixture(scope="module")
def full() -> Edit:
    return editor(load_generator(WEIGHTS / GENERATOR), load_refiner(WEIGHTS / REFINER))


def shrunk(path: Path) -> Photo:
    return np.asarray(cv2.resize(read_photo(path), (480, 320), interpolation=cv2.INTER_AREA), np.uint8)


def relit(photo: Photo, gains: tuple[float, ...]) -> Photo:
    """The photo under other light: linear gains of red, green and blue."""
    return to_display(to_linear(photo) * np.array(gains, np.float32))


def distance(first: Photo, second: Photo) -> float:
    """Mean CIE76 colour difference."""
    first_lab, second_lab = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2LAB) for p in (first, second))
    return float(np.linalg.norm(first_lab - second_lab, axis=2).mean())


def test_casts_lose_a_third_and_a_green_one_half(fast: Edit) -> None:
    for cast, share in CASTS.items():
        ratios = []
        for photo in map(shrunk, SAMPLES):
            exposed = fast(photo)  # casts are weighed at this brightness
            ratios.append(distance(fast(relit(exposed, cast)), fast(exposed)) / distance(relit(exposed, cast), exposed))
        assert np.mean(ratios) < share, (cast, np.round(ratios, 2))


def test_a_darker_shot_comes_out_alike(fast: Edit) -> None:
    ratios = []
    for photo in map(shrunk, SAMPLES):
        darker = relit(photo, (0.5, 0.5, 0.5))
        ratios.append(distance(fast(darker), fast(photo)) / distance(darker, photo))
    assert np.mean(ratios) < 0.5, np.round(ratios, 2)


def test_a_uniform_wall_stays_smooth(full: Edit) -> None:
    wall = np.full((300, 400, 3), (120, 112, 100), np.uint8)
    edited = full(wall).astype(int)
    inside = edited[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert (inside == inside[0, 0]).all()
    assert np.abs(edited - inside[0, 0]).max() <= 2, "beyond its border the refiner takes a photo for black"


def test_grain_is_taken_out_of_a_room_that_was_never_trained_on(fast: Edit, full: Edit) -> None:
    clean = read_photo(REPOSITORY / "docs" / "samples" / "kitchen.jpg")[300:812, 400:1168]
    noisy = to_display(with_noise(to_linear(clean), 0.015, np.random.default_rng(0)))
    wanted = fast(clean).astype(float)
    assert np.abs(full(noisy) - wanted).mean() < 0.92 * np.abs(fast(noisy) - wanted).mean()


def test_a_clean_photo_is_left_alone(fast: Edit, full: Edit) -> None:
    for photo in map(shrunk, SAMPLES):
        applied = fast(photo).astype(int)
        assert np.abs(full(photo) - applied).mean() < 2
