"""What outputs are called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from clients.camera import is_developed
from clients.errors import OptionError
from clients.request import FORMAT_OF, Options
from codec.options import EXTENSIONS

LONGEST_NAME = 255
"""Bytes; what the usual file systems take."""


@dataclass(frozen=True)
class Naming:
    """How an output is named after its source."""

    suffix: str = ""
    """Goes between the name and its extension: `_enhanced` makes `kitchen_enhanced.jpg`."""
    format: str | None = None
    """The format that was asked for; None or `same` keeps the source's extension, or makes JPEGs of camera files."""

    def name(self, source: Path) -> Path:
        """The output's path for a source's path, both relative to their folders."""
        own = EXTENSIONS["jpeg"] if is_developed(source) else source.suffix
        extension = EXTENSIONS.get(self.format or "same", own)
        return _fitted(source, source.stem, self.suffix + extension)


def format_by_name(path: Path, asked: str | None) -> str:
    """The format of an output that a person named.

    Args:
        path: The output.
        asked: The format that was asked for besides, if any.

    Raises:
        OptionError: the name promises a format that cannot be written, none at all, or another one.
    """
    promised = FORMAT_OF.get(path.suffix.lower())
    if promised is None:
        writable = ", ".join(FORMAT_OF)
        raise OptionError(f"cannot write {path}: the name of a photo ends with one of {writable}; a folder's with /")
    if asked not in (None, "same", promised):
        raise OptionError(f"{path} promises {promised}, and --format says {asked}: leave one of them out")
    return promised


def promised(options: Options, target: Path) -> Options:
    """The options of one photo: its output is what its extension says, even where the source is not."""
    return replace(options, format=FORMAT_OF.get(target.suffix.lower(), options.format))


def candidates(source: Path, target: Path) -> Iterator[Path]:
    """Names for an output, the best first, for when another photo has the first one already.

    `hall.png` beside `hall.jpg` becomes `hall_png.jpg`; a second photo of the same name becomes `hall_2.jpg`.
    """
    yield target
    if source.suffix.lower() != target.suffix.lower():
        yield _fitted(target, target.stem, f"_{source.suffix.removeprefix('.')}{target.suffix}")
    for number in count(2):
        yield _fitted(target, target.stem, f"_{number}{target.suffix}")


def _fitted(path: Path, stem: str, ending: str) -> Path:
    """`path` with another name; a stem that is too long is cut, and told from its like by a hash."""
    name = stem + ending
    if len(os.fsencode(name)) > LONGEST_NAME:
        mark = "~" + hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
        room = max(0, LONGEST_NAME - len(os.fsencode(mark + ending)))
        name = os.fsencode(stem)[:room].decode(errors="ignore") + mark + ending
    return path.with_name(name)
