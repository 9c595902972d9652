"""Photos whose right edit is known, at a camera's sizes.

They are views of the held-out panoramas, taken by a simulated camera (training.data.simulation).
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from files.checkout import ROOT
from perf.errors import PerfError
from perf.photos import SAMPLES
from training.data.camera import random_body
from training.data.pairs import PairsError, read_photo, write_photo
from training.data.simulation import photograph, random_view, split_panoramas
from training.evaluation import LONG_EDGE_PX, Scores, score

FOLDER = ROOT / "artifacts/perf/scenes"
SIZE = (1732, 1155)  # in pixels; the panoramas hold no finer detail
SCORED = (LONG_EDGE_PX, LONG_EDGE_PX * 2 // 3)  # in pixels, as SIZE
SEED = 7


@dataclass(frozen=True)
class Scene:
    """A photo to edit.

    Attributes:
        source: its file, unedited, of SIZE; photo_file makes it as large as wanted.
        target: the right edit, uint8 (height, width, 3); None where it is not known.
    """

    source: Path
    target: NDArray[np.uint8] | None

    def score(self, edited: NDArray[np.uint8]) -> Scores:
        """Distance of an edit, of any size, from the right one."""
        assert self.target is not None
        return score(at_scoring_size(edited), at_scoring_size(self.target))


def at_scoring_size(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Photos of all sizes are compared at one."""
    return np.asarray(cv2.resize(photo, SCORED, interpolation=cv2.INTER_AREA), np.uint8)


def held_out_scenes(panoramas: Path, count: int, folder: Path = FOLDER) -> list[Scene]:
    """Scenes of the panoramas that were never trained on; what was made before is used again.

    Raises:
        PerfError: the folder has none.
    """
    try:
        _, held_out = split_panoramas(panoramas)
    except PairsError as error:
        raise PerfError(str(error)) from None
    folder.mkdir(parents=True, exist_ok=True)
    return [scene(held_out, number, folder) for number in range(count)]


def scene(held_out: tuple[Path, ...], number: int, folder: Path) -> Scene:
    """Photograph one view, or read what an earlier run made."""
    source, target = (folder / f"{number:02d}.{kind}.jpg" for kind in ("source", "target"))
    if not target.exists():
        rng = np.random.default_rng((SEED, number))
        (shot, *_), edit = photograph(random_view(held_out, *SIZE, rng), random_body(rng), rng)
        write_photo(source, shot)
        write_photo(target, edit)  # last: its presence says that the scene is complete
    return Scene(source, read_photo(target))


def sample_scenes() -> list[Scene]:
    """The sample photos, whose right edits are not known: good for time alone."""
    return [Scene(path, None) for path in SAMPLES]
