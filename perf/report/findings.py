"""Wins and losses: what the results say for and against this project, both from the same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perf.results import Result

OURS = "this project"
EVEN_RATIO, EVEN_DB = 0.02, 0.05  # nearer to each other than this, neither is ahead


@dataclass(frozen=True)
class Finding:
    """One comparison.

    Attributes:
        won: whether it speaks for this project.
        text: one line.
    """

    won: bool
    text: str


def findings(kinds: Mapping[str, Sequence[Result]]) -> list[Finding]:
    """All comparisons of one machine and profile.

    Args:
        kinds: its results by schema.
    """
    sources = {"serving": aims, "engines": engines, "peers": peers, "compare": comparison}
    return [finding for kind, source in sources.items() for result in kinds.get(kind, ()) for finding in source(result)]


def aims(result: Result) -> Iterator[Finding]:
    """Ratios that were aimed at."""
    for row in result["rows"]:
        yield Finding(row["reached"], f"{row['row']}: {row['value']:.3g}, aimed at {row['limit']:g}")


def engines(result: Result) -> Iterator[Finding]:
    """The served runtime against each other one, on one tile and in batches."""
    measured = [row for row in result["rows"] if row["status"] == "measured"]
    for served in (row for row in measured if row["served"]):
        for other in (row for row in measured if row is not served):
            names = f"{served['runtime']} (served)", other["runtime"]
            yield from faster(*names, "one tile", other["tile_s"], served["tile_s"])
            yield from faster(*names, "batches", served["tiles_per_s"], other["tiles_per_s"])


def peers(result: Result) -> Iterator[Finding]:
    """This project against what people would use in its place, each on the same photos."""
    measured = [row for row in result["rows"] if row["status"] == "measured"]
    for ours in (row for row in measured if row["peer"] == OURS):
        for other in measured:
            same_photos = other["megapixels"] == ours["megapixels"]
            if same_photos and other["peer"] != OURS and other["mode"] not in {"fast", "full"} - {ours["mode"]}:
                name, against = f"{ours['peer']} ({ours['mode']})", f"{other['peer']} ({other['mode']})"
                yield from faster(name, against, f"{ours['megapixels']} MP", other["time_s"], ours["time_s"])
                yield from nearer(name, against, ours, other)


def faster(
    ours: str, other: str, what: str, larger: Mapping[str, float], smaller: Mapping[str, float]
) -> Iterator[Finding]:
    """A ratio of medians that is above 1 where ours is ahead."""
    ratio = larger["median"] / smaller["median"]
    if abs(ratio - 1) > EVEN_RATIO:
        yield Finding(ratio > 1, f"{ours} against {other}, {what}: {ratio:.2f} times as fast")


def nearer(ours: str, other: str, row: Mapping[str, Any], against: Mapping[str, Any]) -> Iterator[Finding]:
    """Quality, where it was measured."""
    if row["psnr_db"] is not None and against["psnr_db"] is not None:
        gain = row["psnr_db"] - against["psnr_db"]
        if abs(gain) < EVEN_DB:
            return
        yield Finding(gain > 0, f"{ours} against {other}, {row['megapixels']} MP: {gain:+.1f} dB")


def comparison(result: Result) -> Iterator[Finding]:
    """The state that was measured against an earlier one, where they differ."""
    outcome, ratio = result["verdict"]["outcome"], result["verdict"]["ratio"]
    if outcome in ("slower", "faster"):
        text = f"{result['b']['name']} against {result['a']['name']}: {ratio:.3f} times the time"
        yield Finding(outcome == "faster", text)
