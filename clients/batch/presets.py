"""Deliveries by name, from a TOML file."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from clients.errors import OptionError

SHIPPED = Path(__file__).with_name("presets.toml")
KINDS: dict[str, type] = {
    "mode": str,
    "strength": float,
    "format": str,
    "quality": int,
    "style": str,
    "max_size": int,
    "max_bytes": int,
    "srgb": bool,
    "strip_gps": bool,
    "strip_metadata": bool,
}
"""What a preset can set, by the option's name."""
Preset = dict[str, Any]


def presets(path: Path | None = None) -> dict[str, Preset]:
    """The presets of a file; of the one that `$ENHANCE_PRESETS` names, or of the shipped one, where none is given.

    Raises:
        OptionError: the file cannot be read, or a preset sets what there is not.
    """
    path = path or Path(os.environ.get("ENHANCE_PRESETS") or SHIPPED)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path} is no file of presets: {error}") from error
    return {name: _preset(f"{path}: preset {name!r}", table) for name, table in tables.items()}


def preset(name: str, path: Path | None = None) -> Preset:
    """One preset.

    Raises:
        OptionError: there is none of that name, besides what `presets` raises.
    """
    known = presets(path)
    if name not in known:
        raise OptionError(f"no preset {name!r}: choose one of {', '.join(known)}")
    return known[name]


def _preset(where: str, table: object) -> Preset:
    if not isinstance(table, dict):
        raise OptionError(f"{where} is no table: write [name] above its options")
    found: Preset = {}
    for key, value in table.items():
        option = key.replace("-", "_")
        if option not in KINDS:
            raise OptionError(f"{where} sets {key!r}: there are {', '.join(KINDS)}")
        kind = KINDS[option]
        found[option] = float(value) if kind is float and type(value) is int else value
        if type(found[option]) is not kind:
            raise OptionError(f"{where} sets {key} to {value!r}: it takes a {kind.__name__}")
    return found
