"""Broken photo files: each is answered with the right picture or refused with a sentence, and nothing dies of any.

    python -m tests.fuzz --count 100000 [--seed 1] [--served [grpc://127.0.0.1:8001]] [--keep folder]

Files go to a worker of this process; with --served to the ensemble of a server that is started for them, or of one that
runs. File n of seed s is always the same file. What is found is named by its number and can be kept; the exit code says
whether anything was.
"""

import argparse
import collections
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.judge import verdict
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Answer, Target, served, worker
from tests.kinds import KINDS

PROGRESS_S = 10.0
CHUNK = 256  # files that are made, and whose answers are kept, at once


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="files")
    parser.add_argument("--seed", type=int, default=1, help="number of the first file")
    parser.add_argument("--served", nargs="?", const="", metavar="URL", help="ask a server: its own, or one that runs")
    parser.add_argument("--keep", type=Path, help="folder for the files that were answered wrongly")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.count} files", flush=True)
    with worker() if options.served is None else served(options.served) as target:
        findings = fuzz(target, options.seed, options.count, options.keep)
    return 1 if findings else 0


def fuzz(target: Target, seed: int, count: int, keep: Path | None = None) -> list[str]:
    """Ask for every file, and say what happened; what was wrong is returned."""
    outcomes: collections.Counter[str] = collections.Counter()
    findings = []
    shown_s = time.monotonic()
    for number, kind, file, answer in answers(target, seed, count):
        outcomes[answer.outcome] += 1
        complaint = answer.complaint or ("" if answer.pixels is None else verdict(file, answer.pixels))
        if complaint:
            findings.append(f"file {number} ({kind}): {complaint}")
            print(findings[-1], flush=True)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / str(number)).write_bytes(file)
        if time.monotonic() - shown_s > PROGRESS_S:
            shown_s = time.monotonic()
            print(f"{number - seed + 1} files: {dict(outcomes)}, {len(findings)} wrong", flush=True)
    deaths = target.deaths()
    print(f"{count} files: {dict(outcomes)}, {len(findings)} wrong, {', '.join(deaths) or 'no deaths'}", flush=True)
    return findings + deaths


def answers(target: Target, seed: int, count: int) -> Iterator[tuple[int, str, bytes, Answer]]:
    """(number, kind, file, what became of it), in the order of the numbers."""
    with ThreadPoolExecutor(target.in_flight) as pool:
        for start in range(seed, seed + count, CHUNK):
            files = {number: mutated(KINDS, number) for number in range(start, min(start + CHUNK, seed + count))}
            asked = pool.map(target.ask, [file for _, file in files.values()])
            for (number, (kind, file)), answer in zip(files.items(), asked, strict=True):
                yield number, kind, file, answer


if __name__ == "__main__":
    sys.exit(main())
