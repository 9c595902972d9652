"""What the command lines of all renderings share: options of quality."""

import argparse
import os
from pathlib import Path

from training.arguments import positive
from training.data.rendering.scene import Quality


def add_options(command: argparse.ArgumentParser, size_px: tuple[int, int], samples: int) -> None:
    """Options of every rendering, with a view's default size and light paths per pixel."""
    command.add_argument("folder", type=Path, help="where views go")
    command.add_argument(
        "--panoramas", type=Path, help="folder of equirectangular .hdr files, seen through the windows"
    )
    command.add_argument("--width", type=positive, default=size_px[0], help="of a view, in pixels (%(default)s)")
    command.add_argument("--height", type=positive, default=size_px[1], help="of a view, in pixels (%(default)s)")
    command.add_argument("--samples", type=positive, default=samples, help="light paths per pixel (%(default)s)")
    command.add_argument("--seed", type=int, default=0, help="of all choices (%(default)s)")


def quality_of(options: argparse.Namespace, processes: int = 1) -> Quality:
    """The quality that the options ask for; processes share the processor's cores."""
    threads = max(1, (os.cpu_count() or 1) // processes)
    return Quality(options.width, options.height, options.samples, threads)
