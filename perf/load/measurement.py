"""Scenarios measured through a server, each on a fresh one: rows of results."""

import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tritonclient import grpc

from command_line.ending import UserError
from deploy.measuring.machine import cpu_seconds, steal_share
from deploy.measuring.memory import Peak, pss_bytes
from deploy.measuring.targets import Target, server
from perf.errors import PerfError
from perf.load import analyzer
from perf.load.analyzer import Load, Refused, Timing, analyze
from perf.load.inputs import input_data
from perf.load.scenarios import Scenario, choose
from perf.load.statistics import Counters, counters, stages_ms, tiles_in_batch
from perf.results import Result, Row, new_result, server_versions, write

SATURATING = 8  # requests in flight that keep every instance busy
Analyze = Callable[[Load, int], Timing]


@dataclass
class Level:
    """What was measured at one load, over all repeats.

    Attributes:
        counted: growth of Triton's counters in all repeats.
        steal: steal time in each repeat, as a share of this machine's time.
        refused: whether the server's queue was full, where measuring ended.
    """

    load: Load
    timings: list[Timing] = field(default_factory=list)
    counted: Counters = field(default_factory=Counter)
    steal: list[float] = field(default_factory=list)
    refused: bool = False

    def measure(self, analyze_load: Analyze, target: Target, requests: int) -> None:
        """One repeat."""
        if self.refused:
            return
        before, ticks = counters(target), cpu_seconds()
        try:
            self.timings.append(analyze_load(self.load, requests))
            self.steal.append(steal_share(ticks, cpu_seconds()))
            self.counted += counters(target) - before
        except Refused:
            self.refused = True
            wait_idle(target)

    def row(self) -> Row:
        """The row for the result."""
        if self.refused:
            return {"load": str(self.load), "not_run": "refused, the queue was full"}
        repeats = [asdict(timing) for timing in self.timings]
        names = [name for name, value in repeats[0].items() if name != "requests" and value is not None]
        alone = bool(self.counted["enhance", "requests"]) and self.load == Load("concurrency", 1)
        stages = stages_ms(self.counted, [timing.mean_ms for timing in self.timings]) if alone else {}
        return {
            "load": str(self.load),
            "requests": sum(timing.requests for timing in self.timings),
            **{name: round(statistics.median(each[name] for each in repeats), 4) for name in names},
            "spread_percent": round(100 * relative_range([each["p50_ms"] for each in repeats]), 2),
            "steal_percent": round(100 * statistics.median(self.steal), 2),
            "tiles_in_batch": tiles_in_batch(self.counted),
            **{name: round(ms, 4) for name, ms in stages.items()},
        }


def relative_range(values: list[float]) -> float:
    """Largest minus smallest, over the median."""
    return (max(values) - min(values)) / statistics.median(values)


def measure(scenario: Scenario, target: Target) -> tuple[list[Row], dict[str, float]]:
    """Rows of a scenario, one a load, and the server's memory in GB where it is our own.

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
        levels = [Level(load) for load in loads(scenario, analyze_load)]
        for _ in range(scenario.repeats):
            for level in levels:
                level.measure(analyze_load, target, scenario.requests)
    return [level.row() for level in levels], memory


def warm_up(scenario: Scenario, target: Target, analyze_load: Analyze) -> dict[str, float]:
    """Send as many requests at once as the scenario will have in flight; returns our own server's peak memory."""
    together = int(max(scenario.levels)) if scenario.load == "concurrency" else SATURATING
    load, requests = Load("concurrency", together), max(together, len(scenario.sizes_px))
    if target.group is None:
        analyze_load(load, requests)
        return {}
    idle = pss_bytes(target.group)
    with Peak(target.group) as peak:
        analyze_load(load, requests)
    return {"idle_gb": idle / 1e9, "peak_gb": peak.bytes / 1e9}


def loads(scenario: Scenario, analyze_load: Analyze) -> list[Load]:
    """The scenario's levels as loads; rates follow from what this server reaches."""
    if scenario.load == "concurrency":
        return [Load("concurrency", level) for level in scenario.levels]
    together = Load("concurrency", SATURATING)
    highest_per_s = 1e3 * SATURATING / analyze_load(together, scenario.requests).mean_ms
    if scenario.load == "poisson":
        return [Load("poisson", round(share * highest_per_s, 4)) for share in scenario.levels]
    return [Load("burst", size, pause_s=round(2 * size / highest_per_s, 6)) for size in scenario.levels]


def wait_idle(target: Target) -> None:
    """Wait until a server has finished what waits in its queues."""
    seen: Counters = Counter()
    while seen != (now := counters(target)):
        seen = now
        time.sleep(1)


def run_scenarios(names: list[str], profile: str, url: str | None, folder: Path) -> int:
    """Measure and keep; one that fails does not stop the others. Returns the exit code.

    Raises:
        PerfError: there is no scenario of such a name.
    """
    failed = 0
    for scenario in choose(names):
        try:
            result = run_scenario(scenario, profile, url)
        except UserError as error:
            failed += 1
            print(f"{scenario.name}: error: {error}", file=sys.stderr, flush=True)
            continue
        write(result, folder)
        print(summary(result), flush=True)
    return 1 if failed else 0


def run_scenario(scenario: Scenario, profile: str, url: str | None) -> Result:
    """Measure on a fresh server of our own, so that no scenario sees another's memory, or on one that runs already."""
    with server(profile, url) as target:
        with grpc.InferenceServerClient(target.grpc) as client:
            versions = {"triton": client.get_server_metadata().version, "perf_analyzer": analyzer.version()}
        rows, memory = measure(scenario, target)
    if target.group is not None:  # elsewhere the server's packages are not known
        versions |= server_versions()
    asked = {name: getattr(scenario, name) for name in ("about", "model", "mode", "transport", "batch", "repeats")}
    about = asked | {"megapixels": round(scenario.megapixels, 3)} | memory
    return new_result("scenario", scenario.name, profile, versions, rows, about)


def summary(result: Result) -> str:
    """One line for the terminal."""
    loads = [f"{row['load']}: {row.get('not_run') or '{:.1f} ms'.format(row['p50_ms'])}" for row in result["rows"]]
    return f"{result['name']:28s} {'; '.join(loads)}"
