"""The styles that a server has, and what it tells of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from clients.errors import ServerError

MODEL, OUTPUT = "styles", "CARDS"
DEFAULT = "default"
NETWORKS = ("generator", "refiner")


@dataclass(frozen=True)
class Style:
    """One style of a server."""

    name: str
    """For the option `style`."""
    version: str
    """Of its networks."""
    about: str = ""
    """What its maker says of it; often empty."""
    recorded: Mapping[str, str] = field(default_factory=dict)
    """What its export has recorded, such as `run`, `recipe`, `validation_psnr_db`."""

    @property
    def summary(self) -> str:
        """One line on it: its maker's words, or else the records."""
        return self.about or ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in self.recorded.items())


def models_of(style: str | None) -> dict[str, str]:
    """The models of a style by their networks' names."""
    suffix = "" if style in (None, DEFAULT) else f"_{style}"
    return {network: network + suffix for network in NETWORKS}


def read_cards(text: str | bytes) -> list[Style]:
    """What the server's model answers.

    Raises:
        ServerError: it is something else.
    """
    try:
        return [
            Style(card.pop("style"), card.pop("version"), card.pop("about", ""), card)
            for card in map(dict, json.loads(text))
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ServerError(f"the server's list of styles does not read: {error}") from error
