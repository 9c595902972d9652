"""``perf/report.md``: the five figures that matter, and a table for each kept result."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path

import jinja2
import numpy as np

from files.checkout import ROOT
from files.writing import write_whole
from perf.results import RESULTS, Result, Row, cell, read, table

REPORT = ROOT / "perf/report.md"
TEMPLATE = ROOT / "perf/report.md.template"
TITLES = {
    "scenario": "Through the server, with perf_analyzer",
    "serving": "Serving beside its parts",
    "engines": "The networks in every engine",
    "roofline": "Roofline",
    "baselines": "Baselines",
    "compare": "Before and after",
    "faults": "Faults",
    "soak": "Endurance",
}
STAGES = ("transport_ms", "decode_ms", "networks_ms", "curves_and_tiles_ms", "encode_ms", "between_the_models_ms")


def median_s(result: Result) -> str:
    """Median time of a photo, at the first load."""
    return f"{result['rows'][0]['p50_ms'] / 1e3:.2f} s"


def photos_per_s(result: Result) -> str:
    """Throughput at the best load."""
    return f"{max(row['throughput_per_s'] for row in result['rows'] if 'not_run' not in row):.2f} a second"


def peak_gb(result: Result) -> str:
    """Peak memory of all the server's processes."""
    return f"{result['about']['peak_gb']:.2f} GB"


def lost(result: Result) -> str:
    """Photos lost or answered twice, of all that were sent around the faults."""
    rows = result["rows"]
    return f"{sum(r['lost'] + r['twice'] for r in rows)} of {sum(r['sent'] for r in rows)}, {len(rows)} faults"


FIGURES: tuple[tuple[str, str, Callable[[Result], str]], ...] = (
    ("a photo of 24 megapixels, mode `fast`", "photo-24mp-fast", median_s),
    ("the same, mode `full`", "photo-24mp-full", median_s),
    ("photos of 2 megapixels, mode `full`, at the best load", "load-2mp", photos_per_s),
    ("memory of the whole server, 24 megapixels, mode `full`", "photo-24mp-full", peak_gb),
    ("photos lost or answered twice when something breaks", "faults", lost),
)
"""What matters: its words, the result that has it, and how it is read there."""


def figures(results: Iterable[Result]) -> list[Row]:
    """The five, each from the newest result that has it, with where and when it was measured."""
    newest = {each["name"]: each for each in sorted(results, key=lambda each: str(each["date"]))}
    rows = []
    for what, name, value in FIGURES:
        row = {"": what, "figure": "not measured yet", "machine": "", "measured": ""}
        with contextlib.suppress(KeyError, ValueError):  # not run, or refused
            machine = newest[name]["machine"]
            where = f"{machine['gpu'] or machine['processor']}, {machine['cores']} cores"
            row |= {"figure": value(newest[name]), "machine": where, "measured": newest[name]["date"][:10]}
        rows.append(row)
    return rows


def scenarios(results: Sequence[Result]) -> list[str]:
    """One table of all loads, one of where the time goes, and how time grows with a photo's size."""
    rows = [(each, row) for each in sorted(results, key=_size) for row in each["rows"]]
    loads = [_named(each) | {name: value for name, value in row.items() if name not in STAGES} for each, row in rows]
    alone = [(each["name"], row) for each, row in rows if STAGES[0] in row]
    staged = [{"scenario": name} | {stage: row[stage] for stage in STAGES} for name, row in alone]
    return [*table(loads), "", *(table(staged) if staged else []), *growth(results, "fast"), *growth(results, "full")]


def _named(result: Result) -> Row:
    about = result["about"]
    return {"scenario": result["name"], "MP": float(about["megapixels"]), "peak_GB": about.get("peak_gb")}


def _size(result: Result) -> tuple[float, str]:
    return float(result["about"]["megapixels"]), result["name"]


def growth(results: Iterable[Result], mode: str) -> list[str]:
    """The line through the sizes that fits relative errors best; the largest photo would decide absolute ones."""
    names = [f"photo-{size}mp-{mode}" for size in (2, 12, 24, 45)]
    points = {_size(each)[0]: each["rows"][0].get("p50_ms") for each in results if each["name"] in names}
    if len(points) < 2 or None in points.values():
        return []
    sizes, times = np.array(list(points)), np.array(list(points.values()))
    slope, fixed = np.polyfit(sizes, times, 1, w=1 / times)
    off = 100 * float(np.max(np.abs(times / (fixed + slope * sizes) - 1)))
    line = f"Mode `{mode}` takes {fixed:.3g} ms and {slope:.3g} ms a megapixel"
    return ["", f"{line}; the measured sizes lie within {off:.0f} % of that line."]


def write_report(folder: Path = RESULTS, report: Path = REPORT) -> None:
    """Write the report.

    Raises:
        PerfError: a result does not follow the schema.
    """
    results = [read(path) for path in sorted(folder.glob("*.json"))]
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.globals |= {"table": table, "cell": cell, "scenarios": scenarios, "titles": TITLES}
    text = environment.from_string(TEMPLATE.read_text()).render(
        figures=figures(results),
        chapters=[list(group) for _, group in groupby(sorted(results, key=_place), key=_place)],
    )
    write_whole(report, text)


def _place(result: Result) -> tuple[str, str]:
    return result["machine"]["name"], result["profile"]
