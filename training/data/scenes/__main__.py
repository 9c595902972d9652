"""The command line: ``python -m training.data.scenes FOLDER --archives ARCHIVES``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from command_line.ending import finish
from training.arguments import positive
from training.data.rendering.command import add_options, quality_of
from training.data.rooms.outside import outdoor_panoramas
from training.data.scenes.archives import SceneError, unpack
from training.data.scenes.catalogue import BY_NAME
from training.data.scenes.production import Views, make_views


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m training.data.scenes", description="Render views of interiors that people modelled."
    )
    add_options(parser, (1536, 1024), 32)
    parser.add_argument("--archives", type=Path, required=True, help="folder of the interiors' .tar.xz archives")
    parser.add_argument("--rooms", nargs="+", choices=sorted(BY_NAME), help="only these (all that have an archive)")
    parser.add_argument("--variants", type=positive, default=3, help="lightings of each interior (%(default)s)")
    parser.add_argument("--views", type=positive, default=2, help="cameras in each variant (%(default)s)")
    parser.add_argument("--only", nargs="+", default=[], metavar="VIEW", help="names of views, as bedroom-2-1 (all)")
    return finish(lambda: run(parser.parse_args(arguments)))


def run(options: argparse.Namespace) -> None:
    """Unpack and render."""
    geometry = options.folder / "geometry"
    interiors = unpack(options.archives, geometry)
    if options.rooms:
        interiors = tuple(interior for interior in interiors if interior.name in options.rooms)
    if not interiors:
        raise SceneError(f"{options.archives}: has no archive of {', '.join(options.rooms)}")
    panoramas = outdoor_panoramas(options.panoramas) if options.panoramas else ()
    wanted = Views(
        interiors,
        geometry,
        panoramas,
        options.variants,
        options.views,
        quality_of(options),
        options.seed,
        tuple(options.only),
    )
    make_views(wanted, options.folder)


if __name__ == "__main__":
    sys.exit(main())
