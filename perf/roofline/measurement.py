"""How near a network comes to what this machine could do, and what a DGX Spark could do at best.

Operations and bytes are counted from each served ONNX graph (perf.roofline.graph_cost); the machine's rates
(perf.roofline.rates) and the engines' times are measured in one run, in turn. The share of the limit
(perf.roofline.limits) is limit over time.
"""

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch

from deploy.server import SERVER_PYTHON
from perf import results
from perf.engines import Row, keep_tiles, not_run, started
from perf.roofline import projection
from perf.roofline.graph_cost import Graph, Step, Traffic, by_itself, steps
from perf.roofline.limits import Machine, limit_s, memory_share
from perf.roofline.rates import copied_bytes_per_s, matrix_flops_per_s
from perf.runtimes import CPU_THREADS
from perf.runtimes.process import RuntimeProcess
from perf.runtimes.table import runtime, served_by_cpu

ROUNDS = 9
SECONDS = 0.25
COPY = "copy, B/s"
RATES: dict[str, Callable[[], float]] = {
    "matrix FP32, FLOP/s": lambda: matrix_flops_per_s(torch.float32),
    "matrix BF16, FLOP/s": lambda: matrix_flops_per_s(torch.bfloat16),
    COPY: copied_bytes_per_s,
}
VALUE_BYTES = {"FP32": 4, "BF16": 2}
ENGINES = {"PyTorch FP32": "FP32", "OpenVINO FP32": "FP32", "OpenVINO BF16": "BF16"}


def count(model: onnx.ModelProto) -> dict[str, float]:
    """The network's totals for one tile."""
    graph = Graph(model)
    network = steps(graph)
    fused = sum((step.traffic for step in network), Traffic())
    return {
        "steps": len(network),
        "matrix_flops": sum(step.matrix_flops for step in network),
        "other_flops": sum(step.other_flops for step in network),
        "fp32_bytes": fused.bytes(4),
        "half_bytes": fused.bytes(2),
        "fp32_bytes_if_nothing_were_fused": by_itself(graph).bytes(4),
    }


def measure(processes: Sequence[RuntimeProcess]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Rates by name and times of one tile in seconds by engine, one value a round, in turn."""
    torch.set_num_threads(CPU_THREADS)
    rates: dict[str, list[float]] = {name: [] for name in RATES}
    times_s: dict[str, list[float]] = {process.row.name: [] for process in processes}
    for _ in range(ROUNDS):
        for name, rate in RATES.items():
            rates[name].append(rate())
        for process in processes:
            times_s[process.row.name].append(statistics.median(process.times_s(1, SECONDS)))
    return rates, times_s


def engine_row(name: str, network: list[Step], rates: dict[str, float], times_s: list[float]) -> Row:
    """How near an engine comes to the limit of its precision."""
    precision = ENGINES[name]
    machine, value_bytes = Machine(rates[f"matrix {precision}, FLOP/s"], rates[COPY]), VALUE_BYTES[precision]
    time_s, least_s = statistics.median(times_s), limit_s(network, machine, value_bytes)
    return {
        "runtime": name,
        "status": "measured",
        "precision": precision,
        "time_s": time_s,
        "limit_s": least_s,
        "share_of_limit": least_s / time_s,
        "limit_waiting_for_memory": memory_share(network, machine, value_bytes),
        "flops_per_s": sum(step.flops for step in network) / time_s,
    }


def body(name: str) -> dict[str, Any]:
    """Count, measure, divide, for one of the networks."""
    model = onnx.load(results.served(name))
    network = steps(Graph(model))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        keep_tiles(Path(folder), name)
        processes, missing = started([runtime(each) for each in ENGINES], Path(folder), stack, results.served(name))
        rounds, times_s = measure(processes)
    rates = {each: max(values) for each, values in rounds.items()}  # a limit: others can only make it slower
    rows = [engine_row(each, network, rates, times) for each, times in times_s.items()]
    shares = {row["runtime"]: row["share_of_limit"] for row in rows}
    served = served_by_cpu(shares)
    return {
        "network": count(model),
        "rates": [{"rate": n, "best": rates[n], "median": statistics.median(rounds[n])} for n in RATES],
        "engines": rows + [not_run(each, why) for each, why in missing.items()],
        "dgx_spark": projection.projection(name, model, shares[served] if served else None),
    }


def result(name: str) -> results.Result:
    """A network's result, with its header."""
    versions = results.package_versions("torch", "onnx") | results.package_versions("openvino", python=SERVER_PYTHON)
    return results.new_result("roofline", f"roofline-{name}", "cpu", versions, body(name))


def lines(found: results.Result) -> list[str]:
    """The result as text."""
    network = found["network"]
    text = [
        f"{found['what']}, one tile: {(network['matrix_flops'] + network['other_flops']) / 1e9:.2f} GFLOP, "
        f"{network['fp32_bytes'] / 1e6:.0f} MB in FP32, {network['half_bytes'] / 1e6:.0f} MB in 16 bits "
        f"({network['fp32_bytes_if_nothing_were_fused'] / 1e6:.0f} MB in FP32 if nothing were fused)"
    ]
    for row in found["rates"]:
        text.append(f"{row['rate']:24} best {row['best'] / 1e9:8.1f} G, median {row['median'] / 1e9:.1f} G")
    for row in found["engines"]:
        if row["status"] == "not run":
            text.append(f"{row['runtime']:24} not run: {row['reason']}")
            continue
        text.append(
            f"{row['runtime']:24} {1e3 * row['time_s']:7.1f} ms, limit {1e3 * row['limit_s']:.1f} ms: "
            f"{row['share_of_limit']:.0%} of it reached; memory is {row['limit_waiting_for_memory']:.0%} of the limit"
        )
    return text + projection.lines(found["dgx_spark"])
