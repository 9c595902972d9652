"""Evaluation: how far photos and their edits are from the targets, as a table, as JSON and as a contact sheet."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from pixels.difference import psnr_db
from training.data.dataset import to_tensor
from training.data.pairs import Pair, read_photo
from training.lpips import ADVICE, Lpips
from training.metrics import ssim

Photo: TypeAlias = NDArray[np.uint8]
Edit: TypeAlias = Callable[[Photo], NDArray[np.unsignedinteger]]

LONG_EDGE_PX = 768  # photos are compared at this size
SHEET_ROWS, SHEET_CELL_PX = 12, 320
UNEDITED = "unedited"
LPIPS_MISSING = f"LPIPS left out: {ADVICE}"
COLUMNS = "   PSNR   SSIM  LPIPS"


@dataclass(frozen=True)
class Scores:
    """Distance of a photo from its target."""

    psnr_db: float
    ssim: float
    lpips: float | None
    """None where LPIPS was not asked for."""


@dataclass(frozen=True)
class Evaluation:
    """Scores of one photo by the name of what edited it; the first is the photo itself."""

    photo: str
    scores: Mapping[str, Scores]


def evaluate(
    pairs: list[Pair], edits: Mapping[str, Edit], folder: Path, distance: Lpips | None = None
) -> list[Evaluation]:
    """Edit and score every source.

    Args:
        pairs: photos and their targets.
        edits: by the name of their column.
        folder: gets scores.json and contact-sheet.jpg (the photo, its edits, the target).
        distance: LPIPS, or None to leave it out.

    Returns:
        In the order of pairs.
    """
    evaluations: list[Evaluation] = []
    rows: list[Photo] = []
    for pair in tqdm(pairs, unit="photo"):
        source, target = (shrink(read_photo(path)) for path in (pair.source, pair.target))
        edited = {UNEDITED: source} | {name: edit(source) for name, edit in edits.items()}
        scores = {name: score(photo, target, distance) for name, photo in edited.items()}
        evaluations.append(Evaluation(pair.source.name, scores))
        if len(rows) < SHEET_ROWS:
            rows.append(np.hstack([sheet_cell(photo) for photo in (*edited.values(), target)]))
    folder.mkdir(parents=True, exist_ok=True)
    records = [{"photo": each.photo} | {name: asdict(it) for name, it in each.scores.items()} for each in evaluations]
    (folder / "scores.json").write_text(json.dumps(records, indent=1))
    cv2.imwrite(str(folder / "contact-sheet.jpg"), np.vstack(rows)[..., ::-1])
    return evaluations


def score(photo: Photo, target: Photo, distance: Lpips | None = None) -> Scores:
    """Compare two photos of one size."""
    first, second = to_tensor(photo)[None], to_tensor(target)[None]
    lpips = None if distance is None else float(distance(first, second))
    return Scores(psnr_db(first.numpy(), second.numpy()), float(ssim(first, second)), lpips)


def table(evaluations: list[Evaluation]) -> str:
    """Scores per photo and their means, as text."""
    names = list(evaluations[0].scores)
    width = max(len(evaluation.photo) for evaluation in evaluations)
    means = Evaluation("mean", {name: mean([each.scores[name] for each in evaluations]) for name in names})
    lines = [f"{'':{width}} " + " ".join(f"{name:>{len(COLUMNS)}}" for name in names)]
    lines += [f"{'photo':{width}} " + " ".join(COLUMNS for _ in names)]
    lines += [
        f"{each.photo:{width}} " + " ".join(columns(each.scores[name]) for name in names)
        for each in (*evaluations, means)
    ]
    if means.scores[UNEDITED].lpips is None:
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
    return f" {scores.psnr_db:6.2f} {scores.ssim:6.3f} {distance}"


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
