"""One runtime in a process of its own, so that no runtime's threads or crash touch another's timing.

    python -m perf.runtimes.worker NAME MODEL/VERSION/model.onnx FOLDER

reads FOLDER/tiles.npz and answers with a line of JSON when it is ready, or with why it cannot be. Then each line asks
it to measure: {"batch": 1, "seconds": 0.3} is answered by the times of as many calls as fit in, at least one.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from perf.machine import slug
from perf.runtimes import Run, Tiles
from perf.runtimes.table import runtime


def first(tiles: Tiles, count: int) -> Tiles:
    """So many of the tiles."""
    return {name: array[:count] for name, array in tiles.items()}


def call_times(run: Run, tiles: Tiles, seconds: float) -> list[float]:
    """Times of calls, in seconds, until they add up to that many; at least one."""
    times: list[float] = []
    while not times or sum(times) < seconds:
        started = time.perf_counter()
        run(tiles)
        times.append(time.perf_counter() - started)
    return times


def prepare(name: str, onnx: Path, folder: Path, tiles: Tiles) -> tuple[Run, dict[str, Any]]:
    """Load, run one tile and all of them, and keep what comes out."""
    started = time.perf_counter()
    run, version = runtime(name).load(onnx)
    run(first(tiles, 1))
    ready_s = time.perf_counter() - started
    np.save(folder / f"{slug(name)}.npy", run(tiles))
    return run, {"version": version, "ready_s": ready_s}


def reason(error: Exception) -> str:
    """An error's message, its first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def main() -> None:
    """Answer until the asker goes away."""
    name, onnx, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints must not pass for an answer
    tiles: Tiles = dict(np.load(folder / "tiles.npz"))
    try:
        run, ready = prepare(name, onnx, folder, tiles)
    except Exception as error:  # any library's own: the row says "not run" and why
        print(json.dumps({"failed": reason(error)}), file=answers)
        return
    print(json.dumps(ready), file=answers)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(call_times(run, first(tiles, asked["batch"]), asked["seconds"])), file=answers)


if __name__ == "__main__":
    main()
