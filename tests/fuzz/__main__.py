"""Broken photo files against the decoder: each is answered with the right picture or refused with a sentence.

    python -m tests.fuzz --count 100000 [--seed 1] [--url grpc://127.0.0.1:8001] [--keep folder]

Without an address, files go to a worker of this process; with one, to a running server. File n of seed s is always the
same file. What is found is named by its number and can be kept; the exit code says whether anything was.
"""

import argparse
import collections
import sys
import time
from pathlib import Path

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Ask, served, worker
from tests.kinds import KINDS

PROGRESS_S = 10.0


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="files")
    parser.add_argument("--seed", type=int, default=1, help="number of the first file")
    parser.add_argument("--url", help="of a running server, such as grpc://127.0.0.1:8001")
    parser.add_argument("--keep", type=Path, help="folder for the files that were answered wrongly")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.count} files", flush=True)
    with served(options.url) if options.url else worker() as ask:
        findings = fuzz(ask, options.seed, options.count, options.keep)
    return 1 if findings else 0


def fuzz(ask: Ask, seed: int, count: int, keep: Path | None = None) -> list[str]:
    """Ask for every file, and say what happened; what was wrong is returned."""
    outcomes: collections.Counter[str] = collections.Counter()
    findings = []
    shown_s = time.monotonic()
    for number in range(seed, seed + count):
        kind, file = mutated(KINDS, number)
        outcome, complaint = ask(file)
        outcomes[outcome] += 1
        if complaint:
            findings.append(f"file {number} ({kind}): {complaint}")
            print(findings[-1], flush=True)
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / str(number)).write_bytes(file)
        if time.monotonic() - shown_s > PROGRESS_S:
            shown_s = time.monotonic()
            print(f"{number - seed + 1} files: {dict(outcomes)}, {len(findings)} wrong", flush=True)
    print(f"{count} files: {dict(outcomes)}, {len(findings)} wrong", flush=True)
    return findings


if __name__ == "__main__":
    sys.exit(main())
