"""One engine in a process of its own, so that no engine's threads or crash touch another's timing.

    python -m perf.engines.worker NAME MODEL/VERSION/model.onnx FOLDER

reads FOLDER/tiles.npz and answers with a line of JSON when it is ready, or with why it cannot be. Then each line asks
it to measure: {"batch": 1, "seconds": 0.3} is answered by the times of as many calls as fit in, at least one.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from perf.engines.table import Run, Tiles, engine
from perf.timing import times_s


def first(tiles: Tiles, count: int) -> Tiles:
    """The first ``count`` tiles."""
    return {name: array[:count] for name, array in tiles.items()}


def prepare(name: str, onnx: Path, folder: Path, tiles: Tiles) -> tuple[Run, dict[str, Any]]:
    """Load, run one tile and all of them, and keep what comes out."""
    started_s = time.perf_counter()
    run = engine(name).load(onnx)
    run(first(tiles, 1))
    ready_s = time.perf_counter() - started_s
    np.save(folder / f"{name}.npy", run(tiles))
    version = importlib.import_module(engine(name).module).__version__.partition("-")[0]
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
        batch = first(tiles, asked["batch"])
        print(json.dumps(times_s(lambda: run(batch), asked["seconds"])), file=answers)  # noqa: B023 (called at once)


if __name__ == "__main__":
    main()
