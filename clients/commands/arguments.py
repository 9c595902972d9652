"""What the command line understands, and what it makes of it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from clients.batch.folders import Plan, Search, patterns
from clients.batch.grouping import Grouping
from clients.batch.judgement import Again
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.presets import KINDS as PRESET_KEYS
from clients.batch.presets import preset
from clients.batch.storage import location
from clients.connection import IN_FLIGHT, PATIENCE_S, Connection
from clients.credentials import api_key
from clients.enhancer import DEFAULT_URL, TIMEOUT_S
from clients.errors import OptionError
from clients.transports.base import Address, Tls
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


def plan_from(options: argparse.Namespace, beside: bool = False) -> Plan:
    """Which photos, and where they go; `beside` their sources they need a suffix."""
    order = order_from(options)
    naming = Naming(options.suffix if options.suffix is not None else "_enhanced" * beside, order.options.format)
    search = Search(tuple(options.pattern or patterns()), not options.no_recursive)
    return Plan(naming, search, order.text)


def order_from(options: argparse.Namespace) -> Order:
    """What is made of every photo: what the command line says, else the preset, else the server's own choice."""
    given: dict[str, Any] = dict(preset(options.preset, options.presets)) if options.preset else {}
    given |= {name: value for name in PRESET_KEYS if (value := getattr(options, name)) not in (None, False)}
    return Order.of(given)


def connection_from(options: argparse.Namespace) -> Connection:
    """How to reach the servers."""
    urls = tuple(options.url or os.environ.get("ENHANCE_URL", DEFAULT_URL).split(","))
    return Connection(
        urls=urls,
        tls=Tls(options.root_certificates, options.private_key, options.certificate_chain),
        headers=(*_key_header(options, urls), *(_header(text) for text in options.header or ())),
        timeout_s=options.timeout_s,
        in_flight=options.in_flight,
        patience_s=options.patience_s,
    )


def again_from(options: argparse.Namespace) -> Again:
    """What is done again."""
    return Again(options.retry_failed, options.overwrite, options.redo)


def grouping_from(options: argparse.Namespace) -> Grouping | None:
    """Which photos are exposures of one scene; None where each is a picture of its own."""
    return None if options.brackets == "off" else Grouping(options.sources, options.brackets)


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise OptionError(f"--header {text!r}: write NAME=VALUE, or NAME=@FILE")
    return name, _text(value)


def _key_header(options: argparse.Namespace, urls: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    key = options.api_key or os.environ.get("ENHANCE_API_KEY")
    if not key:
        return ()
    for address in map(Address.parse, urls):
        if not (address.is_encrypted or address.is_loopback):
            raise OptionError(f"an API key would travel readable to {address}: use grpcs:// or https://")
    return tuple(api_key(_text(key)).items())


def _text(value: str) -> str:
    """The value itself, or what is in the file that it names."""
    return Path(value[1:]).read_text().strip() if value.startswith("@") else value


def enhance_parser() -> argparse.ArgumentParser:
    """The parser of `enhance`."""
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
    parser.set_defaults(retry_failed=False, redo=False, engine="local")
    return _with(parser, _add_photo_options, _add_delivery_options, _add_run_options, _add_connection_options)


def batch_parser() -> argparse.ArgumentParser:
    """The parser of `enhance batch`."""
    return _batch_parser("enhance batch", "Enhance a folder; the same command resumes after any interruption.", "off")


def merge_parser() -> argparse.ArgumentParser:
    """The parser of `enhance merge`, which is a batch that looks for brackets."""
    return _batch_parser("enhance merge", "Make one picture of every scene of a folder, as batch does.", "auto")


def _batch_parser(name: str, description: str, brackets: str) -> argparse.ArgumentParser:
    parser = Parser(name, description=description)
    _add_folders(parser, brackets)
    parser.add_argument("--retry-failed", action="store_true", help="try the photos again that failed before")
    parser.add_argument("--redo", action="store_true", help="redo what other versions of the networks made")
    parser.add_argument("--engine", choices=["local", "ray"], default="local", help="this process, or a Ray cluster")
    parser.add_argument("--ray-address", metavar="ADDRESS", help="of a Ray cluster (default: one on this machine)")
    return _with(parser, _add_photo_options, _add_delivery_options, _add_run_options, _add_connection_options)


def watch_parser() -> argparse.ArgumentParser:
    """The parser of `enhance watch`."""
    parser = Parser("enhance watch", description="Enhance photos as they arrive, until Ctrl-C.")
    _add_folders(parser, "off")
    parser.set_defaults(retry_failed=False, redo=False, dry_run=False)
    return _with(parser, _add_photo_options, _add_delivery_options, _add_connection_options)


def styles_parser() -> argparse.ArgumentParser:
    """The parser of `enhance styles`."""
    parser = Parser("enhance styles", description="List the styles that the server has.")
    parser.add_argument("--json", action="store_true", help="print all that is known of them as JSON")
    return _with(parser, _add_connection_options)


def ui_parser() -> argparse.ArgumentParser:
    """The parser of `enhance ui`."""
    parser = Parser("enhance ui", description="Serve the demo page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="of the page (default %(default)s)")
    return _with(parser, _add_connection_options)


def _with(
    parser: argparse.ArgumentParser, *groups: Callable[[argparse.ArgumentParser], None]
) -> argparse.ArgumentParser:
    for add in groups:
        add(parser)
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
