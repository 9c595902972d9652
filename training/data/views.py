"""Names of rendered views: ``room-00012-1`` is view 1 of room 12, ``bedroom-2-1`` view 1 of the bedroom's variant 2."""

import re

from training.data.scenes.catalogue import BY_NAME

ROOM = "room"
NAME = re.compile(rf"({'|'.join((ROOM, *BY_NAME))})-(\d+)-\d+")


def view_name(place: str, number: int, view: int) -> str:
    """The name of a view, without its file's extension.

    Args:
        place: ROOM, or an interior's name.
        number: of the room, or of the interior's variant.
        view: of those with the same number.
    """
    return f"{place}-{number:05d}-{view}" if place == ROOM else f"{place}-{number}-{view}"


def shown(name: str) -> tuple[str, int] | None:
    """Place and number of a view by its name; None for a name of something else."""
    found = NAME.fullmatch(name)
    return (found[1], int(found[2])) if found else None
