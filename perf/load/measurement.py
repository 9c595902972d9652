"""One scenario measured through a server: the body of its result."""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from perf.errors import PerfError
from perf.load.analyzer import Load, Refused, Timing, analyze
from perf.load.inputs import input_data
from perf.load.scenarios import Scenario
from perf.load.server_statistics import Numbers, Statistics, metrics_between, models_between, per_request
from perf.machine import cpu_ticks, stolen_share
from perf.memory import Peak, pss_bytes
from perf.servers import Target

SATURATING = 8  # requests under way that keep every instance busy
Analyze = Callable[[Load, int], Timing]


@dataclass
class Level:
    """What was measured at one load, over all repeats.

    Attributes:
        level: the scenario's own number for it: for Poisson arrivals the share of the highest rate.
        changes: growth of Triton's counters in each repeat.
        stolen: share of this machine's time that its host gave to other guests, in each repeat.
        refused: whether the server's queue was full, where measuring ended.
    """

    level: float
    load: Load
    timings: list[Timing] = field(default_factory=list)
    changes: list[dict[str, Numbers]] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)
    refused: bool = False

    def measure(self, analyze_load: Analyze, target: Target, requests: int) -> None:
        """One repeat."""
        if self.refused:
            return
        before, ticks = Statistics.of(target), cpu_ticks()
        try:
            self.timings.append(analyze_load(self.load, requests))
            self.stolen.append(stolen_share(ticks, cpu_ticks()))
            self.changes.append(models_between(before, Statistics.of(target)))
        except Refused:
            self.refused = True
            wait_idle(target)

    def report(self) -> dict[str, Any]:
        """For the result."""
        known: dict[str, Any] = {"level": self.level, "load": asdict(self.load), "refused": self.refused}
        if self.refused:
            return known
        repeats = [timing.rounded() for timing in self.timings]
        names = [name for name in repeats[0] if name != "requests"]
        medians = {name: round(statistics.median(each[name] for each in repeats), 4) for name in names}
        return {
            **known,
            "requests": sum(timing.requests for timing in self.timings),
            **medians,
            "stolen_share": statistics.median(self.stolen),
            "spread": {name: relative_range([each[name] for each in repeats]) for name in names},
            "repeats": repeats,
            "models": per_request(self.changes),
        }


def relative_range(values: list[float]) -> float:
    """Largest minus smallest, over the median."""
    return round((max(values) - min(values)) / statistics.median(values), 4)


def measure(scenario: Scenario, target: Target) -> dict[str, Any]:
    """Body of a result of schema ``scenario``.

    The first requests warm the server up, with its memory watched, which slows it down, so they are not timed. Then
    come the repeats, in each of them one run at each load.

    Raises:
        PerfError: perf_analyzer fails, or the scenario does not fit the server.
    """
    if scenario.transport == "shared-memory" and not target.is_local:
        raise PerfError(f"{scenario.name}: memory can be shared with a server on this machine only, not {target.grpc}")
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "input.json")
        data.write_bytes(input_data(scenario))

        def analyze_load(load: Load, requests: int) -> Timing:
            return analyze(scenario, target, data, load, requests)

        memory = warm_up(scenario, target, analyze_load)
        before = Statistics.of(target)
        levels = [Level(level, load) for level, load in loads(scenario, analyze_load)]
        for _ in range(scenario.repeats):
            for level in levels:
                level.measure(analyze_load, target, scenario.requests)
        metrics = metrics_between(before, Statistics.of(target))
    return {
        "scenario": asdict(scenario) | {"megapixels": round(scenario.megapixels, 3)},
        "levels": [level.report() for level in levels],
        "memory": memory,
        "metrics": metrics,
    }


def warm_up(scenario: Scenario, target: Target, analyze_load: Analyze) -> dict[str, int] | None:
    """As many requests at once as the scenario will have under way; the memory that takes, of a server of our own."""
    together = int(max(scenario.levels)) if scenario.load == "concurrency" else SATURATING
    load, requests = Load("concurrency", together), max(together, len(scenario.sizes_px))
    if target.group is None:
        analyze_load(load, requests)
        return None
    idle = pss_bytes(target.group)
    with Peak(target.group) as peak:
        analyze_load(load, requests)
    return {"idle_bytes": idle, "peak_bytes": peak.bytes, "requests_under_way": together}


def loads(scenario: Scenario, analyze_load: Analyze) -> list[tuple[float, Load]]:
    """The scenario's levels as loads; rates follow from what this server reaches."""
    if scenario.load == "concurrency":
        return [(level, Load("concurrency", level)) for level in scenario.levels]
    together = Load("concurrency", SATURATING)
    highest_per_s = 1e3 * SATURATING / analyze_load(together, scenario.requests).mean_ms
    if scenario.load == "poisson":
        return [(share, Load("poisson", round(share * highest_per_s, 4))) for share in scenario.levels]
    return [(size, Load("burst", size, pause_s=round(2 * size / highest_per_s, 6))) for size in scenario.levels]


def wait_idle(target: Target) -> None:
    """Until a server has finished what waits in its queues."""
    seen: list[dict[str, Numbers]] = [{}]
    while seen[-1] != (now := Statistics.of(target).models):
        seen.append(now)
        time.sleep(1)
