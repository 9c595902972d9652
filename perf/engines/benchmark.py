"""Both networks in every engine, at 512 x 512: time, throughput and distance from PyTorch FP32, one run each.

Rounds go through all engines in turn, so that a busy moment of the machine falls on all of them; each round gives an
engine one median, and the spread is that of its rounds. What cannot run says so and has no number.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from export.contract import read_contract
from export.tiles import SAMPLES, photo_samples
from files.checkout import MODEL_REPOSITORY, ROOT
from perf.engines.process import EngineProcess
from perf.engines.table import ENGINES, REFERENCE, SERVED_BY_GPU, Array, Engine, Tiles, served_by_cpu
from perf.errors import PerfError, Unavailable
from perf.results import Result, Row, new_result, served
from perf.timing import quartiles
from pixels.difference import psnr_db

ROUNDS = 9
SECONDS = 0.25  # of each measurement in a round, at least one call
BUDGET_S = 25.0  # a slow engine takes part in fewer rounds
LEAST_ROUNDS = 3

Medians = dict[int, list[float]]
"""Medians of a call in seconds, one a round, by the number of tiles in it."""


def tiles(network: str) -> Tiles:
    """What serving makes of the sample photos for a network: as many tiles as there are, and as the server batches."""
    contract = read_contract(MODEL_REPOSITORY / network)
    samples = photo_samples(ROOT / SAMPLES, contract)[: contract.max_batch]
    return {
        tensor.name: np.stack(each) for tensor, each in zip(contract.inputs, zip(*samples, strict=True), strict=True)
    }


@contextlib.contextmanager
def started(
    table: Iterable[Engine], network: str, onnx: Path | None = None
) -> Iterator[tuple[list[EngineProcess], dict[str, str], int]]:
    """Processes of the engines that run here, the others' reasons by name, and how many tiles they have.

    Args:
        table: engines to start.
        network: "generator" or "refiner".
        onnx: its file; the served one by default.
    """
    processes: list[EngineProcess] = []
    missing: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        batch = tiles(network)
        np.savez(Path(name, "tiles.npz"), **batch)  # type: ignore[arg-type]  # NumPy's stub takes a batch for a flag
        for row in table:
            print(f"loading {row.name} ...", end=" ", flush=True)
            try:
                processes.append(stack.enter_context(EngineProcess(row, onnx or served(network), Path(name))))
                print(f"{processes[-1].ready['ready_s']:.1f} s", flush=True)
            except Unavailable as why:
                print(f"not run: {why}", flush=True)
                missing[row.name] = str(why)
        yield processes, missing, len(next(iter(batch.values())))


def measure(
    processes: Sequence[EngineProcess], batches: tuple[int, ...], rounds: int = ROUNDS, seconds: float = SECONDS
) -> dict[str, Medians]:
    """Medians by engine; interleaved."""
    medians: dict[str, Medians] = {each.row.name: {batch: [] for batch in batches} for each in processes}
    spent = dict.fromkeys(medians, 0.0)
    for number in range(rounds):
        for process in processes:
            name = process.row.name
            if number >= LEAST_ROUNDS and spent[name] > BUDGET_S:
                continue
            for batch in batches:
                times = process.times_s(batch, seconds)
                medians[name][batch].append(statistics.median(times))
                spent[name] += sum(times)
    return medians


def row_of(process: EngineProcess, medians: Medians, reference: Array, served_ms: float | None) -> Row:
    """What was measured of an engine; `served_ms` is a tile's time in the one that a profile serves, where it runs."""
    one, many = medians
    tile = quartiles("tile_ms", [1e3 * each for each in medians[one]])
    return {
        "engine": process.row.name,
        "version": process.ready["version"],
        "ready_s": process.ready["ready_s"],
        **tile,
        "times_served": tile["tile_ms"] / served_ms if served_ms else None,
        **quartiles(f"tiles_per_s_in_batches_of_{many}", [many / seconds for seconds in medians[many]]),
        "psnr_db": psnr_db(process.output(), reference),
    }


def benchmark(network: str, rounds: int = ROUNDS, seconds: float = SECONDS) -> Result:
    """A network's result.

    Raises:
        PerfError: the engine that all are compared with does not run.
    """
    with started(ENGINES, network) as (processes, missing, together):
        if REFERENCE in missing:
            raise PerfError(f"{REFERENCE} did not run ({missing[REFERENCE]}), and all is compared with it")
        medians = measure(processes, (1, together), rounds, seconds)
        reference = next(each.output() for each in processes if each.row.name == REFERENCE)
        name = SERVED_BY_GPU if SERVED_BY_GPU in medians else served_by_cpu(medians)
        served_ms = 1e3 * statistics.median(medians[name][1]) if name else None
        rows = {each.row.name: row_of(each, medians[each.row.name], reference, served_ms) for each in processes}
    profile = "gpu" if any(process.row.is_gpu for process in processes) else "cpu"
    return new_result(
        "engines",
        f"engines-{network}",
        profile,
        {process.row.module: process.ready["version"] for process in processes},
        [rows.get(row.name) or {"engine": row.name, "not_run": missing[row.name]} for row in ENGINES],
        {"network": network, "served": name, "rounds": rounds},
    )
