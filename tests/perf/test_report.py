"""Stages and the report, from results whose answers are known."""

from collections import Counter
from pathlib import Path

import pytest

from perf.load.scenarios import read_scenarios
from perf.load.statistics import Counters, stages_ms, tiles_in_batch
from perf.report import STAGES, figures, growth, write_report
from perf.results import RESULTS, Result, Row, new_result, write

MS = 1_000_000  # nanoseconds


def row(kind: str, value: float, mean_ms: float) -> Row:
    numbers = dict.fromkeys(("mean_ms", "p50_ms", "p95_ms", "p99_ms"), mean_ms)
    stages = dict.fromkeys(STAGES, mean_ms / len(STAGES)) if (kind, value) == ("concurrency", 1) else {}
    return {"load": f"{kind} {value:g}", "requests": 4, "throughput_per_s": 1000 / mean_ms, **numbers, **stages}


def result(name: str) -> Result:
    """As if the machine took 10 ms and 100 ms a megapixel, and the last Poisson rate were too much for it."""
    scenario = read_scenarios()[name]
    rows = [row(scenario.load, each, 10 + 100 * scenario.megapixels) for each in scenario.levels]
    if scenario.load == "poisson":
        rows[-1] = {"load": rows[-1]["load"], "not_run": "refused, the queue was full"}
    return new_result("scenario", name, "cpu", {}, rows, {"megapixels": scenario.megapixels, "peak_gb": 1.9})


def counted() -> Counters:
    """Four photos of which each took the server 190 ms, and two tiles of each, in batches of two."""
    found: Counters = Counter()
    for model, success_ms in (("enhance", 190), ("decode", 20), ("tiler", 140), ("encode", 20)):
        found[model, "requests"], found[model, "success"] = 4, 4 * success_ms * MS
    found["generator", "executions"] = found["generator", "items"] = 4
    found["refiner", "executions"], found["refiner", "items"] = 4, 8
    found["generator", "busy"], found["refiner", "busy"] = 4 * 20 * MS, 4 * 80 * MS
    return found


def test_stages_add_up_to_what_the_client_waits() -> None:
    found = stages_ms(counted(), [195.0, 205.0])
    assert tuple(found) == STAGES and sum(found.values()) == pytest.approx(200)
    assert found["transport_ms"] == pytest.approx(10) and found["networks_ms"] == pytest.approx(100)
    assert found["curves_and_tiles_ms"] == pytest.approx(40) and found["between_the_models_ms"] == pytest.approx(10)


def test_tiles_in_a_batch_are_the_refiners_or_the_generators() -> None:
    full = counted()
    fast = Counter({key: value for key, value in full.items() if key[0] != "refiner"})
    assert (tiles_in_batch(full), tiles_in_batch(fast), tiles_in_batch(Counter())) == (2, 1, None)


def test_the_line_of_growth_is_found_and_what_lies_off_it_is_told() -> None:
    names = [f"photo-{size}mp-fast" for size in (2, 12, 24, 45)]
    found = [result(name) for name in names]
    (_, line) = growth(found, "fast")
    assert line.startswith("Mode `fast` takes 10 ms and 100 ms a megapixel") and "within 0 %" in line
    found[-1]["rows"][0]["p50_ms"] *= 1.3
    assert "within 0 %" not in growth(found, "fast")[1]
    assert growth(found, "full") == []


def test_the_report_opens_with_five_figures_and_has_every_scenario(tmp_path: Path) -> None:
    for name in read_scenarios():
        write(result(name), tmp_path)
    write_report(tmp_path, tmp_path / "report.md")
    report = (tmp_path / "report.md").read_text()
    head, rest = report.split("\n## ", 1)
    assert head.count("\n| ") == 1 + 5 and "| 2.41 s |" in head and "1.90 GB" in head
    assert all(f"| {name} |" in rest for name in read_scenarios())
    assert "not run: refused, the queue was full" in rest and "Mode `full` takes 10 ms" in rest
    assert "\nNot run: Serving beside its parts; " in rest and "Where" not in rest


def test_a_figure_without_a_result_says_so_and_the_newest_one_counts() -> None:
    old, new = result("photo-24mp-full"), result("photo-24mp-full")
    old["date"], new["rows"][0]["p50_ms"] = "2020-01-01T00:00:00+00:00", 1234.0
    fast, full, rate, memory, faults = figures([new, old])
    assert [fast["figure"], rate["figure"], faults["figure"]] == ["not measured yet"] * 3
    assert full["figure"] == "1.23 s" and full["measured"] == new["date"][:10] and memory["figure"] == "1.90 GB"


def test_the_tracked_report_is_that_of_the_tracked_results(tmp_path: Path) -> None:
    write_report(RESULTS, tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text() == (RESULTS.parent / "report.md").read_text()
