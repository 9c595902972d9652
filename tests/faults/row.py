"""The fault table: one row for each fault."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """What became of the photos that were sent around a fault.

    Attributes:
        fault: what was done to the service.
        sent: photos.
        answered: with their edited picture.
        refused: with a reason, as they should be: a damaged photo, or a full queue under overload.
        lost: neither, in the end.
        twice: answers that should not have been.
        recovered_s: from the fault until photos were answered as before; None where nothing had to recover.
        note: what else a reader should know.
    """

    fault: str
    sent: int
    answered: int
    refused: int = 0
    twice: int = 0
    recovered_s: float | None = None
    note: str = ""

    @property
    def lost(self) -> int:
        """Photos with neither answer nor reason."""
        return self.sent - self.answered - self.refused

    def is_well(self) -> bool:
        """Nothing lost, nothing twice."""
        return self.lost == self.twice == 0

    def as_json(self) -> dict[str, Any]:
        """Fields and the lost ones."""
        return asdict(self) | {"lost": self.lost}


HEADER = """| fault | sent | answered | refused | lost | twice | recovered, s | |
|---|---|---|---|---|---|---|---|"""


def table(rows: list[dict[str, Any]]) -> str:
    """The rows of a result as Markdown."""
    return "\n".join([HEADER, *map(_line, rows)])


def _line(row: dict[str, Any]) -> str:
    recovered = "" if row["recovered_s"] is None else f"{row['recovered_s']:.1f}"
    counts = [row[name] for name in ("sent", "answered", "refused", "lost", "twice")]
    return f"| {' | '.join(map(str, [row['fault'], *counts, recovered, row['note']]))} |".replace("|  |", "| |")
