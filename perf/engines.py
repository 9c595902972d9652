"""The generator in every runtime, at 512 x 512: time, throughput and distance from PyTorch FP32, all in one run.

    python -m perf.engines

Rounds go through all runtimes in turn, so that a busy moment of the machine falls on all of them; each round gives a
runtime one median, and the spread is that of its rounds. What cannot run says so and has no number.
"""

import contextlib
import math
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deploy.server import MODEL_REPOSITORY, ROOT
from export.contract import read_contract
from export.tiles import SAMPLES, photo_samples
from perf import commands, results
from perf.errors import PerfError
from perf.runtimes import Floats, Runtime, Unavailable
from perf.runtimes.process import RuntimeProcess
from perf.runtimes.table import REFERENCE, RUNTIMES, SERVED_BY_GPU, served_by_cpu

Row = dict[str, Any]
ROUNDS = 9
SECONDS = 0.25  # of each measurement in a round, at least one call
BUDGET_S = 25.0  # a slow runtime takes part in fewer rounds
LEAST_ROUNDS = 3
EQUAL_DB = 200.0  # JSON has no infinity


def tiles() -> tuple[Floats, Floats]:
    """As many of the sample photos' tiles as the server batches, [N, 3, 512, 512] and [N, 1]."""
    contract = read_contract(MODEL_REPOSITORY / "generator")
    samples = photo_samples(ROOT / SAMPLES, contract.tile_px)[: contract.max_batch]
    photos, exponents = zip(*samples, strict=True)
    return np.stack(photos), np.stack(exponents)


def measure(processes: list[RuntimeProcess], batches: tuple[int, ...]) -> dict[str, dict[int, list[float]]]:
    """Medians of a call in seconds, by runtime, batch and round; interleaved."""
    medians: dict[str, dict[int, list[float]]] = {each.row.name: {batch: [] for batch in batches} for each in processes}
    spent = dict.fromkeys(medians, 0.0)
    for number in range(ROUNDS):
        for process in processes:
            name = process.row.name
            if number >= LEAST_ROUNDS and spent[name] > BUDGET_S:
                continue
            for batch in batches:
                times = process.times_s(batch, SECONDS)
                medians[name][batch].append(statistics.median(times))
                spent[name] += sum(times)
    return medians


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {"median": float(middle), "q25": float(low), "q75": float(high)}


def psnr_db(edited: Floats, reference: Floats) -> float:
    """Over all tiles, peak 1."""
    error = float(np.mean((edited.astype(np.float64) - reference) ** 2))
    return min(EQUAL_DB, -10 * math.log10(error)) if error else EQUAL_DB


def row_of(process: RuntimeProcess, medians: dict[int, list[float]], reference: Floats, served: bool) -> Row:
    """What was measured of a runtime, and whether it is what a profile serves."""
    one, many = medians
    edited = process.output()
    return {
        "runtime": process.row.name,
        "status": "measured",
        "served": served,
        "version": process.ready["version"],
        "ready_s": process.ready["ready_s"],
        "rounds": len(medians[one]),
        "tile_s": spread(medians[one]),
        "tiles_per_s": spread([many / seconds for seconds in medians[many]]),
        "batch": many,
        "psnr_db": psnr_db(edited, reference),
        "max_abs_error": float(np.abs(edited - reference).max()),
    }


def keep_tiles(folder: Path) -> tuple[Floats, Floats]:
    """Write the tiles where runtimes look for them."""
    photos, exponents = tiles()
    np.savez(folder / "tiles.npz", tiles=photos, exponents=exponents)
    return photos, exponents


def started(
    table: Sequence[Runtime], folder: Path, stack: contextlib.ExitStack, onnx: Path
) -> tuple[list[RuntimeProcess], dict[str, str]]:
    """Processes of the runtimes that run here, ended with the stack, and the others' reasons by name."""
    processes: list[RuntimeProcess] = []
    missing: dict[str, str] = {}
    for row in table:
        print(f"loading {row.name} ...", end=" ", flush=True)
        try:
            processes.append(stack.enter_context(RuntimeProcess(row, onnx, folder)))
            print(f"{processes[-1].ready['ready_s']:.1f} s", flush=True)
        except Unavailable as why:
            print(f"not run: {why}", flush=True)
            missing[row.name] = str(why)
    return processes, missing


def not_run(name: str, why: str) -> Row:
    """A row without numbers."""
    return {"runtime": name, "status": "not run", "reason": why}


def rows(folder: Path) -> list[Row]:
    """Every row of the table.

    Raises:
        PerfError: the runtime that all are compared with does not run.
    """
    photos, _ = keep_tiles(folder)
    with contextlib.ExitStack() as stack:
        processes, missing = started(RUNTIMES, folder, stack, results.served_generator())
        if REFERENCE in missing:
            raise PerfError(f"{REFERENCE} did not run ({missing[REFERENCE]}), and all is compared with it")
        medians = measure(processes, (1, len(photos)))
        reference = next(each.output() for each in processes if each.row.name == REFERENCE)
        served = (served_by_cpu(medians), SERVED_BY_GPU)
        found = {
            each.row.name: row_of(each, medians[each.row.name], reference, each.row.name in served)
            for each in processes
        }
    return [found.get(row.name) or not_run(row.name, missing[row.name]) for row in RUNTIMES]


def line(row: Row) -> str:
    """A row as text."""
    if row["status"] == "not run":
        return f"{row['runtime']:34} not run: {row['reason']}"
    tile, rate = row["tile_s"], row["tiles_per_s"]
    return (
        f"{row['runtime']:34} {1e3 * tile['median']:7.1f} ms [{1e3 * tile['q25']:.1f}, {1e3 * tile['q75']:.1f}]"
        f"  {rate['median']:7.2f} tiles/s [{rate['q25']:.2f}, {rate['q75']:.2f}]  {row['psnr_db']:6.1f} dB"
    )


def result() -> results.Result:
    """The result, with its header."""
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder))
    measured = {row["runtime"]: row for row in found if row["status"] == "measured"}
    profile = "gpu" if any(row.device == "gpu" for row in RUNTIMES if row.name in measured) else "cpu"
    versions = dict(row["version"].split(" ", 1) for row in measured.values())
    return results.new_result("engines", "engines", profile, versions, {"rows": found})


def lines(found: results.Result) -> list[str]:
    """The result as text."""
    return [line(row) for row in found["rows"]]


if __name__ == "__main__":
    sys.exit(commands.keep(result, lines))
