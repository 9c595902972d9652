"""The real perf_analyzer against the real server, with few requests."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.measuring.targets import Target, running_server, target_of
from deploy.server.triton import TritonServer
from deploy.server.wheel import LaunchError
from perf.errors import PerfError
from perf.load.analyzer import BINARY, Load, analyze, version
from perf.load.inputs import input_data
from perf.load.measurement import Level, measure
from perf.load.scenarios import Scenario, choose
from perf.load.statistics import counters
from perf.report import STAGES
from perf.results import new_result

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason="perf_analyzer is not installed: make setup PART=perf")


@pytest.fixture
def target(server: TritonServer) -> Target:
    return target_of(server)


@pytest.fixture
def smoke() -> Scenario:
    return replace(choose(["smoke"])[0], levels=(2,), requests=6, repeats=2)


def test_the_version_is_that_of_the_wheel() -> None:
    wheel = Path("perf/requirements-perf-analyzer.txt").read_text()
    assert f"tritonclient=={version()}\n" in wheel


def served(target: Target, model: str = "enhance", what: str = "items") -> int:
    return counters(target)[model, what]


def test_a_short_run_is_a_valid_result_and_its_counts_are_tritons(target: Target, smoke: Scenario) -> None:
    before = served(target)
    rows, memory = measure(smoke, target)
    new_result("scenario", "smoke", "cpu", {}, rows, memory)
    assert [row["requests"] for row in rows] == [12]
    assert served(target) - before == 12 + 2  # which warmed it up
    assert all(0 < row["p50_ms"] <= row["p99_ms"] and row["tiles_in_batch"] >= 1 for row in rows)
    assert memory["peak_gb"] >= memory["idle_gb"] > 0.1


def test_where_the_time_goes_adds_up(target: Target, smoke: Scenario) -> None:
    ((row,), _) = measure(replace(smoke, levels=(1,), requests=2, repeats=1), target)
    assert sum(row[stage] for stage in STAGES) == pytest.approx(row["mean_ms"], rel=1e-3)
    assert row["networks_ms"] > row["encode_ms"] > 0


def test_mode_and_ways_reach_the_server(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    wide = replace(smoke, sizes_px=((900, 500),), mode="fast")
    data = tmp_path / "input.json"
    data.write_bytes(input_data(wide))
    for transport, mode, tiles in (("shared-memory", "fast", 0), ("grpc", "full", 2), ("http", "full", 2)):
        before = served(target, "refiner")
        timing = analyze(replace(wide, transport=transport, mode=mode), target, data, Load("concurrency", 1), 2)
        assert timing.requests == 2
        assert served(target, "refiner") - before == 2 * tiles


def test_open_loads_send_what_they_are_told(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    before = served(target)
    assert analyze(smoke, target, data, Load("poisson", 6.0), 6).requests == 6
    assert analyze(smoke, target, data, Load("burst", 3, pause_s=0.5), 6).requests == 6
    assert served(target) - before == 12


def test_a_load_that_the_server_refuses_has_no_times(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    flood = Level(Load("burst", 120, pause_s=1.0))
    for _ in range(2):  # the second time it is known
        flood.measure(lambda load, requests: analyze(smoke, target, data, load, requests), target, 120)
    assert flood.row() == {"load": "burst 120", "not_run": "refused, the queue was full"}
    assert analyze(smoke, target, data, Load("concurrency", 1), 1).requests == 1


def test_one_model_alone_in_batches(target: Target) -> None:
    (scenario,) = choose(["refiner-batch-8"])
    before = served(target, "refiner")
    ((row,), _) = measure(replace(scenario, requests=2, repeats=1), target)
    assert row["tiles_in_batch"] == 8 and served(target, "refiner") - before == 8 * (row["requests"] + 1)
    assert row["throughput_per_s"] == pytest.approx(8 * 1000 / row["mean_ms"], rel=1e-3)


def test_what_perf_analyzer_cannot_do_is_said_in_a_line(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    with pytest.raises(PerfError, match=r"perf_analyzer failed: .*enhanced"):
        analyze(replace(smoke, model="enhanced"), target, data, Load("concurrency", 1), 1)
    with pytest.raises(PerfError, match="a server on this machine only"):
        measure(replace(smoke, transport="shared-memory"), replace(target, grpc="elsewhere:8001"))
    with pytest.raises(LaunchError, match="give the gRPC address"):
        running_server("127.0.0.1:8001")
