"""Before and after: two states of the project measured in turn, in one run on one machine.

Two kept results would be compared across days, temperatures and neighbours on the machine; two servers side by side,
asked in turn, meet the same. So both sides are commits or folders here, never result files.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deploy.measuring.targets import Target
from perf.comparison.sides import checkout, serve
from perf.comparison.verdict import Verdict, verdict
from perf.errors import PerfError
from perf.load import analyzer
from perf.load.analyzer import Load, analyze
from perf.load.inputs import input_data
from perf.load.scenarios import Scenario, choose
from perf.results import Result, new_result, server_versions

LEAST_PAIRS = 10
MOST_PAIRS = 40
ENOUGH = 0.03  # half the interval's width at which measuring ends
MOST_S = 300.0
REQUESTS = 20  # in one run at most: half of a pair

Measure = Callable[[], float]


@dataclass(frozen=True)
class Comparison:
    """Paired times in milliseconds, and what follows from them."""

    a_ms: list[float]
    b_ms: list[float]
    verdict: Verdict


def paired(measure_a: Measure, measure_b: Measure, least: int = LEAST_PAIRS, most: int = MOST_PAIRS) -> Comparison:
    """Measure in turn, the first of a pair changing, until the interval is narrow enough.

    Measuring ends by the interval's width or after MOST_S, never by where the interval lies: that would find
    differences that are not there.
    """
    started = time.monotonic()
    a: list[float] = []
    b: list[float] = []
    while True:
        steps = [(a, measure_a), (b, measure_b)]
        for times, measure in steps if len(a) % 2 == 0 else reversed(steps):
            times.append(measure())
        if len(a) >= least:
            found = verdict(a, b)
            narrow = (found.high - found.low) / 2 <= ENOUGH
            if narrow or len(a) >= most or time.monotonic() - started > MOST_S:
                return Comparison(a, b, found)


def latency(scenario: Scenario, target: Target, data: Path) -> Measure:
    """A function that runs the scenario once on a server and returns its median latency in milliseconds."""
    load, requests = Load("concurrency", scenario.levels[0]), min(scenario.requests, REQUESTS)
    return lambda: analyze(scenario, target, data, load, requests).p50_ms


def compare(a: str, b: str, name: str, least: int = LEAST_PAIRS, most: int = MOST_PAIRS) -> Result:
    """Serve two commits or folders and measure a scenario's first level on them in turn.

    Raises:
        PerfError: no such side or scenario, it has random arrivals, or perf_analyzer fails.
        LaunchError: a server does not start.
    """
    (scenario,) = choose([name])
    if scenario.load != "concurrency":
        raise PerfError(f"{name}: a comparison needs a scenario with a fixed number of requests in flight")
    with contextlib.ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="perf-compare-")))
        data = place / "input.json"
        data.write_bytes(input_data(scenario))
        sides = {label: checkout(side, place / label) for label, side in (("A", a), ("B", b))}
        of_a, of_b = (latency(scenario, stack.enter_context(serve(side)), data) for side in sides.values())
        for warm_up in (of_a, of_b):
            warm_up()
        found = paired(of_a, of_b, least, most)
    times_ms = {"A": found.a_ms, "B": found.b_ms}
    rows = [
        {"side": label, "name": side.name, "commit": side.commit, "median_ms": statistics.median(times_ms[label])}
        for label, side in sides.items()
    ]
    about = {"scenario": name, "pairs": len(found.a_ms), "verdict": str(found.verdict), "B_is": found.verdict.outcome}
    versions = {"perf_analyzer": analyzer.version()} | server_versions()
    samples = {f"{label}_ms": [round(each, 4) for each in times] for label, times in times_ms.items()}
    return new_result("compare", "compare", "cpu", versions, rows, about, samples)
