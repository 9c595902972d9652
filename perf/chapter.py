"""The report's chapter for one machine and profile: a section for each kind of result."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from perf import plots
from perf.plots import Series
from perf.results import Result
from perf.scenario_results import ScenarioResults, answered, megapixels, percentiles, refused
from perf.stages import STAGES
from perf.tables import records, table

NOT_RUN = ["not run", ""]


class Chapter:
    """What was measured on one machine with one profile.

    Args:
        results: of that machine and profile.
        plots: folder for its plots.
    """

    def __init__(self, results: Sequence[Result], plots: Path) -> None:
        self.first = results[0]
        self.kinds: dict[str, list[Result]] = {}
        for each in results:
            self.kinds.setdefault(each["schema"], []).append(each)
        self.scenarios = ScenarioResults(self.kinds.get("scenario", []))
        self.plots = plots

    def lines(self) -> list[str]:
        """The chapter in Markdown."""
        sections: dict[str, Callable[[], list[str]]] = {
            "One photo at a time": self.photos,
            "Growth with the photo's size": self.growth,
            "Where the time goes": self.stages,
            "Many photos under way": self.load,
            "Photos that arrive at random": self.saturation,
            "Transport": self.transport,
            "Models alone": self.models_alone,
            "Serving beside its parts": self.serving,
            "The network in every runtime": lambda: self.rows("engines"),
            "Roofline": self.roofline,
            "Peers": lambda: self.rows("peers"),
            "Before and after": self.comparison,
            "Settings": lambda: self.rows("sweep"),
        }
        lines = [f"## {self.first['machine']['name']}, profile {self.first['profile']}", "", *self.header(), ""]
        for title, section in sections.items():
            lines += [f"### {title}", "", *(section() or NOT_RUN)]
        return lines

    def header(self) -> list[str]:
        """The machine, and what state of the project."""
        machine = self.first["machine"]
        dates = sorted(each["date"][:10] for kind in self.kinds.values() for each in kind)
        commits = sorted({each["commit"] for kind in self.kinds.values() for each in kind})
        generators = sorted({each["generator_sha256"][:12] for kind in self.kinds.values() for each in kind})
        days = " to ".join(dict.fromkeys((dates[0], dates[-1])))
        return [
            f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, "
            f"GPU: {machine['gpu'] or 'none'}, {machine['system']}; {days}; "
            f"commit {', '.join(commits)}; generator {', '.join(generators)}."
        ]

    def photos(self) -> list[str]:
        """The headline."""
        results = {each["what"]: each for mode in ("fast", "full") for each in self.scenarios.growing(mode)}
        rows = [
            [name, megapixels(each), *_latency(each["levels"][0]), _memory_gb(each)]
            for name, each in sorted(results.items(), key=lambda item: megapixels(item[1]))
        ]
        heads = ["scenario", "MP", "p50 ms", "p95 ms", "photos/s", "spread", "requests", "peak memory, GB"]
        return table(heads, rows) if rows else []

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
        return [_image(path, "time and memory against megapixels"), "", *table(heads, rows)]

    def stages(self) -> list[str]:
        """The cost of each stage."""
        found = self.scenarios.stages()
        if not found:
            return []
        path = self.plots / "stages.png"
        plots.stages_plot(found, path)
        rows = [[name, *each.values()] for name, each in found.items()]
        lines = [_image(path, "share of each stage"), "", *table(["milliseconds a photo", *STAGES], rows)]
        return [*lines, *self.timeline()]

    def timeline(self) -> list[str]:
        """One photo's trace."""
        lines = []
        for result in self.kinds.get("trace", []):
            path = self.plots / "trace.png"
            plots.trace_plot(result["spans"], path)
            lines += [f"One photo of `{result['scenario']}`, traced, in milliseconds:", ""]
            lines += [_image(path, "when each model was at work"), "", *records([result["parts_ms"]])]
        return lines

    def load(self) -> list[str]:
        """Throughput and shared batches against requests under way."""
        found = self.scenarios.closed("load-512px", "load-2mp", "generator")
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
        heads = ["scenario", "under way", "p50 ms", "p95 ms", "items/s", "spread", "requests", "tiles in a batch"]
        return [_image(path, "throughput and tiles in a batch against requests under way"), "", *table(heads, rows)]

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
            lines = [_image(path, "latency against the rate of arrivals"), ""]
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
        heads = ["scenario", "items a request", "under way", "p50 ms", "p95 ms", "items/s", "spread", "requests"]
        return table(heads, rows) if rows else []

    def serving(self) -> list[str]:
        """Ratios of one run; what was aimed at and missed says so."""
        return [line for result in self.kinds.get("serving", []) for line in records(result["rows"])]

    def rows(self, kind: str) -> list[str]:
        """Results that are a table already."""
        return [line for result in self.kinds.get(kind, []) for line in records(result["rows"])]

    def roofline(self) -> list[str]:
        """Limits, what is reached of them, and the estimate for the DGX Spark."""
        lines = []
        for result in self.kinds.get("roofline", []):
            estimate = result["dgx_spark"]
            lines += [*records(result["rates"]), *records(result["engines"])]
            lines += ["Estimate for the DGX Spark, not a measurement, from:", ""]
            lines += [*(f"- {source}" for source in estimate["sources"]), f"- left out: {estimate['left_out']}", ""]
            lines += records(estimate["rows"])
        return lines

    def comparison(self) -> list[str]:
        """The last comparison of two states."""
        rows = [
            [
                *(f"{each[side]['name']} ({each[side]['commit']})" for side in ("a", "b")),
                *(each["scenario"], len(each["a_ms"]), each["median_ms"]["a"], each["median_ms"]["b"]),
                *(_interval(each), each["verdict"]["outcome"]),
            ]
            for each in self.kinds.get("compare", [])
        ]
        heads = ["A", "B", "scenario", "pairs", "A, ms", "B, ms", "B / A, 99 % interval", "B is"]
        return table(heads, rows) if rows else []


def _latency(level: dict[str, Any]) -> list[Any]:
    names = ("p50_ms", "p95_ms", "throughput_per_s")
    return [*(level[name] for name in names), f"{100 * level['spread']['p50_ms']:.0f} %", level["requests"]]


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
    return float(level["models"]["generator"]["items_per_execution"])


def _fit(name: str, series: Series, factor: float, unit: str) -> list[Any]:
    assert series.line is not None
    farthest, size = max(zip(series.line.residuals, series.x, strict=True), key=lambda pair: abs(pair[0]))
    line = series.line
    fixed, slope = (f"{factor * value:.3g} {unit}" for value in (line.fixed, line.per_megapixel))
    return [name, fixed, slope, f"{100 * farthest:+.1f} %", f"{size:.0f} MP"]


def _interval(result: Result) -> str:
    found = result["verdict"]
    return f"{found['ratio']:.3f} ({found['low']:.3f} to {found['high']:.3f})"


def _image(path: Path, text: str) -> str:
    return f"![{text}]({path.parent.parent.name}/{path.parent.name}/{path.name})"
