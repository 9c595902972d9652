"""Baselines side by side: time and quality of the same photos, in one run on one machine.

Every photo goes through all of them in turn, so that a busy moment of the machine falls on all. One photo at a
time; every server stays up all the while, idle when it is not asked. Quality is against the right edit of views from
held-out panoramas, at the size and by the definitions of `make evaluate`.
"""

import contextlib
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

from clients.errors import EnhanceError
from deploy.server.wheel import LaunchError
from perf.baselines import Baseline, Enhance, read
from perf.baselines.scenes import SIZE, Scene, held_out_scenes, sample_scenes
from perf.baselines.served import BASELINES_PYTHON
from perf.baselines.table import BASELINES, BOTH, OURS
from perf.errors import Unavailable
from perf.photos import photo_file
from perf.results import Result, Row, new_result, server_versions, versions
from perf.timing import quartiles
from training.evaluation import Scores, mean

PHOTOS = {2: (SIZE, 8), 12: ((4243, 2829), 3)}  # size in pixels and number of photos, by megapixels
NO_TARGETS = "no panoramas: python -m perf baselines --panoramas FOLDER (docs/training.md says where they come from)"


@dataclass
class Entry:
    """One way of one baseline at one size, and what was measured of it."""

    baseline: Baseline
    mode: str
    megapixels: int
    enhance: Enhance | None
    failure: str = ""
    times_s: list[float] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)

    def measure(self, file: bytes, scene: Scene) -> None:
        """Edit one photo. A way that fails once is out: its row says why."""
        if self.enhance is None:
            return
        try:
            started_s = time.perf_counter()
            edited = self.enhance(file, self.mode)
            self.times_s.append(time.perf_counter() - started_s)
        except (EnhanceError, OSError, RuntimeError) as error:
            self.enhance, self.failure = None, str(error)
            return
        if scene.target is not None:
            self.scores.append(scene.score(read(edited)))

    def row(self, ours_s: float | None = None) -> Row:
        """The row for the result; `ours_s` is the time that this project takes."""
        name = f"{self.baseline.name}, {self.mode}"
        named = {"baseline": name, "photo": f"{self.megapixels} MP", "about": self.baseline.about}
        if self.enhance is None:
            return named | {"not_run": self.failure}
        quality = mean(self.scores) if self.scores else None
        return named | {
            "photos": len(self.times_s),
            **quartiles("time_s", self.times_s),
            "times_this_project": statistics.median(self.times_s) / ours_s if ours_s else None,
            "psnr_db": quality and quality.psnr_db,
            "ssim": quality and quality.ssim,
        }

    def is_beside(self, other: "Entry") -> bool:
        """Whether the other does the same to the same photos; what has one way only stands beside mode full."""
        mode = self.mode if self.mode in BOTH else "full"
        return (other.megapixels, other.mode) == (self.megapixels, mode)


def opened_entries(stack: contextlib.ExitStack) -> list[Entry]:
    """Every way of every baseline, ready until the stack is closed, for each size."""
    entries = []
    for baseline in BASELINES:
        print(f"starting {baseline.name} ...", flush=True)
        enhance, failure = None, ""
        try:
            enhance = stack.enter_context(baseline.opened())
        except (Unavailable, LaunchError) as why:
            failure = str(why)
        entries += [Entry(baseline, mode, size, enhance, failure) for size in PHOTOS for mode in baseline.modes]
    return sorted(entries, key=lambda entry: entry.megapixels)


def measure(entries: list[Entry], scenes: list[Scene], most: int | None = None) -> None:
    """All photos of all sizes, or `most` of each; the first of a size is shown once before, which does not count."""
    for megapixels, (size, count) in PHOTOS.items():
        chosen = [entry for entry in entries if entry.megapixels == megapixels]
        photos = [scenes[number % len(scenes)] for number in range(min(count, most or count))]
        for number, scene in enumerate([photos[0], *photos]):
            print(f"{megapixels} megapixels, photo {number} of {len(photos)}", flush=True)
            file = photo_file(*size, scene.source)
            for entry in chosen:
                entry.measure(file, scene)
        for entry in chosen:
            del entry.times_s[:1], entry.scores[:1]


def rows(entries: list[Entry]) -> list[Row]:
    """A row for each entry."""
    ours = [entry for entry in entries if entry.baseline.name == OURS and entry.times_s]
    beside = (next((statistics.median(o.times_s) for o in ours if entry.is_beside(o)), None) for entry in entries)
    return [entry.row(ours_s) for entry, ours_s in zip(entries, beside, strict=True)]


def baselines(panoramas: Path | None, most: int | None = None) -> Result:
    """The result.

    Args:
        panoramas: folder of .hdr panoramas; without it, quality is not measured.
        most: photos of each size; all by default.
    """
    count = max(count for _, count in PHOTOS.values())
    scenes = held_out_scenes(panoramas, count) if panoramas else sample_scenes()
    with contextlib.ExitStack() as stack:
        entries = opened_entries(stack)
        measure(entries, scenes, most)
    found = versions("torch", "opencv-python-headless", "pillow") | server_versions()
    if BASELINES_PYTHON.exists():
        found |= versions("fastapi", "uvicorn", python=BASELINES_PYTHON)
    quality = f"{len(scenes)} views of held-out panoramas, mean" if panoramas else f"not run: {NO_TARGETS}"
    return new_result("baselines", "baselines", "cpu", found, rows(entries), {"quality": quality})
