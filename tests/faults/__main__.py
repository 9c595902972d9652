"""Runs the faults, prints the table, keeps the result and the table of docs/faults.md.

python -m tests.faults [NAME ...]
"""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from command_line.ending import finish
from deploy.server.interrupts import interruptible
from files.checkout import ROOT
from files.writing import write_whole
from perf import results
from tests.faults import breakdowns, damaged, half_open, neighbour, overload, slow_readers, space
from tests.faults.row import HEADER, Row, table

FAULTS: dict[str, Callable[[], Row]] = {
    **breakdowns.FAULTS,
    **space.FAULTS,
    **overload.FAULTS,
    **slow_readers.FAULTS,
    **half_open.FAULTS,
    **damaged.FAULTS,
    **neighbour.FAULTS,
}
PAGE = ROOT / "docs/faults.md"
TABLE = re.compile(r"(<!-- python -m tests.faults -->\n).*?(<!-- end -->)", re.DOTALL)


def run(names: list[str]) -> list[Row]:
    """The rows of some faults, printed as they come."""
    print(HEADER, flush=True)
    rows = []
    for name in names:
        rows.append(FAULTS[name]())
        print(table([rows[-1].as_json()]).splitlines()[-1], flush=True)
    return rows


def keep(rows: list[Row], folder: Path, page: Path) -> None:
    """The result, and its table in the documentation."""
    result = results.new_result("faults", "faults", "cpu", {}, [row.as_json() for row in rows])
    results.write(result, folder)
    text = TABLE.sub(lambda match: f"{match[1]}{section(result)}\n{match[2]}", page.read_text())
    write_whole(page, text)


def section(result: results.Result) -> str:
    """The table, and what it was measured on."""
    machine = result["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, {result['date'][:10]}"
    others = f"{machine['load_1min']:.0f} processes wanted to run at its end"
    return f"{table(result['rows'])}\n\nMeasured on {where}; {others}."


def main() -> int:
    """Command line; exit code 1 where a photo was lost or answered twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(FAULTS)}; all are kept")
    names = parser.parse_args().names
    if unknown := set(names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(unknown)}; choose from {', '.join(FAULTS)}")
    with interruptible():
        return finish(lambda: measure(names))


def measure(names: list[str]) -> int:
    """Some faults, or all of them, which are kept; returns the exit code."""
    rows = run(names or list(FAULTS))
    if not names:
        keep(rows, results.RESULTS, PAGE)
    return 0 if all(row.is_well() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
