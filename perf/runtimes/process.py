"""A runtime's process, from the side that asks."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from deploy.server import ROOT, SERVER_PYTHON
from perf.machine import gpu_name, slug
from perf.runtimes import Array, Runtime, Unavailable

PYTHONS = {"project": Path(sys.executable), "server": SERVER_PYTHON}
CACHE = ROOT / "artifacts/perf/torch-inductor"  # compiling takes longer than all the measuring


class RuntimeProcess:
    """A runtime that is ready inside the ``with`` block.

    Args:
        row: of the table.
        onnx: the served model.
        folder: holds tiles.npz; receives the outputs.
        limit_s: for one answer.

    Raises:
        Unavailable: on entering or measuring, with why.
    """

    def __init__(self, row: Runtime, onnx: Path, folder: Path, limit_s: float = 600) -> None:
        self.row = row
        self.onnx = onnx
        self.folder = folder
        self.limit_s = limit_s

    def __enter__(self) -> "RuntimeProcess":
        """Start, and wait until the first tiles are through."""
        if self.row.device == "gpu" and gpu_name() is None:
            raise Unavailable("no GPU here")
        self.process = subprocess.Popen(
            [PYTHONS[self.row.environment], "-m", "perf.runtimes.worker", self.row.name, self.onnx, self.folder],
            cwd=ROOT,
            env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(CACHE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        try:
            self.ready: dict[str, Any] = self._answer()
            if "failed" in self.ready:
                raise Unavailable(self.ready["failed"])
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def times_s(self, batch: int, seconds: float) -> list[float]:
        """Times of calls with that many tiles, until they add up to that many seconds; at least one."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # an ended process gives no answer, which says so
            self.process.stdin.write(json.dumps({"batch": batch, "seconds": seconds}) + "\n")
        times: list[float] = self._answer()
        return times

    def output(self) -> Array:
        """What it made of the tiles."""
        edited: Array = np.load(self.folder / f"{slug(self.row.name)}.npy")
        return edited

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def _answer(self) -> Any:  # noqa: ANN401 (JSON)
        assert self.process.stdout is not None
        timer = threading.Timer(self.limit_s, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            code = self.process.wait()
            raise Unavailable(
                f"the process of {self.row.name} ended with code {code} (it has {self.limit_s:.0f} s for an answer)"
            )
        return json.loads(line)
