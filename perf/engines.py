"""Both networks in every runtime, at 512 x 512: time, throughput and distance from PyTorch FP32, one run each.

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
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deploy.server import MODEL_REPOSITORY, ROOT
from export.contract import read_contract
from export.tiles import SAMPLES, photo_samples
from perf import commands, results
from perf.errors import PerfError
from perf.runtimes import Array, Runtime, Tiles, Unavailable
from perf.runtimes.process import RuntimeProcess
from perf.runtimes.table import REFERENCE, RUNTIMES, SERVED_BY_GPU, served_by_cpu
from serving.versions import NETWORKS

Row = dict[str, Any]
ROUNDS = 9
SECONDS = 0.25  # of each measurement in a round, at least one call
BUDGET_S = 25.0  # a slow runtime takes part in fewer rounds
LEAST_ROUNDS = 3
EQUAL_DB = 200.0  # JSON has no infinity


def tiles(network: str) -> Tiles:
    """What serving makes of the sample photos for a network: as many tiles as there are, and as the server batches."""
    contract = read_contract(MODEL_REPOSITORY / network)
    samples = photo_samples(ROOT / SAMPLES, contract)[: contract.max_batch]
    return {
        tensor.name: np.stack(each) for tensor, each in zip(contract.inputs, zip(*samples, strict=True), strict=True)
    }


def count(batch: Tiles) -> int:
    """Tiles in it."""
    return len(next(iter(batch.values())))


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


def differences(ours: Array, reference: Array) -> Array:
    """Value by value, where white is 1."""
    white = 255 if ours.dtype == np.uint8 else 1
    return (ours.astype(np.float32) - reference.astype(np.float32)) / np.float32(white)


def psnr_db(ours: Array, reference: Array) -> float:
    """Over all tiles, peak 1."""
    error = float(np.mean(differences(ours, reference).astype(np.float64) ** 2))
    return min(EQUAL_DB, -10 * math.log10(error)) if error else EQUAL_DB


def row_of(process: RuntimeProcess, medians: dict[int, list[float]], reference: Array, served: bool) -> Row:
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
        "max_abs_error": float(np.abs(differences(edited, reference)).max()),
    }


def keep_tiles(folder: Path, network: str) -> int:
    """Write a network's tiles where runtimes look for them; returns their number."""
    batch = tiles(network)
    np.savez(folder / "tiles.npz", **batch)  # type: ignore[arg-type]  # NumPy's stub takes a batch for a flag
    return count(batch)


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


def rows(network: str, folder: Path) -> list[Row]:
    """Every row of a network's table.

    Raises:
        PerfError: the runtime that all are compared with does not run.
    """
    together = keep_tiles(folder, network)
    with contextlib.ExitStack() as stack:
        processes, missing = started(RUNTIMES, folder, stack, results.served(network))
        if REFERENCE in missing:
            raise PerfError(f"{REFERENCE} did not run ({missing[REFERENCE]}), and all is compared with it")
        medians = measure(processes, (1, together))
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


def result(network: str) -> results.Result:
    """A network's result, with its header."""
    with tempfile.TemporaryDirectory() as folder:
        found = rows(network, Path(folder))
    measured = {row["runtime"]: row for row in found if row["status"] == "measured"}
    profile = "gpu" if any(row.device == "gpu" for row in RUNTIMES if row.name in measured) else "cpu"
    versions = dict(row["version"].split(" ", 1) for row in measured.values())
    return results.new_result("engines", f"engines-{network}", profile, versions, {"rows": found})


def lines(found: results.Result) -> list[str]:
    """The result as text."""
    return [line(row) for row in found["rows"]]


if __name__ == "__main__":
    sys.exit(max(commands.keep(partial(result, network), lines) for network in NETWORKS))
