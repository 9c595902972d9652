"""Sections of the report that come from scenarios: tables, and plots beside them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from perf.report import plots
from perf.report.plots import Series
from perf.report.scenario_results import ScenarioResults, answered, megapixels, percentiles, refused
from perf.report.stages import STAGES
from perf.report.tables import image, table
from perf.results import Result

LATENCY = ("p50 ms", "p95 ms", "items/s", "spread", "stolen", "requests")  # what _latency gives


class ScenarioSections:
    """Each method returns the lines of one section, none where its scenarios were not run.

    Args:
        results: of schema ``scenario``, of one machine and profile.
        folder: for the plots.
    """

    def __init__(self, results: Sequence[Result], folder: Path) -> None:
        self.scenarios = ScenarioResults(results)
        self.plots = folder

    def photos(self) -> list[str]:
        """The headline."""
        results = {each["what"]: each for mode in ("fast", "full") for each in self.scenarios.growing(mode)}
        rows = [
            [name, megapixels(each), *_latency(each["levels"][0]), _memory_gb(each)]
            for name, each in sorted(results.items(), key=lambda item: megapixels(item[1]))
        ]
        return table(["scenario", "MP", *LATENCY, "peak memory, GB"], rows) if rows else []

    def growth(self) -> list[str]:
        """Fits and residuals."""
        times, memory = self.scenarios.times(), self.scenarios.memory()
        if not all(series.line for series in (*times, *memory)):
            return []
        path = self.plots / "growth.png"
        plots.growth_plot(times, memory, path)
        rows = [_fit(f"{series.name}, time", series, 1e3, "ms") for series in times]
        rows += [_fit(f"{series.name}, memory", series, 1e3, "MB") for series in memory]
        heads = ["", "fixed", "per megapixel", "farthest from the line", "at"]
        return [image(path, "time and memory against megapixels"), "", *table(heads, rows)]

    def stages(self) -> list[str]:
        """The cost of each stage."""
        found = self.scenarios.stages()
        if not found:
            return []
        path = self.plots / "stages.png"
        plots.stages_plot(found, path)
        rows = [[name, *each.values()] for name, each in found.items()]
        return [image(path, "share of each stage"), "", *table(["milliseconds a photo", *STAGES], rows)]

    def load(self) -> list[str]:
        """Throughput and shared batches against requests under way."""
        found = self.scenarios.closed("load-512px", "load-2mp", "refiner")
        if not found:
            return []
        path = self.plots / "load.png"
        throughput = [
            Series(
                name, _under_way(levels), [each["throughput_per_s"] / levels[0]["throughput_per_s"] for each in levels]
            )
            for name, levels in found.items()
        ]
        batches = [
            Series(name, _under_way(levels), [_batch(each) for each in levels]) for name, levels in found.items()
        ]
        plots.load_plot(throughput, batches, path)
        found |= self.scenarios.closed("catalogue-fast", "catalogue-full")
        rows = [
            [name, f"{level['load']['value']:g}", *_latency(level), _batch(level)]
            for name, levels in found.items()
            for level in levels
        ]
        heads = ["scenario", "under way", *LATENCY, "tiles in a batch"]
        return [image(path, "throughput and tiles in a batch against requests under way"), "", *table(heads, rows)]

    def saturation(self) -> list[str]:
        """Latency against the rate of arrivals, and bursts."""
        poisson, lines = self.scenarios.by_name.get("poisson-512px"), []
        rows = [
            [name, f"{level['load']['kind']} {level['load']['value']:.3g}", *_arrivals(level)]
            for name, result in self.scenarios.by_name.items()
            if result["scenario"]["load"] != "concurrency"
            for level in result["levels"]
        ]
        if poisson and answered(poisson):
            path = self.plots / "saturation.png"
            rates = [level["load"]["value"] for level in refused(poisson)]
            plots.saturation_plot(percentiles(answered(poisson)), rates, path)
            lines = [image(path, "latency against the rate of arrivals"), ""]
        return [*lines, *table(["scenario", "load", "p50 ms", "p95 ms", "p99 ms"], rows)] if rows else []

    def transport(self) -> list[str]:
        """The same photo by each way."""
        rows = [
            [name, way, level["p50_ms"], level["p95_ms"], level["spread"]["p50_ms"]]
            for name in ("photo-512px", "photo-2mp-full", "photo-24mp-fast")
            for way, result in self._by_transport(name)
            for level in answered(result)
        ]
        return table(["photo", "way", "p50 ms", "p95 ms", "spread"], rows) if rows else []

    def _by_transport(self, name: str) -> list[tuple[str, Result]]:
        base = name.removesuffix("-full")
        names = {"grpc": name, "http": f"{base}-http", "shared memory": f"{base}-shared-memory"}
        return [(way, self.scenarios.by_name[each]) for way, each in names.items() if each in self.scenarios.by_name]

    def models_alone(self) -> list[str]:
        """Each model without the others."""
        rows = [
            [name, result["scenario"]["batch"], f"{level['load']['value']:g}", *_latency(level)]
            for name, result in self.scenarios.by_name.items()
            if result["scenario"]["model"] != "enhance"
            for level in answered(result)
        ]
        return table(["scenario", "items a request", "under way", *LATENCY], rows) if rows else []


def _latency(level: dict[str, Any]) -> list[Any]:
    names = ("p50_ms", "p95_ms", "throughput_per_s")
    shares = (level["spread"]["p50_ms"], level["stolen_share"])
    return [*(level[name] for name in names), *(f"{100 * share:.0f} %" for share in shares), level["requests"]]


def _arrivals(level: dict[str, Any]) -> list[Any]:
    return (
        ["refused: queue full", "", ""]
        if level["refused"]
        else [level[name] for name in ("p50_ms", "p95_ms", "p99_ms")]
    )


def _memory_gb(result: Result) -> float | None:
    return result["memory"]["peak_bytes"] / 1e9 if result["memory"] else None


def _under_way(levels: Sequence[dict[str, Any]]) -> list[float]:
    return [level["load"]["value"] for level in levels]


def _batch(level: dict[str, Any]) -> float:
    """Of the refiner; of the generator where no tile was refined."""
    models = level["models"]
    return float(models["refiner" if "refiner" in models else "generator"]["items_per_execution"])


def _fit(name: str, series: Series, factor: float, unit: str) -> list[Any]:
    assert series.line is not None
    farthest, size = max(zip(series.line.residuals, series.x, strict=True), key=lambda pair: abs(pair[0]))
    line = series.line
    fixed, slope = (f"{factor * value:.3g} {unit}" for value in (line.fixed, line.per_megapixel))
    return [name, fixed, slope, f"{100 * farthest:+.1f} %", f"{size:.0f} MP"]
