"""Scenarios: what is measured, read from scenarios.toml."""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from files.checkout import ROOT
from perf.errors import PerfError

SCENARIOS = ROOT / "perf/scenarios.toml"
SCHEMA = ROOT / "perf/scenarios.schema.json"
LOADS = ("concurrency", "poisson", "burst")


@dataclass(frozen=True)
class Scenario:
    """One scenario; scenarios.toml says what the fields mean.

    Attributes:
        sizes_px: width and height of each photo, sent in turn.
        load: one of LOADS.
        levels: requests in flight, shares of the highest rate, or requests in a burst, by load.
        requests: in one repeat at one level.
    """

    name: str
    about: str
    model: str
    mode: str
    transport: str
    batch: int
    sizes_px: tuple[tuple[int, int], ...]
    load: str
    levels: tuple[float, ...]
    requests: int
    repeats: int

    @property
    def megapixels(self) -> float:
        """Megapixels of a photo, on average."""
        return sum(width * height for width, height in self.sizes_px) / len(self.sizes_px) / 1e6


def read_scenarios(path: Path = SCENARIOS) -> dict[str, Scenario]:
    """All scenarios by name, in the file's order.

    Raises:
        PerfError: the file does not follow its schema; says where.
    """
    try:
        file = tomllib.loads(path.read_text())
        jsonschema.validate(file, json.loads(SCHEMA.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise PerfError(f"{path.name}: {error}") from None
    except jsonschema.ValidationError as error:
        raise PerfError(f"{path.name}: {error.json_path}: {error.message}") from None
    return {name: _scenario(name, file["sizes"], file["defaults"] | given) for name, given in file["scenario"].items()}


def _scenario(name: str, sizes: dict[str, list[int]], given: dict[str, Any]) -> Scenario:
    unknown = set(given["photos"]) - set(sizes)
    if unknown:
        raise PerfError(f"scenario {name}: no size {', '.join(sorted(unknown))}: choose from {', '.join(sizes)}")
    if given["transport"] == "http" and given["mode"] != "full":
        raise PerfError(f"scenario {name}: perf_analyzer sends no parameters over HTTP, so its mode is full")
    (load,) = set(given) & set(LOADS)
    return Scenario(
        name=name,
        sizes_px=tuple((width, height) for width, height in (sizes[photo] for photo in given["photos"])),
        load=load,
        levels=tuple(given[load]),
        **{key: given[key] for key in ("about", "model", "mode", "transport", "batch", "requests", "repeats")},
    )


def choose(names: list[str]) -> list[Scenario]:
    """The named scenarios, or all.

    Raises:
        PerfError: there is none of such a name.
    """
    known = read_scenarios()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise PerfError(f"no scenario {', '.join(unknown)}: choose from {', '.join(known)}")
    return [known[name] for name in names] if names else list(known.values())
