"""A shoot that `enhance batch` works through, and the check of what it leaves behind."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from clients.batch.ledger import LEDGER_NAME
from files.checkout import ROOT
from files.digest import sha256
from perf.errors import PerfError
from perf.photos import SAMPLES, photo_file

IN_FLIGHT = 3
TIMEOUT_S = 600.0


class Shoot:
    """Photos in a folder, each of a size of its own, and a folder for the results.

    Args:
        folder: an empty one.
        photos: how many.
        size_px: of the first one; each further one is 8 px wider.
        out: the results' folder.
    """

    def __init__(
        self, folder: Path, photos: int = 40, size_px: tuple[int, int] = (480, 360), out: Path | None = None
    ) -> None:
        self.photos = photos
        self._in, self._out = folder / "in", out or folder / "out"
        self._in.mkdir(parents=True)
        for number in range(photos):
            file = photo_file(size_px[0] + 8 * number, size_px[1], SAMPLES[number % len(SAMPLES)])
            (self._in / f"{number:03}.jpg").write_bytes(file)

    def batch(self, url: str, options: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        """Start `enhance batch` as a process of its own."""
        command = [sys.executable, "-m", "clients", "batch", self._in, self._out, f"--url={url}"]
        command += [f"--in-flight={IN_FLIGHT}", "--json", *options]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)

    def wait_until_done(self, count: int) -> None:
        """Until so many results are there."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while len(list(self._out.glob("*.jpg"))) < count:
            if time.monotonic() > deadline_s:
                raise PerfError(f"no {count} photos after {TIMEOUT_S:.0f} s")
            time.sleep(0.02)

    def books(self) -> tuple[int, int]:
        """Photos with their right result, and results that should not be there."""
        with contextlib.closing(sqlite3.connect(self._out / LEDGER_NAME)) as database:
            rows = database.execute("SELECT source, target, state, target_sha256 FROM photos").fetchall()
        right = [row for row in rows if row[2] == "done" and self._is_right(*row)]
        files = [each for each in self._out.iterdir() if not each.name.startswith(LEDGER_NAME)]
        return len(right), len(files) - len(right)

    def _is_right(self, source: str, target: str, _state: str, digest: str) -> bool:
        file = self._out / target
        if sha256(file) != digest:
            return False
        with Image.open(self._in / source) as before, Image.open(file) as after:
            return before.size == after.size


def finish(batch: "subprocess.Popen[bytes]") -> tuple[int, dict[str, object]]:
    """Exit code and report of a batch that ends by itself."""
    report, told = batch.communicate(timeout=TIMEOUT_S)
    if not report:
        raise PerfError(f"enhance batch says: {told.decode(errors='replace')[-500:]}")
    return batch.returncode, json.loads(report)
