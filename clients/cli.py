"""The `enhance` command.

Exit codes: 0 all photos done, 1 some failed, 2 wrong usage, 3 server unreachable.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from clients.enhancer import DEFAULT_URL, TIMEOUT_S, Enhancer
from clients.errors import DeniedError, EnhanceError, OptionError, ProtocolError, UnreachableError
from clients.request import FORMATS, MODES, Options

DONE, SOME_FAILED, USAGE, UNREACHABLE = range(4)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given[1:] if given[:1] == ["enhance"] else given)
    try:
        return _enhance(options)
    except EnhanceError as error:
        print(f"enhance: {error}", file=sys.stderr)
        return exit_code(error)
    except OSError as error:
        print(f"enhance: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return SOME_FAILED


def exit_code(error: EnhanceError) -> int:
    """The exit code that tells a script what kind of error this is."""
    if isinstance(error, UnreachableError | ProtocolError | DeniedError):
        return UNREACHABLE
    return USAGE if isinstance(error, OptionError) else SOME_FAILED


def _enhance(options: argparse.Namespace) -> int:
    if not options.photo.is_file():
        raise OptionError(f"no such photo: {options.photo}")
    wanted = Options(options.mode, options.strength, options.format, options.quality)
    with Enhancer(options.url or DEFAULT_URL, timeout_s=options.timeout_s) as enhancer:
        enhanced = enhancer.enhance(options.photo, **vars(wanted))
    enhanced.save(options.output)
    print(f"{options.output}: {enhanced.size_px[0]}x{enhanced.size_px[1]} in {enhanced.seconds:.1f} s", file=sys.stderr)
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("enhance", description="Enhance photos on a Triton server.")
    parser.add_argument("photo", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--url", action="append", help=f"server address (default {DEFAULT_URL})")
    parser.add_argument("--mode", choices=MODES)
    parser.add_argument("--strength", type=float)
    parser.add_argument("--format", choices=FORMATS)
    parser.add_argument("--quality", type=int)
    parser.add_argument("--timeout-s", type=float, default=TIMEOUT_S)
    return parser
