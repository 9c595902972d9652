"""What a run tells: a progress bar while it works, a summary and a JSON report at its end."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePath

from tqdm import tqdm

from clients.batch.ledger import Failure, Ledger, Result
from clients.batch.local_engine import Outcome
from clients.camera import DEVELOPED, EXTRA

LISTED = 20
UNCHANGED = "done before, and nothing has changed since"


@dataclass
class Report:
    """What became of the photos of one run."""

    done: int = 0
    """Enhanced by this run."""
    skipped: int = 0
    """Already there before."""
    pending: int = 0
    """Left for the next run."""
    failed: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    megapixels: float = 0.0
    """Of the enhanced photos."""
    photos: list[Result] = field(default_factory=list)
    """Every photo with its output, what became of it, and why."""
    merged: int = 0
    """Pictures of this run that were made of several frames each."""
    frames: int = 0
    """All frames that those were made of."""
    written: str = ""
    """Where the outputs of this run are."""
    passed_over: dict[str, int] = field(default_factory=dict)
    """Files that are no photos, by their extensions."""
    outdated: int = 0
    """Outputs that were made by other versions of the networks than are served now."""

    def close(self, ledger: Ledger) -> None:
        """Takes over what the ledger knows at the end of the run."""
        self.photos = list(ledger.results())
        made = [photo.target for photo in self.photos if photo.state == "done"]
        if made and ledger.folder is not None:
            self.written = str(ledger.folder)  # a batch names no photo but those that fail
        elif made:
            self.written = made[0] if len(made) == 1 else _common_folder(made)
        self.outdated = ledger.outdated()
        merged = [photo.frames for photo in self.photos if photo.state == "done" and photo.frames]
        self.merged, self.frames = len(merged), sum(map(len, merged))

    def as_json(self) -> str:
        """The report for programs."""
        rates = {"photos_per_s": self._per_second(self.done), "megapixels_per_s": self._per_second(self.megapixels)}
        return json.dumps(asdict(self) | rates, indent=2)

    def as_text(self) -> str:
        """The report for people."""
        lines = [f"  {failure.source}: {failure.reason}" for failure in self.failed[:LISTED]]
        if len(self.failed) > LISTED:
            lines.append(f"  ... and {len(self.failed) - LISTED} more: --json lists all")
        counts = [f"{self.done} done", f"{self.skipped} skipped" * bool(self.skipped)]
        counts += [f"{len(self.failed)} failed" * bool(self.failed), f"{self.pending} pending" * bool(self.pending)]
        rates = f"{self._per_second(self.done):.2f} photos/s, {self._per_second(self.megapixels):.1f} MP/s"
        lines.append(f"{', '.join(filter(None, counts))} in {self.seconds:.1f} s ({rates})")
        return "\n".join([*lines, *self._remarks()])

    def _remarks(self) -> Iterator[str]:
        """Where outputs are, why photos were skipped, what to do."""
        if self.written:
            yield f"written: {self.written}"
        if self.merged:
            yield f"merged: {self.merged} of them from {self.frames} frames"
        skipped = Counter(photo.reason or UNCHANGED for photo in self.photos if photo.state == "skipped")
        for reason, count in skipped.items():
            yield f"skipped {count}: {reason}"
        if self.passed_over:
            yield passed_over_text(self.passed_over)
        if self.outdated:
            yield f"{self.outdated} of the outputs were made by other versions of the networks: --redo makes them again"

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
        total = report.pending + report.skipped
        self._bar = tqdm(
            total=total, initial=report.skipped, unit="photo", file=sys.stderr, disable=True if quiet else None
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._report.seconds = round(time.monotonic() - self._started, 3)
        self._bar.close()

    def add(self, outcome: Outcome) -> None:
        """Counts one photo."""
        self._report.pending -= 1
        if outcome.error is None:
            self._report.done += 1
            self._report.megapixels += outcome.megapixels
        elapsed_s = max(1e-3, time.monotonic() - self._started)
        self._bar.set_postfix_str(f"{self._report.megapixels / elapsed_s:.1f} MP/s", refresh=False)
        self._bar.update()
