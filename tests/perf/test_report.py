"""Growth, stages and the report, from results whose answers are known."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perf.load.scenarios import read_scenarios
from perf.load.trace import Span, last_photo, parts
from perf.report.findings import findings
from perf.report.growth import fit
from perf.report.page import write_report
from perf.report.stages import stages
from perf.results import Result, new_result, write

PARTS = ("busy_ms", "queue_ms", "compute_input_ms", "compute_infer_ms", "compute_output_ms")


def model(requests: int, success_ms: float, busy_ms: float = 0.0, batch: float = 1.0) -> dict[str, float]:
    counts = {"requests": requests, "failed": 0, "items": requests, "executions": requests / batch}
    return (
        counts
        | dict.fromkeys(PARTS, 0.0)
        | {"success_ms": success_ms, "busy_ms": busy_ms, "items_per_execution": batch}
    )


def level(kind: str, value: float, mean_ms: float) -> dict[str, Any]:
    numbers = {"throughput_per_s": 1000 / mean_ms, "mean_ms": mean_ms}
    numbers |= {name: mean_ms for name in ("p50_ms", "p90_ms", "p95_ms", "p99_ms")}
    models = {
        "enhance": model(4, 0.95 * mean_ms),
        "decode": model(4, 0.1 * mean_ms),
        "tiler": model(4, 0.7 * mean_ms),
        "generator": model(40, 0.1 * mean_ms, busy_ms=0.05 * mean_ms, batch=2.0),
        "encode": model(4, 0.1 * mean_ms),
    }
    load = {"kind": kind, "value": value, "pause_s": 0.0}
    spread = {"p50_ms": 0.02}
    return {"level": value, "load": load, "refused": False, "requests": 4, **numbers} | {
        "stolen_share": 0.03, "spread": spread, "repeats": [{"requests": 4, **numbers}], "models": models
    }  # fmt: skip


def result(name: str) -> Result:
    """As if the machine took 10 ms and 100 ms a megapixel, and the last Poisson rate were too much for it."""
    scenario = read_scenarios()[name]
    levels = [level(scenario.load, each, 10 + 100 * scenario.megapixels) for each in scenario.levels]
    if scenario.load == "poisson":
        levels[-1] = {key: levels[-1][key] for key in ("level", "load")} | {"refused": True}
    fields = {key: getattr(scenario, key) for key in vars(scenario)} | {"megapixels": scenario.megapixels}
    memory = {"idle_bytes": 10**9, "peak_bytes": int(1.1e9 + 3e7 * scenario.megapixels), "requests_under_way": 1}
    body = {"scenario": fields, "url": None, "levels": levels, "memory": memory, "metrics": {}}
    return new_result("scenario", name, "cpu", {}, copy.deepcopy(body) | {"scenario": {**fields, "sizes_px": []}})


def test_a_line_is_found_and_what_lies_off_it_is_told() -> None:
    sizes = [2.0, 12.0, 24.0, 45.0]
    exact = fit(sizes, [10 + 3 * size for size in sizes])
    assert (exact.fixed, exact.per_megapixel) == pytest.approx((10, 3))
    assert exact.residuals == pytest.approx([0] * 4) and exact.at(100) == pytest.approx(310)
    bent = fit(sizes, [10 + 3 * size * (1.3 if size == 45 else 1) for size in sizes])
    assert bent.residuals[3] > 0.05 and int(np.argmax(bent.residuals)) == 3


def test_stages_add_up_to_what_the_client_waits() -> None:
    found = stages(level("concurrency", 1, 200.0))
    assert sum(found.values()) == pytest.approx(200)
    assert found["transport"] == pytest.approx(10) and found["networks"] == pytest.approx(100)
    assert found["curves and tiles"] == pytest.approx(40)


def test_the_report_has_every_section_and_small_plots(tmp_path: Path) -> None:
    for name in read_scenarios():
        write(result(name), tmp_path / "results")
    write_report(tmp_path / "results", tmp_path / "perf/report.md")
    report = (tmp_path / "perf/report.md").read_text()
    images = list((tmp_path / "perf/plots").rglob("*.png"))
    assert len(images) == 4 and max(image.stat().st_size for image in images) < 150_000
    for image in images:
        assert f"]({image.relative_to(tmp_path / 'perf')})" in report
    assert "| fast, time | 10 ms | 100 ms |" in report and "refused: queue full" in report
    assert "\nNot run: " in report and "; Peers; " in report


def test_a_report_of_one_result_says_what_was_not_run(tmp_path: Path) -> None:
    write(result("photo-24mp-full"), tmp_path / "results")
    write_report(tmp_path / "results", tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    assert "| photo-24mp-full | 24 |" in report
    (not_run,) = (line for line in report.splitlines() if line.startswith("Not run: "))
    for section in ("Growth with the photo's size", "Transport", "Roofline", "Settings", "Before and after"):
        assert section in not_run and f"### {section}" not in report


def test_a_trace_is_told_apart_by_stage_and_nothing_counts_twice() -> None:
    photo = [
        Span("decode", 0, 1, 11),
        Span("tiler", 11, 12, 112),
        Span("generator", 22, 22, 42),
        Span("refiner", 50, 50, 80),
        Span("refiner", 50, 60, 100),
        Span("encode", 112, 113, 133),
    ]
    found = parts(photo)
    assert found["generator"] == 20 and found["refiner"] == 50 and found["tiles"] == 2
    assert found["curves and tiles beside them"] == 100 - 20 - 50
    assert found["decode"] == 10 and found["encode"] == 20


def spread(median: float) -> dict[str, float]:
    return {"median": median, "q25": median, "q75": median}


def test_losses_are_told_like_wins() -> None:
    measured = {"status": "measured"}
    engines = [
        {"served": True, "runtime": "ours", "tile_s": spread(0.03), "tiles_per_s": spread(30.0)} | measured,
        {"served": False, "runtime": "other", "tile_s": spread(0.02), "tiles_per_s": spread(20.0)} | measured,
        {"runtime": "third", "status": "not run", "reason": "no GPU"},
    ]
    photo = {"status": "measured", "megapixels": 24}
    peers = [
        photo | {"peer": "this project", "mode": "full", "time_s": spread(5.0), "psnr_db": 25.0},
        photo | {"peer": "script", "mode": "full", "time_s": spread(10.0), "psnr_db": 27.0},
        photo | {"peer": "FastAPI", "mode": "fast", "time_s": spread(1.0), "psnr_db": 25.0},
    ]
    found = findings({"engines": [{"rows": engines}], "peers": [{"rows": peers}]})
    assert [(each.won, each.text) for each in found] == [
        (False, "ours (served) against other, one tile: 0.67 times as fast"),
        (True, "ours (served) against other, batches: 1.50 times as fast"),
        (True, "this project (full) against script (full), 24 MP: 2.00 times as fast"),
        (False, "this project (full) against script (full), 24 MP: -2.0 dB"),
    ]


def traced(number: int, model_name: str, parent: int | None, start_ns: int) -> list[dict[str, Any]]:
    """As Triton writes a request: what it is in one entry, each moment in another."""
    named = {"id": number, "model_name": model_name, "model_version": 1}
    moments = ("REQUEST_START", "QUEUE_START", "COMPUTE_START", "COMPUTE_INPUT_END", "COMPUTE_END", "REQUEST_END")
    times = [
        {"id": number, "timestamps": [{"name": name, "ns": start_ns + 1_000_000 * step}]}
        for step, name in enumerate(moments)
    ]
    return [named | ({} if parent is None else {"parent_id": parent}), *times]


def test_of_a_trace_the_last_photo_is_read_with_its_tiles() -> None:
    first = [*traced(1, "enhance", None, 0), *traced(2, "decode", 1, 10)]
    second = [*traced(3, "enhance", None, 50_000_000), *traced(4, "tiler", 3, 60_000_000)]
    tile = traced(5, "generator", 4, 63_000_000)
    assert last_photo([*tile, *first, *second]) == [
        Span("tiler", queued=11, start=12, end=14),
        Span("generator", queued=14, start=15, end=17),
    ]
