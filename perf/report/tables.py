"""Markdown tables."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a table; all but the first column to the right."""
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join(['---', *['---:'] * (len(heads) - 1)])}|"]
    return [*lines, *(f"| {' | '.join(map(cell, row))} |" for row in rows), ""]


def cell(value: Any) -> str:  # noqa: ANN401
    """Three significant digits, or the text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else str(value)


def records(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of results that are alike: a column for each field; of spreads the median."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    return table([head.replace("_", " ") for head in heads], [[_flat(row.get(head)) for head in heads] for row in rows])


def _flat(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return value
    if "outcome" in value:  # a verdict
        return f"{value['ratio']:.3f} ({value['low']:.3f} to {value['high']:.3f}): {value['outcome']}"
    return value["median"]


def image(path: Path, text: str) -> str:
    """A picture in a folder of its own under the report's ``plots``."""
    return f"![{text}]({path.parent.parent.name}/{path.parent.name}/{path.name})"
