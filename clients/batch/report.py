"""The reports of a run: a progress bar while it works, a summary and a JSON report at its end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from tqdm import tqdm

from clients.batch.local_engine import Outcome
from clients.batch.worklist import Entry, Worklist
from clients.camera import DEVELOPED, EXTRA

LISTED = 20
UNCHANGED = "done before, and nothing has changed since"


class Report:
    """What became of the photos of one run.

    Args:
        worklist: Its photos.
        passed_over: Files that are no photos, by their extensions.
    """

    def __init__(self, worklist: Worklist, passed_over: Mapping[str, int]) -> None:
        self.worklist = worklist
        self._passed_over = passed_over
        self.seconds = 0.0
        self.megapixels = 0.0
        """Of the enhanced photos."""

    def as_json(self) -> str:
        """The report for programs."""
        counts, failures, merged = self.worklist.counts(), self.worklist.failures(), self._merged()
        told = {
            **{state: counts[state] for state in ("done", "skipped", "pending")},
            "failed": [{"source": str(e.job.source), "reason": e.reason, "attempts": e.attempts} for e in failures],
            "seconds": self.seconds,
            "megapixels": self.megapixels,
            "photos": [self._photo(entry) for entry in self.worklist.entries()],
            "merged": len(merged),
            "frames": sum(merged),
            "written": self._written(),
            "passed_over": self._passed_over,
            "outdated": self.worklist.outdated(),
            "photos_per_s": self._per_second(counts["done"]),
            "megapixels_per_s": self._per_second(self.megapixels),
        }
        return json.dumps(told, indent=2)

    def as_text(self) -> str:
        """The report for people."""
        counts, failures = self.worklist.counts(), self.worklist.failures()
        lines = [f"  {entry.job.source}: {entry.reason}" for entry in failures[:LISTED]]
        if len(failures) > LISTED:
            lines.append(f"  ... and {len(failures) - LISTED} more: --json lists all")
        shown = [state for state in ("done", "skipped", "failed", "pending") if counts[state] or state == "done"]
        rates = f"{self._per_second(counts['done']):.2f} photos/s, {self._per_second(self.megapixels):.1f} MP/s"
        told = ", ".join(f"{counts[state]} {state}" for state in shown)
        lines.append(f"{told} in {self.seconds:.1f} s ({rates})")
        return "\n".join([*lines, *self._remarks()])

    def _remarks(self) -> Iterator[str]:
        """Where outputs are, why photos were skipped, what to do."""
        if written := self._written():
            yield f"written: {written}"
        if merged := self._merged():
            yield f"merged: {len(merged)} of them from {sum(merged)} frames"
        skipped = Counter(entry.reason or UNCHANGED for entry in self.worklist.entries() if entry.state == "skipped")
        for reason, count in skipped.items():
            yield f"skipped {count}: {reason}"
        if self._passed_over:
            yield passed_over_text(self._passed_over)
        if outdated := self.worklist.outdated():
            yield f"{outdated} of the outputs were made by other versions of the networks: --redo makes them again"

    def _made(self) -> list[Entry]:
        return [entry for entry in self.worklist.entries() if entry.state == "done"]

    def _merged(self) -> list[int]:
        """How many frames each picture of this run was merged from, without single photos."""
        return [len(entry.job.frames) for entry in self._made() if entry.job.frames]

    def _written(self) -> str:
        """Where the outputs of this run are: a batch names no photo but those that fail."""
        made = [str(entry.target) for entry in self._made()]
        if not made or self.worklist.folder is not None:
            return str(self.worklist.folder) if made else ""
        return made[0] if len(made) == 1 else _common_folder(made)

    def _photo(self, entry: Entry) -> dict[str, object]:
        frames = [str(self.worklist.sources / frame) for frame in entry.job.frames]
        paths = {"source": str(entry.source), "target": str(entry.target)}
        return {**paths, "state": entry.state, "reason": entry.reason, "frames": frames}

    def _per_second(self, amount: float) -> float:
        return round(amount / self.seconds, 3) if self.seconds else 0.0


def _common_folder(paths: list[str]) -> str:
    folders = {str(PurePath(path).parent) for path in paths}
    if len(folders) == 1:
        return folders.pop()
    try:
        return os.path.commonpath(map(os.path.abspath, folders))
    except ValueError:  # drives of Windows have nothing in common
        return f"{len(folders)} folders"


def passed_over_text(counts: Mapping[str, int]) -> str:
    """How many files of which kinds were passed over, and what would take some of them."""
    listed = ", ".join(f"{count} {extension}" for extension, count in list(counts.items())[:LISTED])
    return f"passed over: {listed}" + f" ({EXTRA})" * any(extension in DEVELOPED for extension in counts)


class Progress:
    """Counts outcomes into a report, under a bar with photos/s, megapixels/s and the time left.

    Args:
        report: Where to count.
        quiet: Without the bar; it also stays away where the error output is no terminal.
    """

    def __init__(self, report: Report, quiet: bool = False) -> None:
        self._report = report
        self._started = time.monotonic()
        counts = report.worklist.counts()
        total = counts["pending"] + counts["skipped"]
        self._bar = tqdm(
            total=total, initial=counts["skipped"], unit="photo", file=sys.stderr, disable=True if quiet else None
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._report.seconds = round(time.monotonic() - self._started, 3)
        self._bar.close()

    def add(self, outcome: Outcome) -> None:
        """Counts one photo."""
        self._report.megapixels += outcome.megapixels
        elapsed_s = max(1e-3, time.monotonic() - self._started)
        self._bar.set_postfix_str(f"{self._report.megapixels / elapsed_s:.1f} MP/s", refresh=False)
        self._bar.update()
