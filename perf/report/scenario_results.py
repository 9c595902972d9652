"""Results of scenarios, as the report reads them: curves, fits and stages."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from perf.report.growth import fit
from perf.report.plots import Series
from perf.report.stages import stages
from perf.results import Result

GROWTH = re.compile(r"photo-\d+(mp|px)(-fast|-full)?")
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


class ScenarioResults:
    """All scenarios that were measured on one machine with one profile.

    Args:
        results: of schema ``scenario``.
    """

    def __init__(self, results: Iterable[Result]) -> None:
        self.by_name = {result["what"]: result for result in results}

    def growing(self, mode: str) -> list[Result]:
        """One photo at a time over gRPC in a mode, from small to large."""
        found = [
            result
            for name, result in self.by_name.items()
            if GROWTH.fullmatch(name) and name.endswith((f"-{mode}", "px")) and not result["levels"][0]["refused"]
        ]
        return sorted(found, key=megapixels)

    def times(self) -> list[Series]:
        """Seconds against megapixels in each mode, with their lines. 512 px are left out: there both modes are one."""
        return [
            _series(mode, [result for result in self.growing(mode) if "px" not in result["what"]], _seconds)
            for mode in ("fast", "full")
        ]

    def memory(self) -> list[Series]:
        """GB above idle against megapixels in each mode."""
        return [
            _series(mode, [result for result in self.growing(mode) if result["memory"]], _gigabytes_above_idle)
            for mode in ("fast", "full")
        ]

    def closed(self, *names: str) -> dict[str, list[dict[str, Any]]]:
        """Levels with a fixed number of requests under way, of the named scenarios."""
        return {name: answered(self.by_name[name]) for name in names if name in self.by_name}

    def stages(self) -> dict[str, dict[str, float]]:
        """Milliseconds by stage, of the scenarios with one photo at a time."""
        named = {result["what"]: result for mode in ("fast", "full") for result in self.growing(mode)}
        return {
            name: stages(result["levels"][0])
            for name, result in sorted(named.items(), key=lambda each: megapixels(each[1]))
        }


def megapixels(result: Result) -> float:
    """Of its photos, on average."""
    return float(result["scenario"]["megapixels"])


def answered(result: Result) -> list[dict[str, Any]]:
    """Its levels that the server did not refuse."""
    return [level for level in result["levels"] if not level["refused"]]


def refused(result: Result) -> list[dict[str, Any]]:
    """Its levels that were too much."""
    return [level for level in result["levels"] if level["refused"]]


def percentiles(levels: Sequence[dict[str, Any]]) -> list[Series]:
    """Latencies in milliseconds against the rate."""
    rates = [level["load"]["value"] for level in levels]
    return [Series(name.removesuffix("_ms"), rates, [level[name] for level in levels]) for name in PERCENTILES]


def _series(name: str, results: Sequence[Result], value: Any) -> Series:  # noqa: ANN401
    sizes, values = [megapixels(each) for each in results], [value(each) for each in results]
    return Series(name, sizes, values, fit(sizes, values) if len(sizes) > 1 else None)


def _seconds(result: Result) -> float:
    return float(result["levels"][0]["p50_ms"]) / 1e3


def _gigabytes_above_idle(result: Result) -> float:
    return float(result["memory"]["peak_bytes"] - result["memory"]["idle_bytes"]) / 1e9
