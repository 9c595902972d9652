"""The share of its limit that each engine reaches, and the limit that a DGX Spark would have.

Operations and bytes are counted from each served ONNX graph (perf.roofline.graph_cost); the machine's rates and the
engines' times are measured in one run, in turn. The share of the limit (perf.roofline.limits) is limit over time.

The DGX Spark's figures are an ESTIMATE: nothing was measured on one, the rates are other people's measurements.
"""

import statistics
from collections.abc import Sequence

import onnx

from perf.engines.benchmark import ROUNDS, SECONDS, started
from perf.engines.process import EngineProcess
from perf.engines.table import engine, served_by_cpu
from perf.results import Result, Row, new_result, served, server_versions, versions
from perf.roofline.graph_cost import Step, steps
from perf.roofline.limits import COPY, RATES, SPARK, SPARK_SOURCES, Machine, limit_s
from pixels.tiling import segments

VALUE_BYTES = {"FP32": 4, "BF16": 2}
ENGINES = {"PyTorch FP32": "FP32", "OpenVINO FP32": "FP32", "OpenVINO BF16": "BF16"}
PHOTOS = {12: (4000, 3000), 24: (6000, 4000), 45: (8192, 5464)}  # pixels by megapixels
BATCH = 8  # of a photo's tiles in the refiner; the generator sees one tile of each photo
PLAN_BYTES = 2  # the plan computes in FP16


def count(model: onnx.ModelProto) -> dict[str, float]:
    """The network's totals for one tile."""
    network = steps(model)
    return {
        "steps": len(network),
        "matrix_gflop": sum(step.matrix_flops for step in network) / 1e9,
        "other_gflop": sum(step.other_flops for step in network) / 1e9,
        "fp32_mb": sum(step.bytes(4) for step in network) / 1e6,
        "half_mb": sum(step.bytes(2) for step in network) / 1e6,
    }


def measure(
    processes: Sequence[EngineProcess], rounds: int, seconds: float
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Rates by name and times of one tile in seconds by engine, one value a round, in turn."""
    rates: dict[str, list[float]] = {name: [] for name in RATES}
    times_s: dict[str, list[float]] = {process.row.name: [] for process in processes}
    for _ in range(rounds):
        for name, rate in RATES.items():
            rates[name].append(rate())
        for process in processes:
            times_s[process.row.name].append(statistics.median(process.times_s(1, seconds)))
    return rates, times_s


def engine_row(name: str, network: list[Step], rates: dict[str, float], times_s: list[float]) -> Row:
    """How near an engine comes to the limit of its precision."""
    precision = ENGINES[name]
    machine, value_bytes = Machine(rates[f"matrix {precision}, FLOP/s"], rates[COPY]), VALUE_BYTES[precision]
    time_s, (least_s, waiting_s) = statistics.median(times_s), limit_s(network, machine, value_bytes)
    return {
        "engine": name,
        "tile_ms": 1e3 * time_s,
        "limit_ms": 1e3 * least_s,
        "share_of_limit": least_s / time_s,
        "limit_waiting_for_memory": waiting_s / least_s,
        "gflop_per_s": sum(step.flops for step in network) / time_s / 1e9,
    }


def tile_count(network: str, width_px: int, height_px: int) -> int:
    """Tiles of a photo that a network sees."""
    return len(segments(width_px)) * len(segments(height_px)) if network == "refiner" else 1


def estimate(network: str, model: onnx.ModelProto, share: float | None) -> dict[str, float | str]:
    """The estimate for a DGX Spark, of this network alone, with its inputs.

    Args:
        network: "generator", which works on one tile of any photo, or "refiner".
        model: its served graph.
        share: of the limit that the served engine reaches on this machine, to show what that would mean there;
            None where it was not measured.
    """
    items = BATCH if network == "refiner" else 1
    tile_ms = 1e3 * limit_s(steps(model, items), SPARK, PLAN_BYTES)[0] / items
    found: dict[str, float | str] = {"ESTIMATE for a DGX Spark, not a measurement, from": SPARK_SOURCES}
    for megapixels, size in PHOTOS.items():
        least_ms = tile_count(network, *size) * tile_ms
        found[f"estimate, {megapixels} MP, at least, ms"] = least_ms
        if share:
            found[f"estimate, {megapixels} MP, at the share of the limit reached here, ms"] = least_ms / share
    return found


def roofline(name: str, rounds: int = ROUNDS, seconds: float = SECONDS) -> Result:
    """Count, measure, divide, for one of the networks."""
    model = onnx.load(served(name))
    network = steps(model)
    with started([engine(each) for each in ENGINES], name) as (processes, missing, _):
        found, times_s = measure(processes, rounds, seconds)
    rates = {each: max(values) for each, values in found.items()}  # a limit: others can only make it slower
    rows = [engine_row(each, network, rates, times) for each, times in times_s.items()]
    shares = {row["engine"]: row["share_of_limit"] for row in rows}
    here = served_by_cpu(shares)
    return new_result(
        "roofline",
        f"roofline-{name}",
        "cpu",
        versions("torch", "onnx") | server_versions(),
        rows + [{"engine": each, "not_run": why} for each, why in missing.items()],
        count(model) | rates | estimate(name, model, shares[here] if here else None),
    )
