"""``python -m perf``: every benchmark of the project, and the report of their results."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from command_line.ending import finish
from deploy.server.interrupts import interruptible
from perf.results import RESULTS, Result, table, write
from serving.versions import NETWORKS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(prog="python -m perf", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="scenarios of scenarios.toml, with perf_analyzer")
    run.add_argument("scenario", nargs="*", help="names (default: all)")
    run.add_argument("--profile", choices=("cpu", "gpu"), default="cpu", help="what serves (default: %(default)s)")
    run.add_argument("--url", help="a server that runs already, grpc://host:8001 (default: a fresh one for each)")
    compare = commands.add_parser("compare", help="is B slower than A? exits with 1 where it is")
    for side in ("a", "b"):
        compare.add_argument(side, help="a commit, or a folder of a working tree (. is this one)")
    compare.add_argument("--scenario", default="photo-512px", help="what to measure (default: %(default)s)")
    serving = commands.add_parser("serving", help="what serving costs beside the networks")
    engines = commands.add_parser("engines", help="both networks in every engine")
    roofline = commands.add_parser("roofline", help="how near they come to what the machine could do")
    baselines = commands.add_parser("baselines", help="what people would use in its place, side by side")
    baselines.add_argument("--panoramas", type=Path, help="folder of .hdr panoramas; without, no quality is measured")
    commands.add_parser("report", help="perf/report.md from the kept results")
    for each in (compare, serving, engines, roofline, baselines):
        each.add_argument("--quick", action="store_true", help="as few repeats as can be, to see that it works")
    return parser.parse_args(arguments)


def execute(asked: argparse.Namespace) -> int:
    """Run one command, which loads what it needs; returns the exit code."""
    rounds = {"rounds": 1} if "quick" in asked and asked.quick else {}
    match asked.command:
        case "run":
            from perf.load.measurement import run_scenarios

            return run_scenarios(asked.scenario, asked.profile, asked.url, asked.results)
        case "compare":
            from perf.comparison.compare import compare

            pairs = {"least": 2, "most": 2} if asked.quick else {}
            found = compare(asked.a, asked.b, asked.scenario, **pairs)
            keep([found], asked.results)
            return 1 if found["about"]["B_is"] == "slower" else 0
        case "serving":
            from perf.serving import serving

            keep([serving(**rounds, **({"repeats": 1} if asked.quick else {}))], asked.results)
        case "engines":
            from perf.engines.benchmark import benchmark

            keep((benchmark(network, **rounds) for network in NETWORKS), asked.results)
        case "roofline":
            from perf.roofline.measurement import roofline

            keep((roofline(network, **rounds) for network in NETWORKS), asked.results)
        case "baselines":
            from perf.baselines.benchmark import baselines

            keep([baselines(asked.panoramas, 1 if asked.quick else None)], asked.results)
        case "report":
            from perf.report import REPORT, write_report

            write_report(asked.results)
            print(REPORT)
    return 0


def keep(found: Iterable[Result], folder: Path) -> None:
    """Write results as they come, and print their tables."""
    for result in found:
        path = write(result, folder)
        about = [f"{name}: {value}" for name, value in result["about"].items()]
        print(*about, *table(result["rows"]), f"written: {path}", sep="\n", flush=True)


def main() -> int:
    """Returns the exit code."""
    asked = parse_arguments()
    with interruptible():
        return finish(lambda: execute(asked))


if __name__ == "__main__":
    sys.exit(main())
