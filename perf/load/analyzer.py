"""perf_analyzer, NVIDIA's load generator: one run at one load, and what it reports.

It is asked for a number of requests, not for windows of time, so that a run's length follows from its scenario and each
request is counted. Its table's throughput is left out: in this way of running it includes the time that the program
takes to notice its end. `Timing` says how the throughput is taken instead.
"""

import csv
import math
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.access.operator_key import operator_key
from deploy.measuring.targets import Target
from deploy.server.restrictions import HTTP_HEADER, redacted
from files.checkout import ROOT
from perf.errors import PerfError
from perf.load.inputs import largest_output_bytes
from perf.load.scenarios import Scenario

FOLDER = ROOT / ".venv-perf"
BINARY = FOLDER / "bin/perf_analyzer"
LIBRARIES = FOLDER / "nvidia/cuda_runtime/lib"
COLUMNS = {
    "mean_ms": "Avg latency",
    "p50_ms": "p50 latency",
    "p95_ms": "p95 latency",
    "p99_ms": "p99 latency",
}
FULL_QUEUE = "Exceeds maximum queue size"
TIMEOUT_S = 300


class Refused(Exception):
    """The server's queue was full; perf_analyzer stops at the first refusal."""


@dataclass(frozen=True)
class Load:
    """How requests are sent.

    Attributes:
        kind: ``concurrency`` (requests in flight), ``poisson`` (arrivals per second) or ``burst`` (requests at once).
        value: of these.
        pause_s: after each burst.
    """

    kind: str
    value: float
    pause_s: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind} {self.value:.3g}"


@dataclass(frozen=True)
class Timing:
    """What perf_analyzer reports of one run, in milliseconds, seen by the client.

    Attributes:
        throughput_per_s: items; the number of requests in flight divided by the mean latency (Little's law). None
            where requests arrive by themselves: their rate is the load's, whatever the server makes of it.
    """

    requests: int
    throughput_per_s: float | None
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


def analyze(scenario: Scenario, target: Target, data: Path, load: Load, requests: int) -> Timing:
    """Run perf_analyzer once.

    Args:
        scenario: what is asked.
        target: of whom.
        data: file with perf.load.inputs.input_data.
        load: how the requests are sent.
        requests: how many; perf_analyzer wants no fewer random arrivals than come in a second.

    Raises:
        Refused: the server's queue was full.
        PerfError: perf_analyzer is missing or failed; says why.
    """
    if load.kind == "poisson":
        requests = max(requests, math.ceil(load.value))
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.csv")
        command = [*base_command(scenario, target, data), *load_options(load, Path(folder, "intervals"))]
        output = execute([*command, "--request-count", str(requests), "-f", str(report), "--verbose-csv"])
        counted = re.search(r"Request count: (\d+)", output)
        if counted is None or not report.exists():
            raise PerfError(f"perf_analyzer reported nothing:\n{output[-2000:]}")
        (row,) = csv.DictReader(report.read_text().splitlines())
    latencies = {name: float(row[column]) / 1e3 for name, column in COLUMNS.items()}
    closed = load.kind == "concurrency"
    throughput = 1e3 * scenario.batch * load.value / latencies["mean_ms"] if closed else None
    return Timing(int(counted[1]), throughput, **latencies)


def base_command(scenario: Scenario, target: Target, data: Path) -> list[str]:
    """The command with model, server and protocol, without a load."""
    protocol = "http" if scenario.transport == "http" else "grpc"
    command = [str(BINARY), "-m", scenario.model, "-b", str(scenario.batch), "--input-data", str(data)]
    command += ["-i", protocol, "-u", target.http if protocol == "http" else target.grpc]
    if protocol == "http":  # it asks for the models' configuration and statistics
        command += ["-H", f"{HTTP_HEADER}:{operator_key()}"]
    if protocol == "grpc" and scenario.model in ("enhance", "tiler"):
        command += ["--request-parameter", f"mode:{scenario.mode}:string"]
    if scenario.transport == "shared-memory":
        size = str(largest_output_bytes(scenario))
        command += ["--shared-memory", "system", "--output-shared-memory-size", size]
    return command


def load_options(load: Load, intervals: Path) -> list[str]:
    """Options for a load; writes the file of a burst's intervals."""
    if load.kind == "concurrency":
        return ["--concurrency-range", f"{load.value:.0f}"]
    if load.kind == "poisson":
        rate = f"{load.value:.4f}"
        return ["--async", "--request-rate-range", f"{rate}:{rate}:1", "--request-distribution", "poisson"]
    microseconds = [1] * (int(load.value) - 1) + [int(load.pause_s * 1e6)]
    intervals.write_text("\n".join(map(str, microseconds)) + "\n")
    return ["--async", "--request-intervals", str(intervals)]


def execute(command: list[str]) -> str:
    """Output of perf_analyzer, or the error that it stands for."""
    if not BINARY.exists():
        raise PerfError("perf_analyzer is missing; install it: make setup PART=perf")
    environment = os.environ | {"LD_LIBRARY_PATH": str(LIBRARIES)}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise PerfError(f"perf_analyzer did not end within {TIMEOUT_S} s: {redacted(' '.join(command))}") from None
    output = done.stdout + done.stderr
    if FULL_QUEUE in output:
        raise Refused
    if done.returncode:
        telling = re.findall(r"^(?:error|failed|thread).*", output, re.IGNORECASE | re.MULTILINE)
        raise PerfError("perf_analyzer failed: " + " / ".join(telling[:3] or output.splitlines()[-3:]))
    return output


def version() -> str:
    """Version of the binary, as it says itself."""
    return execute([str(BINARY), "--version"]).partition("Version ")[2].split()[0].rstrip(",")
