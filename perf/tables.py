"""Markdown tables."""

from collections.abc import Iterable, Mapping, Sequence
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
    """A table of results that are alike: a column for each field, spreads as their median."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    return table([head.replace("_", " ") for head in heads], [[_flat(row.get(head)) for head in heads] for row in rows])


def _flat(value: Any) -> Any:  # noqa: ANN401
    return value.get("median", value.get("outcome")) if isinstance(value, Mapping) else value
