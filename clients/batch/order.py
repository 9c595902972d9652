"""What a run makes of every photo: how it is edited, and how it is delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from clients.batch.delivery import Delivery
from clients.batch.naming import promised
from clients.request import Enhanced, Options


@dataclass(frozen=True)
class Order:
    """Options for the server, and what is done with its answer."""

    options: Options = Options()  # noqa: RUF009  (frozen)
    delivery: Delivery = Delivery()  # noqa: RUF009  (frozen)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Order:
        """The order of options by their names in presets; what is not given is left to the server."""
        rest = dict(given)
        delivery = {"max_size_px": rest.pop("max_size", None)}
        delivery |= {each.name: rest.pop(each.name) for each in fields(Delivery) if each.name in rest}
        return cls(Options(**rest), Delivery(**delivery))

    def request(self, target: Path) -> Options:
        """What to ask the server for, for a photo whose output is `target`."""
        return self.delivery.request(promised(self.options, target))

    def finished(self, enhanced: Enhanced, target: Path) -> Enhanced:
        """The server's answer as it is delivered.

        Raises:
            EnhanceError: see `Delivery.apply`.
        """
        return self.delivery.apply(enhanced, promised(self.options, target))

    @property
    def text(self) -> str:
        """All of it on one line: a photo is redone when it changes."""
        given: dict[str, object] = dict(sorted(self.options.parameters().items()))
        given |= {each.name: getattr(self.delivery, each.name) for each in fields(Delivery)}
        return " ".join(f"{name}={value}" for name, value in given.items() if value not in (None, False))
