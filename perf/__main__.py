"""``python -m perf``: run scenarios, compare two states of the project, trace a photo, sweep settings, report."""

import argparse
import sys
from pathlib import Path

from perf.commands import finish
from perf.results import RESULTS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(prog="python -m perf", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of results (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure scenarios of scenarios.toml")
    run.add_argument("scenario", nargs="*", help="names (default: all)")
    run.add_argument("--profile", choices=("cpu", "gpu"), default="cpu", help="what serves (default: %(default)s)")
    run.add_argument("--url", help="a server that runs already, grpc://host:8001 (default: a fresh one for each)")
    compare = commands.add_parser("compare", help="is B slower than A? exits with 1 where it is")
    for side in ("a", "b"):
        compare.add_argument(side, help="a commit, or a folder with model_repository/ and pixels/ (. is this one)")
    compare.add_argument("--scenario", default="photo-512px", help="what to measure (default: %(default)s)")
    commands.add_parser("trace", help="one photo's way through the models, from Triton's trace")
    commands.add_parser("sweep", help="settings tried against the ones that are served")
    commands.add_parser("report", help="tables and plots of the kept results")
    return parser.parse_args(arguments)


def execute(arguments: argparse.Namespace) -> int:
    """Run one command; its modules load now, since only the report needs matplotlib."""
    match arguments.command:
        case "run":
            from perf.load.suite import run_scenarios

            return run_scenarios(arguments.scenario, arguments.profile, arguments.url, arguments.results)
        case "compare":
            from perf.comparison.compare import compare_and_keep

            return compare_and_keep(arguments.a, arguments.b, arguments.scenario, arguments.results)
        case "trace":
            from perf.load.trace import trace_and_keep

            return trace_and_keep(arguments.results)
        case "sweep":
            from perf.comparison.sweep import sweep_and_keep

            return sweep_and_keep(arguments.results)
        case _:
            from perf.report.page import write_report

            return write_report(arguments.results)


def main() -> int:
    """Returns the exit code."""
    arguments = parse_arguments()
    return finish(lambda: execute(arguments))


if __name__ == "__main__":
    sys.exit(main())
