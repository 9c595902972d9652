"""Before and after: two states of the project measured in turn, in one run on one machine.

Two kept results would be compared across days, temperatures and neighbours on the machine; two servers side by side,
asked in turn, meet the same. So both sides are commits or folders here, never result files.
"""

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.server import SERVER_PYTHON
from perf.comparison.sides import Side, checkout, serve
from perf.comparison.verdict import Verdict, verdict
from perf.errors import PerfError
from perf.load import analyzer
from perf.load.analyzer import Load, analyze
from perf.load.inputs import input_data
from perf.load.scenarios import Scenario, choose
from perf.load.suite import SERVER_PACKAGES
from perf.results import new_result, package_versions, write
from perf.servers import Target

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


def compare(a: Side, b: Side, scenario: Scenario, least: int = LEAST_PAIRS, most: int = MOST_PAIRS) -> Comparison:
    """Serve both sides and measure a scenario's first level on them in turn.

    Raises:
        PerfError: the scenario has random arrivals, or a server or perf_analyzer fails.
    """
    if scenario.load != "concurrency":
        raise PerfError(f"{scenario.name}: a comparison needs a scenario with a fixed number of requests under way")
    with contextlib.ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()), "input.json")
        data.write_bytes(input_data(scenario))
        of_a, of_b = (latency(scenario, stack.enter_context(serve(side)), data) for side in (a, b))
        for warm_up in (of_a, of_b):
            warm_up()
        return paired(of_a, of_b, least, most)


def latency(scenario: Scenario, target: Target, data: Path) -> Measure:
    """A function that runs the scenario once on a server and returns its median latency in milliseconds."""
    load, requests = Load("concurrency", scenario.levels[0]), min(scenario.requests, REQUESTS)
    return lambda: analyze(scenario, target, data, load, requests).p50_ms


def compare_and_keep(a: str, b: str, name: str, folder: Path) -> int:
    """Compare, keep the result; returns 1 where B is slower.

    Raises:
        PerfError: no such side or scenario, or measuring fails.
    """
    (scenario,) = choose([name])
    with tempfile.TemporaryDirectory(prefix="perf-compare-") as place:
        sides = [checkout(side, Path(place, label)) for label, side in (("a", a), ("b", b))]
        found = compare(sides[0], sides[1], scenario)
    body = {
        "scenario": name,
        "a": {"name": sides[0].name, "commit": sides[0].commit},
        "b": {"name": sides[1].name, "commit": sides[1].commit},
        "a_ms": [round(each, 4) for each in found.a_ms],
        "b_ms": [round(each, 4) for each in found.b_ms],
        "median_ms": {"a": round(statistics.median(found.a_ms), 4), "b": round(statistics.median(found.b_ms), 4)},
        "verdict": asdict(found.verdict),
    }
    versions = {"perf_analyzer": analyzer.version()} | package_versions(*SERVER_PACKAGES, python=SERVER_PYTHON)
    write(new_result("compare", "compare", "cpu", versions, body), folder)
    print(f"{name}, {len(found.a_ms)} pairs: {found.verdict}")
    return 1 if found.verdict.outcome == "slower" else 0
