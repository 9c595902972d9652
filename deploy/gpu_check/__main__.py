"""``python -m deploy.gpu_check``: ask every question of one profile, and write the report."""

import argparse
import sys
from pathlib import Path

from command_line.ending import finish
from deploy.gpu_check import installation, networks, photos, report, speed, suites
from deploy.gpu_check.session import Session
from deploy.gpu_check.steps import FAIL, UNKNOWN, Result, Step, run
from deploy.server.interrupts import interruptible
from files.checkout import ROOT

STEPS = (
    Step("versions", installation.versions),
    Step("packages of the models", installation.packages),
    Step("networks", networks.built),
    Step("precision", networks.precision),
    Step("server", networks.served),
    Step("every format", photos.formats),
    Step("a damaged photo", photos.damaged),
    Step("a photo over the limit", photos.over_the_limit),
    Step("two photos in turn", photos.in_turn),
    Step("pixels against the CPU profile", photos.pixels),
    Step("24 megapixels", photos.large, short=False),
    Step("memory", suites.memory),
    Step("benchmark at 512 px", speed.benchmark, short=False),
    Step("perf_analyzer", suites.perf_analyzer, short=False),
    Step("tests of the server", suites.server_tests, short=False),
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; exits with 2 on a typo."""
    parser = argparse.ArgumentParser(prog="python -m deploy.gpu_check", description=__doc__)
    parser.add_argument("--profile", choices=("gpu", "cpu"), default="gpu", help="what to check (default: %(default)s)")
    parser.add_argument("--url", help="a server of it that runs already, grpc://host:8001 (default: one of its own)")
    parser.add_argument("--out", type=Path, default=ROOT / "artifacts/gpu-check", help="folder of the report")
    parser.add_argument("--short", action="store_true", help="leave out benchmarks and the tests of the server")
    return parser.parse_args(arguments)


def check(profile: str, folder: Path, url: str | None = None, *, short: bool = False) -> int:
    """Run the steps, print each answer, write the report; returns 1 where a step failed."""
    results: list[Result] = []
    with Session(profile, folder, url) as session:
        try:
            for result in run([step for step in STEPS if step.short or not short], session):
                print(report.line(result), flush=True)
                results.append(result)
        finally:  # of a check that was stopped, too
            path = report.write(results, profile, folder)
    outcomes = [each.outcome for each in results]
    failed, unknown = outcomes.count(FAIL), outcomes.count(UNKNOWN)
    print(f"{len(results)} steps, {failed} failed, {unknown} could not tell: {path}")
    return 1 if failed else 0


def main() -> int:
    """Returns the exit code."""
    asked = parse_arguments()
    with interruptible():
        return finish(lambda: check(asked.profile, asked.out / asked.profile, asked.url, short=asked.short))


if __name__ == "__main__":
    sys.exit(main())
