"""The dataset format: a folder of photos and a JSON Lines file, one ``{"source": ..., "target": ...}`` a line.

Paths are relative to the file; extra keys are allowed. Everything is checked before training starts, and every bad line
is named at once, so that nobody fixes a dataset one crash at a time.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from training.errors import TrainingError


class PairsError(TrainingError):
    """A dataset that cannot be trained on; the message names every bad line."""


@dataclass(frozen=True)
class Pair:
    """An unedited photo and the edit to learn, of one size in pixels."""

    source: Path
    target: Path


def read_pairs(jsonl: Path) -> list[Pair]:
    """The pairs that a JSON Lines file lists, all checked.

    Raises:
        PairsError: no such file, no pairs, or bad lines, each named with its number and reason.
    """
    try:
        lines = jsonl.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PairsError(f"{jsonl}: cannot be read ({error})") from None
    pairs: list[Pair] = []
    faults: list[str] = []
    seen: dict[Path, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pair = parse_line(line, jsonl.parent)
            check_photos(pair)
            first = seen.setdefault(pair.source, number)
            if first != number:
                raise ValueError(f"same source as line {first}")
        except ValueError as fault:
            faults.append(f"  line {number}: {fault}")
        else:
            pairs.append(pair)
    if faults:
        raise PairsError(f"{jsonl}: {len(faults)} of {len(lines)} lines are bad:\n" + "\n".join(faults))
    if not pairs:
        raise PairsError(f'{jsonl}: lists no pairs; each line reads {{"source": "a.jpg", "target": "b.jpg"}}')
    return pairs


def parse_line(line: str, folder: Path) -> Pair:
    """One line of the file, its paths resolved against the folder."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("source", "target")):
        raise ValueError('"source" and "target" must be paths')
    return Pair(folder / row["source"], folder / row["target"])


def check_photos(pair: Pair) -> None:
    """Raises ValueError unless both photos decode and have one size; reads headers, and the pixels when cached."""
    source, target = photo_size(pair.source), photo_size(pair.target)
    if source != target:
        raise ValueError(f"sizes differ: {pair.source.name} {source}, {pair.target.name} {target}")


def photo_size(path: Path) -> str:
    """'1500x1000', from the file's header, as it looks upright."""
    try:
        with Image.open(path) as image:
            turned = image.getexif().get(0x0112, 1) >= 5
            width, height = image.size[::-1] if turned else image.size
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path}: not a readable image ({error})") from None
    return f"{width}x{height}"


def write_pairs(jsonl: Path, rows: Iterable[dict[str, str]]) -> None:
    """Write the rows beside the file, then put them in place."""
    partial = jsonl.with_suffix(".partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    partial.replace(jsonl)
