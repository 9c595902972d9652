"""Roofline: no step beats the machine, and what is an estimate says so."""

import onnx
import pytest
import torch

from perf import results
from perf.roofline import measurement as roofline
from perf.roofline.graph_cost import Step, steps
from perf.roofline.limits import COPY, RATES, Machine, copied_bytes_per_s, limit_s, matrix_flops_per_s

MACHINE = Machine(flops_per_s=100.0, bytes_per_s=10.0)
BUSY = Step("busy", matrix_flops=900, other_flops=100, values=5)
WAITING = Step("waiting", matrix_flops=0, other_flops=10, values=25, end_bytes=20)


@pytest.fixture(scope="module")
def served() -> onnx.ModelProto:
    return onnx.load(results.served("refiner"))


def test_each_step_waits_for_the_slower_of_its_two() -> None:
    assert limit_s([BUSY], MACHINE, value_bytes=2) == (1000 / 100, 0)
    assert limit_s([WAITING], MACHINE, value_bytes=2) == (7, 7)  # (2 * 25 + 20) / 10
    assert limit_s([BUSY, WAITING], MACHINE, value_bytes=2) == (10 + 7, 7)


def test_a_faster_machine_has_a_lower_limit_and_a_balanced_one_scales(served: onnx.ModelProto) -> None:
    network = steps(served)
    here, _ = limit_s(network, Machine(1e12, 1e11), 4)
    assert limit_s(network, Machine(2e12, 2e11), 4)[0] == pytest.approx(here / 2)
    assert all(limit_s(network, Machine(*rates), 4)[0] <= here for rates in ((2e12, 1e11), (1e12, 2e11)))
    assert here >= sum(step.flops for step in network) / 1e12
    assert here >= sum(step.bytes(4) for step in network) / 1e11


def test_the_share_is_of_the_limit_in_the_engines_own_precision(served: onnx.ModelProto) -> None:
    rates = {"matrix FP32, FLOP/s": 1e11, "matrix BF16, FLOP/s": 4e11, COPY: 1e10}
    full = roofline.engine_row("OpenVINO FP32", steps(served), rates, [0.3, 0.1, 0.2])
    half = roofline.engine_row("OpenVINO BF16", steps(served), rates, [0.2])
    assert full["tile_ms"] == 200 and full["share_of_limit"] == pytest.approx(full["limit_ms"] / 200)
    assert half["limit_ms"] < full["limit_ms"] and half["share_of_limit"] < full["share_of_limit"]


def test_the_estimate_is_marked_and_bears_its_sources(served: onnx.ModelProto) -> None:
    found = roofline.estimate("refiner", served, share=0.25)
    assert "huggingface/kernels" in found["ESTIMATE for a DGX Spark, not a measurement, from"]
    least = [found[f"estimate, {size} MP, at least, ms"] for size in (12, 24, 45)]
    assert least == sorted(least)
    reached = [found[f"estimate, {size} MP, at the share of the limit reached here, ms"] for size in (12, 24, 45)]
    assert reached == pytest.approx([4 * each for each in least])
    assert not any("reached here" in name for name in roofline.estimate("refiner", served, None))


def test_the_generator_works_on_one_tile_of_any_photo() -> None:
    assert roofline.tile_count("generator", 8192, 5464) == 1 < roofline.tile_count("refiner", 8192, 5464)


def test_rates_count_both_directions_and_both_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.roofline.limits.fastest_s", lambda work: (work(), 2.0)[1])
    assert copied_bytes_per_s(1000) == 1000  # 1000 read and 1000 written in two seconds
    assert matrix_flops_per_s(torch.bfloat16, 8) == 8**3


def test_what_is_written_follows_the_schema(served: onnx.ModelProto) -> None:
    rates = dict.fromkeys(RATES, 1e11)
    rows = [
        roofline.engine_row("PyTorch FP32", steps(served), rates, [0.1]),
        {"engine": "OpenVINO FP32", "not_run": "no such interpreter"},
    ]
    about = roofline.count(served) | rates | roofline.estimate("refiner", served, None)
    made = results.new_result("roofline", "roofline-refiner", "cpu", {}, rows, about)
    assert "not run: no such interpreter" in results.table(made["rows"])[3]
