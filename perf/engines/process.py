"""An engine's process, as seen by the benchmark."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from deploy.measuring.machine import gpu_name
from deploy.server.triton import SERVER_PYTHON
from files.checkout import ROOT
from perf.engines.table import Array, Engine
from perf.errors import Unavailable

PYTHONS = {"project": Path(sys.executable), "server": SERVER_PYTHON}
CACHE = ROOT / "artifacts/perf/torch-inductor"  # compiling takes longer than all the measuring


class EngineProcess:
    """An engine that is ready inside the ``with`` block.

    Args:
        row: of the table.
        onnx: the served model.
        folder: holds tiles.npz; receives the outputs.
        limit_s: for one answer.

    Raises:
        Unavailable: on entering or measuring, with why.
    """

    def __init__(self, row: Engine, onnx: Path, folder: Path, limit_s: float = 600) -> None:
        self.row, self.onnx, self.folder, self.limit_s = row, onnx, folder, limit_s

    def __enter__(self) -> "EngineProcess":
        """Start, and wait until the first tiles are through."""
        if self.row.is_gpu and gpu_name() is None:
            raise Unavailable("no GPU here")
        self.process = subprocess.Popen(
            [PYTHONS[self.row.environment], "-m", "perf.engines.worker", self.row.name, self.onnx, self.folder],
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
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()

    def times_s(self, batch: int, seconds: float) -> list[float]:
        """Times of calls with that many tiles, until they add up to that many seconds; at least one."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # an ended process gives no answer, which says so
            self.process.stdin.write(json.dumps({"batch": batch, "seconds": seconds}) + "\n")
        times: list[float] = self._answer()
        return times

    def output(self) -> Array:
        """The engine's output for the tiles."""
        return np.asarray(np.load(self.folder / f"{self.row.name}.npy"))

    def _answer(self) -> Any:  # noqa: ANN401 (JSON)
        assert self.process.stdout is not None
        timer = threading.Timer(self.limit_s, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            ended = f"the process of {self.row.name} ended with code {self.process.wait()}"
            raise Unavailable(f"{ended} (it has {self.limit_s:.0f} s for an answer)")
        return json.loads(line)
