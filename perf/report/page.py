"""``perf/report.md``: tables and plots of every kept result, wins and losses alike."""

from pathlib import Path

from clients.files import write_atomically
from deploy.server import ROOT
from perf.report.chapter import Chapter
from perf.results import RESULTS, Result, read_all

REPORT = ROOT / "perf/report.md"
INTRODUCTION = """\
# Benchmark report

Written by `make perf-report` from the files in `perf/results`; docs/benchmarks.md says how each figure is taken. Times
are medians over repeats, as the client sees them. Spread is the largest repeat minus the smallest, over the median;
stolen is the share of the cores' time that the host of a virtual machine gave to its other guests meanwhile.
"""


def write_report(folder: Path = RESULTS, report: Path = REPORT) -> int:
    """Write the report and its plots beside it; returns 0.

    Raises:
        PerfError: a result does not follow its schema.
    """
    chapters: dict[tuple[str, str], list[Result]] = {}
    for result in read_all(folder):
        chapters.setdefault((result["machine"]["name"], result["profile"]), []).append(result)
    lines = [INTRODUCTION]
    for (machine, profile), results in chapters.items():
        lines += Chapter(results, report.parent / "plots" / f"{machine}--{profile}").lines()
    write_atomically(report, ("\n".join(lines).rstrip() + "\n").encode())
    print(report)
    return 0
