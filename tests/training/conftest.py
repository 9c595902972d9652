"""Photos made by code: smooth rooms with a bright window, and the pairs that a simple studio edit makes of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from training.data.pairs import write_pairs, write_photo


def room(seed: int, height: int = 64, width: int = 96) -> NDArray[np.float32]:
    """Linear radiance (height, width, 3) of a made-up room."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0.02, 0.5, (4, 5, 3)).astype(np.float32)
    scene = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0.01)
    top, left = rng.integers(height // 2), rng.integers(width // 2)
    scene[top : top + height // 3, left : left + width // 3] *= 8  # the window
    return np.asarray(scene, np.float32)


def photograph(scene: NDArray[np.float32], ev: float) -> NDArray[np.uint8]:
    """A plain exposure: gamma and clipping, nothing else."""
    return np.rint(np.clip(scene * 2.0**ev, 0, 1) ** (1 / 2.2) * 255).astype(np.uint8)


@pytest.fixture
def pairs_jsonl(tmp_path: Path) -> Path:
    """A dataset of 12 pairs: dark photos and their brightened, warmer edits."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    rows = []
    for number in range(12):
        source = photograph(room(number), -1.5)
        target = np.clip(source.astype(np.float32) * (1.5, 1.4, 1.2) + 20, 0, 255).astype(np.uint8)
        write_photo(folder / f"{number}.jpg", source)
        write_photo(folder / f"{number}.edit.jpg", target)
        rows.append({"source": f"{number}.jpg", "target": f"{number}.edit.jpg"})
    write_pairs(folder / "train.jsonl", rows)
    return folder / "train.jsonl"


@pytest.fixture
def panorama_folder(tmp_path: Path) -> Path:
    """Two tiny panoramas: one to train on, one whose name is held out for validation."""
    folder = tmp_path / "panoramas"
    folder.mkdir()
    for number, name in enumerate(("room_1k.hdr", "autoshop_01_1k.hdr")):
        cv2.imwrite(str(folder / name), room(number, 64, 128)[..., ::-1])
    return folder
