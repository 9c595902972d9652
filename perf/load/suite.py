"""Scenarios run one after the other, each on a fresh server, and kept."""

import sys
import time
from pathlib import Path

from deploy.server import SERVER_PYTHON
from perf.errors import PerfError
from perf.load import analyzer
from perf.load.measurement import measure
from perf.load.scenarios import Scenario, choose
from perf.load.server_statistics import triton_version
from perf.results import Result, new_result, package_versions, write
from perf.servers import server

SERVER_PACKAGES = ("nvidia-pytriton", "openvino", "nvidia-dali-cuda130", "opencv-python-headless", "pillow", "numpy")


def run_scenarios(names: list[str], profile: str, url: str | None, folder: Path) -> int:
    """Measure and keep; one that fails does not stop the others. Returns the exit code.

    Raises:
        PerfError: there is no scenario of such a name.
    """
    failed = 0
    for scenario in choose(names):
        started = time.monotonic()
        try:
            result = run_scenario(scenario, profile, url)
        except PerfError as error:
            failed += 1
            print(f"{scenario.name}: error: {error}", file=sys.stderr, flush=True)
            continue
        write(result, folder)
        print(f"{summary(result)}  [{time.monotonic() - started:.0f} s]", flush=True)
    return 1 if failed else 0


def run_scenario(scenario: Scenario, profile: str, url: str | None) -> Result:
    """Measure on a fresh server of our own, so that no scenario sees another's memory, or on one that runs already."""
    with server(profile, url) as target:
        versions = {"triton": triton_version(target), "perf_analyzer": analyzer.version()}
        body = measure(scenario, target)
    if target.group is not None:  # elsewhere the server's packages are not known
        versions |= package_versions(*SERVER_PACKAGES, python=SERVER_PYTHON)
    return new_result("scenario", scenario.name, profile, versions, body | {"url": url})


def summary(result: Result) -> str:
    """One line for the terminal."""
    levels = [
        f"{level['load']['kind']} {level['load']['value']:g}: "
        + ("refused" if level["refused"] else f"{level['p50_ms']:.1f} ms")
        + (f", {level['throughput_per_s']:.2f}/s" if "throughput_per_s" in level else "")
        for level in result["levels"]
    ]
    return f"{result['what']:28s} {'; '.join(levels)}"
