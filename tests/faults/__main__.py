"""Runs the faults, prints the table, keeps the result and the table of docs/faults.md.

python -m tests.faults [NAME ...]
"""

import argparse
import re
import sys
from collections.abc import Callable, Sequence
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
    """Rows join those that this machine has measured before, and the documentation shows every machine's."""
    result = results.new_result("faults", "faults", "cpu", {}, [row.as_json() for row in rows])
    path, measured = results.path_of(result, folder), {row.fault for row in rows}
    before = results.read(path)["rows"] if path.exists() else []
    result["rows"] = [*(row for row in before if row["fault"] not in measured), *result["rows"]]
    results.write(result, folder)
    tables = sections([results.read(each) for each in folder.glob("faults--*.json")])
    write_whole(page, TABLE.sub(lambda match: f"{match[1]}{tables}\n{match[2]}", page.read_text()))


def sections(found: Sequence[results.Result]) -> str:
    """Every fault as the newest result has it that has it."""
    parts: list[str] = []
    shown: set[str] = set()
    for result in sorted(found, key=lambda each: str(each["date"]), reverse=True):
        if rows := [row for row in result["rows"] if row["fault"] not in shown]:
            parts.append(section(result | {"rows": rows}))
        shown |= {row["fault"] for row in rows}
    return "\n\n".join(parts)


def section(result: results.Result) -> str:
    """The table, and what it was measured on."""
    machine = result["machine"]
    where = f"{machine['processor']}, {machine['cores']} cores, {result['date'][:10]}"
    others = f"{machine['load_1min']:.0f} processes wanted to run at its end"
    return f"{table(result['rows'])}\n\nMeasured on {where}; {others}."


def main() -> int:
    """Command line; exit code 1 where a photo was lost or answered twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(FAULTS)}; all by default")
    names = parser.parse_args().names
    if unknown := set(names) - set(FAULTS):
        parser.error(f"no such fault: {', '.join(unknown)}; choose from {', '.join(FAULTS)}")
    with interruptible():
        return finish(lambda: measure(names))


def measure(names: list[str]) -> int:
    """Some faults, or all of them; returns the exit code."""
    rows = run(names or list(FAULTS))
    keep(rows, results.RESULTS, PAGE)
    return 0 if all(row.is_well() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
