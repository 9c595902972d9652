"""The report of a check: Markdown to read and to pass on, JSON to compare."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.gpu_check.steps import Result
from deploy.measuring.machine import machine


def line(result: Result) -> str:
    """One answer for the terminal."""
    return f"{result.outcome:15} {result.name}: {result.sentence}  [{result.seconds:.0f} s]"


def write(results: Sequence[Result], profile: str, folder: Path) -> Path:
    """Write report.md and report.json; returns the first."""
    head = {"profile": profile, "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    (folder / "report.json").write_text(json.dumps(head | {"steps": list(map(asdict, results))}, indent=2) + "\n")
    (folder / "report.md").write_text("\n".join(_markdown(results, head)) + "\n")
    return folder / "report.md"


def _markdown(results: Sequence[Result], head: dict[str, Any]) -> Iterable[str]:
    device = head["machine"]["gpu"] or "no GPU"
    yield f"# Check of the {head['profile']} profile"
    yield f"\n{head['date']}, {head['machine']['processor']}, {device}, load {head['machine']['load_1min']}\n"
    yield "| step | outcome | what was seen |\n|---|---|---|"
    yield from (f"| {each.name} | **{each.outcome}** | {_cell(each.sentence)} |" for each in results)
    for each in results:
        if each.figures:
            yield f"\n## {each.name}\n\n| | |\n|---|---|"
            yield from (f"| {name} | {_cell(_text(value))} |" for name, value in each.figures.items())


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    """One line, however long, with nothing that ends a cell."""
    return " ".join(text.split()).replace("|", r"\|")
