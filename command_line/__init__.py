"""The command-line parser of this project's programs, and how they end (ending.py).

Needs Python's standard library alone.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

END_OF_OPTIONS = "--"


class Parser(argparse.ArgumentParser):
    """A parser whose options may be written with underscores, too: ``--batch_size 8`` for ``--batch-size 8``."""

    def parse_known_args(  # type: ignore[override]  # its overloads are of no use here
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Like argparse's, which sends every command line through here, including those of sub-commands."""
        return super().parse_known_args(list(dashed(sys.argv[1:] if args is None else args)), namespace)


def dashed(arguments: Iterable[str]) -> Iterator[str]:
    """The arguments with dashes in the names of options; values stay, and so does everything behind ``--``."""
    ended = False
    for argument in arguments:
        ended |= argument == END_OF_OPTIONS
        name, separator, value = argument.partition("=")
        is_option = argument.startswith("--") and not ended
        yield name.replace("_", "-") + separator + value if is_option else argument
