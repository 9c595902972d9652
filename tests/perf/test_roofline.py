"""Roofline: no step beats the machine, and what is an estimate says so."""

import onnx
import pytest
import torch

from perf import results
from perf.roofline import measurement as roofline
from perf.roofline import projection
from perf.roofline.graph_cost import Graph, Step, Traffic, steps
from perf.roofline.limits import Machine, limit_s, memory_share
from perf.roofline.rates import copied_bytes_per_s, matrix_flops_per_s

MACHINE = Machine(flops_per_s=100.0, bytes_per_s=10.0)
BUSY = Step("busy", matrix_flops=900, other_flops=100, traffic=Traffic(activations=5))
WAITING = Step("waiting", matrix_flops=0, other_flops=10, traffic=Traffic(activations=20, weights=5, end_bytes=20))


@pytest.fixture(scope="module")
def served() -> onnx.ModelProto:
    return onnx.load(results.served("refiner"))


def test_each_step_waits_for_the_slower_of_its_two() -> None:
    assert limit_s([BUSY], MACHINE, value_bytes=2) == 1000 / 100
    assert limit_s([WAITING], MACHINE, value_bytes=2) == (2 * 25 + 4 * 5) / 10
    assert limit_s([BUSY, WAITING], MACHINE, value_bytes=2) == 10 + 7
    assert memory_share([BUSY, WAITING], MACHINE, value_bytes=2) == pytest.approx(7 / 17)


def test_a_faster_machine_has_a_lower_limit_and_a_balanced_one_scales(served: onnx.ModelProto) -> None:
    network = steps(Graph(served))
    here = limit_s(network, Machine(1e12, 1e11), 4)
    assert limit_s(network, Machine(2e12, 2e11), 4) == pytest.approx(here / 2)
    assert limit_s(network, Machine(2e12, 1e11), 4) <= here and limit_s(network, Machine(1e12, 2e11), 4) <= here
    assert here >= sum(step.flops for step in network) / 1e12
    assert here >= sum(step.traffic.bytes(4) for step in network) / 1e11


def test_the_share_is_of_the_limit_in_the_engines_own_precision(served: onnx.ModelProto) -> None:
    network = steps(Graph(served))
    rates = {"matrix FP32, FLOP/s": 1e11, "matrix BF16, FLOP/s": 4e11, roofline.COPY: 1e10}
    full = roofline.engine_row("OpenVINO FP32", network, rates, [0.3, 0.1, 0.2])
    half = roofline.engine_row("OpenVINO BF16", network, rates, [0.2])
    assert full["time_s"] == 0.2 and full["share_of_limit"] == full["limit_s"] / 0.2
    assert half["limit_s"] < full["limit_s"] and half["share_of_limit"] < full["share_of_limit"]


def test_the_projection_is_marked_and_bears_its_inputs(served: onnx.ModelProto) -> None:
    estimate = projection.projection("refiner", served, share=0.25)
    assert estimate["kind"] == "estimate" and len(estimate["sources"]) == 2
    assert "ESTIMATE" in projection.lines(estimate)[0]
    rows = {row["megapixels"]: row for row in estimate["rows"]}
    assert rows[12]["limit_s"] < rows[24]["limit_s"] < rows[45]["limit_s"]
    for row in rows.values():
        assert row["at_the_share_reached_here_s"] == pytest.approx(4 * row["limit_s"])


def test_without_a_measured_share_nothing_is_projected_from_it(served: onnx.ModelProto) -> None:
    assert not any(
        "at_the_share_reached_here_s" in row for row in projection.projection("refiner", served, None)["rows"]
    )


def test_the_generator_works_on_one_tile_of_any_photo(served: onnx.ModelProto) -> None:
    assert {row["tiles"] for row in projection.projection("generator", served, None)["rows"]} == {1}


def test_rates_count_both_directions_and_both_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.roofline.rates.fastest_s", lambda work: (work(), 2.0)[1])
    assert copied_bytes_per_s(1000) == 1000  # 1000 read and 1000 written in two seconds
    assert matrix_flops_per_s(torch.bfloat16, 8) == 8**3


def test_what_is_written_follows_the_schema(served: onnx.ModelProto) -> None:
    rates = {name: 1e11 for name in roofline.RATES}
    body = {
        "network": roofline.count(served),
        "rates": [{"rate": name, "best": 2e11, "median": 1e11} for name in rates],
        "engines": [
            roofline.engine_row("PyTorch FP32", steps(Graph(served)), rates, [0.1]),
            roofline.not_run("OpenVINO FP32", "no such interpreter"),
        ],
        "dgx_spark": projection.projection("refiner", served, None),
    }
    made = results.new_result("roofline", "roofline-refiner", "cpu", {}, body)
    assert any("not run: no such interpreter" in line for line in roofline.lines(made))
