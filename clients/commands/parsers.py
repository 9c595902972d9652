"""What the command line understands: one parser for each command."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path

from clients.batch.storage import location
from clients.connection import IN_FLIGHT, PATIENCE_S
from clients.enhancer import DEFAULT_URL, TIMEOUT_S
from codec.options import FORMATS, MAX_STRENGTH, MODES
from command_line import Parser

EPILOG = """\
commands:
  enhance PHOTO...         photos and folders, once
  enhance batch SRC DST    a whole folder with a ledger: the same command resumes after any interruption
  enhance merge SRC DST    the same for exposure brackets: one picture of every scene
  enhance watch SRC DST    a hot folder: photos are enhanced as they arrive
  enhance styles           the styles that the server has
  enhance ui               the demo page
each has its own --help.

examples:
  enhance kitchen.jpg                          writes kitchen_enhanced.jpg
  enhance kitchen.jpg -o edited.png            the extension decides the format
  enhance shoot/ -o edited/ --mode fast        mirrors the folder tree
  enhance - < kitchen.jpg > edited.jpg
  enhance batch shoot/ edited/ --url grpc://spark-1:8001 --url grpc://spark-2:8001

exit codes: 0 all done, 1 some failed, 2 wrong usage, 3 server unreachable
"""


def enhance_parser() -> argparse.ArgumentParser:
    """Of `enhance`."""
    parser = Parser(
        "enhance",
        description="Enhance photos on a Triton server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"enhance {version('triton-photo-enhancer')}")
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="photos and folders; - is the standard input")
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="a file for one photo, else a folder; default: beside each photo"
    )
    _add_photo_options(parser)
    _add_delivery_options(parser)
    _add_run_options(parser)
    _add_connection_options(parser)
    parser.set_defaults(retry_failed=False, redo=False, engine="local")
    return parser


def batch_parser() -> argparse.ArgumentParser:
    """Of `enhance batch`."""
    return _batch_parser("enhance batch", "Enhance a folder; the same command resumes after any interruption.", "off")


def merge_parser() -> argparse.ArgumentParser:
    """Of `enhance merge`, which is a batch that looks for brackets."""
    return _batch_parser("enhance merge", "Make one picture of every scene of a folder, as batch does.", "auto")


def _batch_parser(name: str, description: str, brackets: str) -> argparse.ArgumentParser:
    parser = Parser(name, description=description)
    _add_folders(parser, brackets)
    parser.add_argument("--retry-failed", action="store_true", help="try the photos again that failed before")
    parser.add_argument("--redo", action="store_true", help="redo what other versions of the networks made")
    parser.add_argument("--engine", choices=["local", "ray"], default="local", help="this process, or a Ray cluster")
    parser.add_argument("--ray-address", metavar="ADDRESS", help="of a Ray cluster (default: one on this machine)")
    _add_photo_options(parser)
    _add_delivery_options(parser)
    _add_run_options(parser)
    _add_connection_options(parser)
    return parser


def watch_parser() -> argparse.ArgumentParser:
    """Of `enhance watch`."""
    parser = Parser("enhance watch", description="Enhance photos as they arrive, until Ctrl-C.")
    _add_folders(parser, "off")
    _add_photo_options(parser)
    _add_delivery_options(parser)
    _add_connection_options(parser)
    parser.set_defaults(retry_failed=False, redo=False, dry_run=False)
    return parser


def styles_parser() -> argparse.ArgumentParser:
    """Of `enhance styles`."""
    parser = Parser("enhance styles", description="List the styles that the server has.")
    parser.add_argument("--json", action="store_true", help="print all that is known of them as JSON")
    _add_connection_options(parser)
    return parser


def ui_parser() -> argparse.ArgumentParser:
    """Of `enhance ui`."""
    parser = Parser("enhance ui", description="Serve the demo page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="of the page (default %(default)s)")
    _add_connection_options(parser)
    return parser


def _add_folders(parser: argparse.ArgumentParser, brackets: str) -> None:
    parser.add_argument("sources", metavar="SRC", type=location, help="folder of photos, or an address such as s3://")
    parser.add_argument(
        "targets", metavar="DST", type=location, help="folder for the outputs and their ledger, or an address"
    )
    parser.add_argument(
        "--brackets",
        default=brackets,
        metavar="RULE",
        help="which photos are exposures of one scene: auto (by what the files tell), N (every N photos in the order "
        "of their names) or off (default: %(default)s)",
    )
    parser.add_argument("--ledger", type=Path, metavar="DIR", help="where the ledger lies (default: DST)")


def _add_photo_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("photos")
    group.add_argument("--style", metavar="NAME", help="of the edit; enhance styles lists them (default: the server's)")
    group.add_argument("--mode", choices=MODES, help="full quality, or fast (default: the server's)")
    group.add_argument("--strength", type=float, metavar="S", help=f"factor on the edit, 0 to {MAX_STRENGTH}")
    group.add_argument("--format", choices=FORMATS, help="of the outputs (default: the server's)")
    group.add_argument("--quality", type=int, metavar="Q", help="of lossy formats, 1 to 100")
    group.add_argument("--suffix", help="put before the extension of each output's name")
    group.add_argument("--pattern", action="append", metavar="GLOB", help="photos in folders, such as '*.jpg'; repeat")
    group.add_argument("--overwrite", action="store_true", help="replace outputs that are there already")
    group.add_argument("--no-recursive", action="store_true", help="leave folders inside folders out")


def _add_delivery_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("delivery")
    group.add_argument("--preset", metavar="NAME", help="options by name: mls, web, print, or your own")
    group.add_argument("--presets", type=Path, metavar="TOML", help="your own presets (default: $ENHANCE_PRESETS)")
    group.add_argument("--max-size", type=int, metavar="PX", help="longest side; larger photos are shrunk")
    group.add_argument("--max-bytes", type=int, metavar="N", help="of a file: poorer at first, then smaller")
    group.add_argument("--srgb", action="store_true", help="convert colours to sRGB")
    group.add_argument("--strip-gps", action="store_true", help="leave out where the photo was taken")
    group.add_argument("--strip-metadata", action="store_true", help="leave out all metadata but the colour profile")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    group.add_argument("--dry-run", action="store_true", help="print what would be done")
    group.add_argument("--json", action="store_true", help="print a report as JSON on the standard output")
    group.add_argument("--report", type=Path, metavar="HTML", help="write every photo before and after into one file")
    group.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def _add_connection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server")
    group.add_argument(
        "--url",
        action="append",
        help=f"grpc://, grpcs://, http:// or https:// address; repeat for several servers "
        f"(default: $ENHANCE_URL or {DEFAULT_URL})",
    )
    group.add_argument("--api-key", metavar="@FILE", help="file with an API key (default: $ENHANCE_API_KEY itself)")
    group.add_argument("--header", action="append", metavar="NAME=VALUE", help="sent along; =@FILE reads a file")
    group.add_argument("--root-certificates", type=Path, metavar="PEM", help="whom to trust over TLS")
    group.add_argument("--private-key", type=Path, metavar="PEM", help="for mutual TLS")
    group.add_argument("--certificate-chain", type=Path, metavar="PEM", help="for mutual TLS")
    group.add_argument(
        "--timeout-s", type=float, default=TIMEOUT_S, metavar="S", help="per photo (default %(default)g)"
    )
    group.add_argument(
        "--in-flight", type=int, default=IN_FLIGHT, metavar="N", help="most photos at a time (default %(default)s)"
    )
    group.add_argument(
        "--patience-s",
        type=float,
        default=PATIENCE_S,
        metavar="S",
        help="wait this long for a server that goes away (default %(default)g)",
    )
