"""Evaluation: how far photos and their edits are from the targets, as a table, as JSON and as a contact sheet."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from training.data.dataset import to_tensor
from training.data.pairs import Pair, read_photo
from training.metrics import lpips, psnr, ssim

Photo: TypeAlias = NDArray[np.uint8]
Edit: TypeAlias = Callable[[Photo], NDArray[np.unsignedinteger]]

LONG_EDGE_PX = 768  # photos are compared at this size
SHEET_ROWS, SHEET_CELL_PX = 12, 320
LPIPS_MISSING = "LPIPS left out: it needs torchvision and AlexNet's weights, see docs/training.md"


@dataclass(frozen=True)
class Scores:
    """Distance of a photo from its target."""

    psnr_db: float
    ssim: float
    lpips: float | None
    """None where LPIPS cannot be computed."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of one photo, before and after the edit."""

    photo: str
    unedited: Scores
    edited: Scores


def evaluate(pairs: list[Pair], edit: Edit, folder: Path) -> list[Evaluation]:
    """Edit and score every source; writes scores.json and contact-sheet.jpg (before, after, target) into the folder."""
    evaluations: list[Evaluation] = []
    rows: list[Photo] = []
    for pair in tqdm(pairs, unit="photo"):
        source, target = (shrink(read_photo(path)) for path in (pair.source, pair.target))
        edited = edit(source)
        evaluations.append(Evaluation(pair.source.name, score(source, target), score(edited, target)))
        if len(rows) < SHEET_ROWS:
            rows.append(np.hstack([sheet_cell(photo) for photo in (source, edited, target)]))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(json.dumps([asdict(evaluation) for evaluation in evaluations], indent=1))
    cv2.imwrite(str(folder / "contact-sheet.jpg"), np.vstack(rows)[..., ::-1])
    return evaluations


def score(photo: Photo, target: Photo) -> Scores:
    """Compare two photos of one size."""
    first, second = to_tensor(photo)[None], to_tensor(target)[None]
    distance = lpips(first, second)
    return Scores(float(psnr(first, second)), float(ssim(first, second)), None if distance is None else float(distance))


def table(evaluations: list[Evaluation]) -> str:
    """Scores per photo and their means, as text."""
    width = max(len(evaluation.photo) for evaluation in evaluations)
    lines = [f"{'':{width}}  {'unedited':>20}  {'edited':>20}", f"{'photo':{width}}" + 2 * "   PSNR   SSIM  LPIPS"]
    lines += [
        f"{evaluation.photo:{width}} {columns(evaluation.unedited)} {columns(evaluation.edited)}"
        for evaluation in evaluations
    ]
    unedited, edited = mean([e.unedited for e in evaluations]), mean([e.edited for e in evaluations])
    lines.append(f"{'mean':{width}} {columns(unedited)} {columns(edited)}")
    if edited.lpips is None:
        lines.append(LPIPS_MISSING)
    return "\n".join(lines)


def mean(scores: list[Scores]) -> Scores:
    """Means of each score."""
    distances = [score.lpips for score in scores if score.lpips is not None]
    return Scores(
        fmean(score.psnr_db for score in scores),
        fmean(score.ssim for score in scores),
        fmean(distances) if distances else None,
    )


def columns(scores: Scores) -> str:
    """Scores in the table's columns."""
    distance = "     -" if scores.lpips is None else f"{scores.lpips:6.3f}"
    return f"{scores.psnr_db:6.2f} {scores.ssim:6.3f} {distance}"


def shrink(photo: Photo) -> Photo:
    """The photo with a long edge of at most LONG_EDGE_PX."""
    scale = LONG_EDGE_PX / max(photo.shape[:2])
    if scale >= 1:
        return photo
    return np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def sheet_cell(photo: Photo) -> Photo:
    """The photo squashed to a cell of the contact sheet."""
    size = (SHEET_CELL_PX, SHEET_CELL_PX * 2 // 3)
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
