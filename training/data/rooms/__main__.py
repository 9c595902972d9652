"""The command line: ``python -m training.data.rooms FOLDER``."""

import argparse
import sys
from collections.abc import Sequence

from command_line.ending import finish
from training.arguments import positive
from training.data.rendering.command import add_options, quality_of
from training.data.rooms.outside import outdoor_panoramas
from training.data.rooms.production import Rooms, make_rooms


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.data.rooms", description="Render furnished rooms.")
    add_options(parser, (480, 320), 64)
    parser.add_argument("--count", type=positive, default=100, help="rooms (%(default)s)")
    parser.add_argument("--processes", type=positive, default=1, help="rooms at a time (%(default)s)")
    return finish(lambda: run(parser.parse_args(arguments)))


def run(options: argparse.Namespace) -> None:
    """Render rooms."""
    panoramas = outdoor_panoramas(options.panoramas) if options.panoramas else ()
    rooms = Rooms(options.count, options.seed, panoramas, quality_of(options, options.processes))
    make_rooms(rooms, options.folder, options.processes)


if __name__ == "__main__":
    sys.exit(main())
