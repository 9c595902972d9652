"""The command line: ``python -m training.data.rooms FOLDER``."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from training.arguments import positive
from training.data.rendering.scene import Quality
from training.data.rooms.outside import outdoor_panoramas
from training.data.rooms.production import Rooms, make_rooms
from training.errors import TrainingError


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code: 0, 1 for an error that the user can put right, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m training.data.rooms", description="Render furnished rooms.")
    add_options(parser)
    try:
        run(parser.parse_args(arguments))
    except (TrainingError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def add_options(command: argparse.ArgumentParser) -> None:
    """Options of the command."""
    command.add_argument("folder", type=Path, help="where views go")
    command.add_argument("--count", type=positive, default=100, help="rooms (%(default)s)")
    command.add_argument(
        "--panoramas", type=Path, help="folder of equirectangular .hdr files, seen through the windows"
    )
    command.add_argument("--width", type=positive, default=480, help="of a view, in pixels (%(default)s)")
    command.add_argument("--height", type=positive, default=320, help="of a view, in pixels (%(default)s)")
    command.add_argument("--samples", type=positive, default=64, help="light paths per pixel (%(default)s)")
    command.add_argument("--seed", type=int, default=0, help="of all choices (%(default)s)")
    command.add_argument("--processes", type=positive, default=1, help="rooms at a time (%(default)s)")


def run(options: argparse.Namespace) -> None:
    """Render rooms."""
    threads = max(1, (os.cpu_count() or 1) // options.processes)
    quality = Quality(options.width, options.height, options.samples, threads)
    panoramas = outdoor_panoramas(options.panoramas) if options.panoramas else ()
    make_rooms(Rooms(options.count, options.seed, panoramas, quality), options.folder, options.processes)


if __name__ == "__main__":
    sys.exit(main())
