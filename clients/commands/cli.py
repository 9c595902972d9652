"""The `enhance` command: which commands there are, and what their errors mean to a script.

Exit codes: 0 all photos done, 1 some failed, 2 wrong usage, 3 server unreachable, 130 stopped by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict

from clients.batch.database import LedgerError
from clients.batch.storage import StorageError
from clients.commands import arguments
from clients.commands.arguments import connection_from
from clients.commands.photos import DONE, enhance, enhance_folder, watch_folder
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import DeniedError, EnhanceError, OptionError, ProtocolError, UnavailableError
from command_line.ending import FAILED, INTERRUPTED

USAGE, UNREACHABLE = 2, 3
AGAIN = "\nEvery photo that is done stays done: once this is solved, run the same command again."


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that is no UTF-8 is shown as far as it can be
            stream.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("ignore", module="PIL")  # damaged photos are told of once, in our own words
    given = list(sys.argv[1:] if given is None else given)
    command = given.pop(0) if given[:1] and given[0] in COMMANDS else "enhance"
    parser, execute = COMMANDS[command]
    options = parser().parse_args(given)
    try:
        return execute(options, connection_from(options))
    except EnhanceError as error:
        return _fail(f"{error}{AGAIN * isinstance(error, StorageError | LedgerError)}", exit_code(error))
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("stopped; what is done stays done, and the same command does the rest", INTERRUPTED)


def exit_code(error: EnhanceError) -> int:
    """The exit code that tells a script what kind of error this is."""
    if isinstance(error, UnavailableError | ProtocolError | DeniedError):
        return UNREACHABLE
    return USAGE if isinstance(error, OptionError) else FAILED


def _fail(message: str, code: int = FAILED) -> int:
    print(f"enhance: {message}", file=sys.stderr)
    return code


def _styles(options: argparse.Namespace, connection: Connection) -> int:
    with Enhancer(**connection.settings()) as enhancer:
        styles = enhancer.styles()
    if options.json:
        print(json.dumps([asdict(style) for style in styles], indent=1))
        return DONE
    width = max((len(style.name) for style in styles), default=0)
    for style in styles:
        print(f"{style.name:{width}}  version {style.version}  {style.summary}".rstrip())
    return DONE


def _ui(options: argparse.Namespace, connection: Connection) -> int:
    try:
        from clients.page.server import serve  # Gradio is an extra
    except ImportError as error:
        raise OptionError(f"the demo page needs the extra `ui`: run `make ui` ({error})") from error
    serve(connection, options.host, options.port)
    return DONE


COMMANDS: dict[str, tuple[Callable[[], argparse.ArgumentParser], Callable[[argparse.Namespace, Connection], int]]] = {
    "enhance": (arguments.enhance_parser, enhance),
    "batch": (arguments.batch_parser, enhance_folder),
    "merge": (arguments.merge_parser, enhance_folder),
    "watch": (arguments.watch_parser, watch_folder),
    "styles": (arguments.styles_parser, _styles),
    "ui": (arguments.ui_parser, _ui),
}
