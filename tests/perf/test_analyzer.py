"""The real perf_analyzer against the real server, with few requests."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from deploy.server import TritonServer
from perf.errors import PerfError
from perf.load.analyzer import BINARY, Load, analyze, version
from perf.load.inputs import input_data
from perf.load.measurement import Level, measure
from perf.load.scenarios import Scenario, choose
from perf.load.server_statistics import Statistics
from perf.report.stages import STAGES, stages
from perf.results import new_result
from perf.servers import Target, running_server, target_of

pytestmark = pytest.mark.skipif(not BINARY.exists(), reason="perf_analyzer is not installed: make setup-perf")


@pytest.fixture
def target(server: TritonServer) -> Target:
    return target_of(server)


@pytest.fixture
def smoke() -> Scenario:
    return replace(choose(["smoke"])[0], levels=(2,), requests=6, repeats=2)


def test_the_version_is_that_of_the_wheel() -> None:
    wheel = Path("perf/requirements-perf-analyzer.txt").read_text()
    assert f"tritonclient=={version()}\n" in wheel


def succeeded(target: Target) -> float:
    return Statistics.of(target).models["enhance"]["requests"]


def test_a_short_run_is_valid_and_its_counts_are_tritons(target: Target, smoke: Scenario) -> None:
    before = succeeded(target)
    body = measure(smoke, target)
    new_result("scenario", "smoke", "cpu", {}, body | {"url": None})
    sent = [level["requests"] for level in body["levels"]]
    assert sent == [12]
    assert succeeded(target) - before == sum(sent) + 2  # which warmed it up
    for level in body["levels"]:
        models = level["models"]
        assert {name: found["requests"] for name, found in models.items()} == dict.fromkeys(
            ("enhance", "decode", "tiler", "generator", "refiner", "encode"), 12.0
        )
        assert models["enhance"]["success_ms"] < level["mean_ms"] * 1.5 and level["p50_ms"] <= level["p99_ms"]
    assert body["memory"]["peak_bytes"] >= body["memory"]["idle_bytes"] > 1e8
    assert body["metrics"]['enhancer_photos_total{mode="full"}'] == sum(sent)
    parts = stages(body["levels"][0])
    assert tuple(parts) == STAGES and parts["networks"] > parts["encode"] > 0


def test_mode_and_ways_reach_the_server(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    wide = replace(smoke, sizes_px=((900, 500),), mode="fast")
    data = tmp_path / "input.json"
    data.write_bytes(input_data(wide))
    for transport, mode, tiles in (("shared-memory", "fast", 0), ("grpc", "full", 2), ("http", "full", 2)):
        before = Statistics.of(target).models["refiner"]["items"]
        timing = analyze(replace(wide, transport=transport, mode=mode), target, data, Load("concurrency", 1), 2)
        assert timing.requests == 2
        assert Statistics.of(target).models["refiner"]["items"] - before == 2 * tiles


def test_open_loads_send_what_they_are_told(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    before = succeeded(target)
    assert analyze(smoke, target, data, Load("poisson", 6.0), 6).requests == 6
    assert analyze(smoke, target, data, Load("burst", 3, pause_s=0.5), 6).requests == 6
    assert succeeded(target) - before == 12


def test_a_load_that_the_server_refuses_has_no_times(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    flood = Level(1.0, Load("burst", 120, pause_s=1.0))
    for _ in range(2):  # the second time it is known
        flood.measure(lambda load, requests: analyze(smoke, target, data, load, requests), target, 120)
    assert flood.report() == {"level": 1.0, "load": asdict(flood.load), "refused": True}
    assert analyze(smoke, target, data, Load("concurrency", 1), 1).requests == 1


def test_one_model_alone_in_batches(target: Target) -> None:
    (scenario,) = choose(["refiner-batch-8"])
    body = measure(replace(scenario, requests=2, repeats=1), target)
    (level,) = body["levels"]
    assert level["models"]["refiner"]["items"] == 8 * level["requests"] and "enhance" not in level["models"]
    assert level["throughput_per_s"] == pytest.approx(8 * 1000 / level["mean_ms"], rel=1e-3)


def test_what_perf_analyzer_cannot_do_is_said_in_a_line(target: Target, smoke: Scenario, tmp_path: Path) -> None:
    data = tmp_path / "input.json"
    data.write_bytes(input_data(smoke))
    with pytest.raises(PerfError, match=r"perf_analyzer failed: .*enhanced"):
        analyze(replace(smoke, model="enhanced"), target, data, Load("concurrency", 1), 1)
    with pytest.raises(PerfError, match="a server on this machine only"):
        measure(replace(smoke, transport="shared-memory"), replace(target, grpc="elsewhere:8001"))
    with pytest.raises(PerfError, match="give the gRPC address"):
        running_server("127.0.0.1:8001")
