"""The `enhance` command.

Exit codes: 0 all photos done, 1 some failed, 2 wrong usage, 3 server unreachable, 130 stopped by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from clients.batch import PATIENCE_S, StorageError
from clients.commands import Connection, note_all, run, settings_text
from clients.enhancer import DEFAULT_URL, TIMEOUT_S, Enhancer
from clients.errors import BusyError, DeniedError, EnhanceError, OptionError, ProtocolError, UnreachableError
from clients.folders import PATTERNS, Naming, Plan, Search
from clients.ledger import Job, Ledger, LedgerError
from clients.report import Report
from clients.request import FORMATS, MAX_STRENGTH, MODES, Options
from clients.transports.base import Tls
from clients.watch import watch

DONE, SOME_FAILED, USAGE, UNREACHABLE, STOPPED = 0, 1, 2, 3, 130
PIPE = "-"
EPILOG = """\
commands:
  enhance PHOTO...         photos and folders, once
  enhance batch SRC DST    a whole folder with a ledger: the same command resumes after any interruption
  enhance watch SRC DST    a hot folder: photos are enhanced as they arrive
  enhance ui               the demo page
each has its own --help.

examples:
  enhance kitchen.jpg                          writes kitchen_enhanced.jpg
  enhance kitchen.jpg -o edited.png --format png
  enhance shoot/ -o edited/ --mode fast        mirrors the folder tree
  enhance - < kitchen.jpg > edited.jpg
  enhance batch shoot/ edited/ --url grpc://spark-1:8001 --url grpc://spark-2:8001

exit codes: 0 all done, 1 some failed, 2 wrong usage, 3 server unreachable
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = given.pop(0) if given[:1] and given[0] in COMMANDS else "enhance"
    parser, execute = COMMANDS[command]
    options = parser().parse_args(given)
    try:
        return execute(options)
    except EnhanceError as error:
        return _fail(str(error), exit_code(error))
    except (StorageError, LedgerError) as error:
        return _fail(f"{error}\nEvery photo that is done stays done: once this is solved, run the same command again.")
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("stopped; what is done stays done, and the same command does the rest", STOPPED)


def exit_code(error: EnhanceError) -> int:
    """The exit code that tells a script what kind of error this is."""
    if isinstance(error, UnreachableError | BusyError | ProtocolError | DeniedError):
        return UNREACHABLE
    return USAGE if isinstance(error, OptionError) else SOME_FAILED


def _fail(message: str, code: int = SOME_FAILED) -> int:
    print(f"enhance: {message}", file=sys.stderr)
    return code


def _enhance(options: argparse.Namespace) -> int:
    if PIPE in (options.output, *options.photos):
        return _pipe(options)
    paths = [Path(photo) for photo in options.photos]
    jobs = _plan(options, beside=options.output is None).each(paths, options.output)
    named = options.output is not None and len(paths) == 1 and paths[0].is_file()
    ledger = Ledger(Path(), Path(), in_memory=True)
    return _process(options, ledger, jobs, keep_existing=not (options.overwrite or named))


def _batch(options: argparse.Namespace) -> int:
    jobs = _plan(options).mirror(options.sources, options.targets)
    if options.dry_run:
        return _process(options, Ledger(options.sources, options.targets, in_memory=True), jobs)
    first = next(jobs, None)
    if first is None:  # before a folder is made for nothing
        raise OptionError(no_photos(options))
    options.targets.mkdir(parents=True, exist_ok=True)
    return _process(options, Ledger(options.sources, options.targets), chain([first], jobs))


def _watch(options: argparse.Namespace) -> int:
    options.targets.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.sources, options.targets)
    plan = _plan(options)
    watch(ledger, lambda: plan.mirror(options.sources, options.targets), _connection(options), _wanted(options))
    return DONE


def _ui(options: argparse.Namespace) -> int:
    try:
        from clients.ui_server import serve  # Gradio is an extra
    except ImportError as error:
        raise OptionError(f"the demo page needs the extra `ui`: run `make ui` ({error})") from error
    serve(_connection(options), options.host, options.port)
    return DONE


def _process(options: argparse.Namespace, ledger: Ledger, jobs: Iterable[Job], keep_existing: bool = False) -> int:
    retry_failed = getattr(options, "retry_failed", False)
    report = note_all(ledger, jobs, retry_failed, keep_existing)
    if not (report.skipped or report.pending or ledger.failures()):
        raise OptionError(no_photos(options))
    if options.dry_run:
        for job in ledger.pending():
            print(f"{ledger.sources / job.source} -> {ledger.targets / job.target}")
        return DONE
    try:
        run(ledger, report, _connection(options), _wanted(options), options.quiet)
    finally:
        _tell(report, options)
        ledger.close()
    return SOME_FAILED if report.failed else DONE


def no_photos(options: argparse.Namespace) -> str:
    """What to tell a person whose folder has nothing to enhance."""
    return f"no photos found (looked for {', '.join(options.pattern or PATTERNS)})"


def _tell(report: Report, options: argparse.Namespace) -> None:
    if report.seconds and not options.quiet:
        print(report.as_text(), file=sys.stderr)
    if options.json:
        print(report.as_json())


def _pipe(options: argparse.Namespace) -> int:
    if len(options.photos) != 1:
        raise OptionError("- stands for one photo on the standard input or output: give one photo alone")
    source, target = options.photos[0], options.output or PIPE
    if target == PIPE and sys.stdout.isatty():
        raise OptionError("the photo would go to the terminal: redirect the output, or use -o")
    photo = sys.stdin.buffer.read() if source == PIPE else Path(source).read_bytes()
    connection = _connection(options)
    with Enhancer(
        connection.urls, tls=connection.tls, headers=dict(connection.headers), timeout_s=connection.timeout_s
    ) as enhancer:
        enhanced = enhancer.enhance(photo, **vars(_wanted(options)))
    if target == PIPE:
        sys.stdout.buffer.write(enhanced.data)
    else:
        enhanced.save(target)
    return DONE


def _plan(options: argparse.Namespace, beside: bool = False) -> Plan:
    naming = Naming(options.suffix if options.suffix is not None else "_enhanced" * beside, options.format)
    search = Search(tuple(options.pattern or PATTERNS), not options.no_recursive)
    return Plan(naming, search, settings_text(_wanted(options)))


def _wanted(options: argparse.Namespace) -> Options:
    return Options(options.mode, options.strength, options.format, options.quality)


def _connection(options: argparse.Namespace) -> Connection:
    return Connection(
        urls=tuple(options.url or os.environ.get("ENHANCE_URL", DEFAULT_URL).split(",")),
        tls=Tls(options.root_certificates, options.private_key, options.certificate_chain),
        headers=tuple(_header(text) for text in options.header or ()),
        timeout_s=options.timeout_s,
        in_flight=options.in_flight,
        patience_s=options.patience_s,
    )


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise OptionError(f"--header {text!r}: write NAME=VALUE, or NAME=@FILE")
    return name, Path(value[1:]).read_text().strip() if value.startswith("@") else value


def _enhance_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "enhance",
        description="Enhance photos on a Triton server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTO", help="photos and folders; - is the standard input")
    parser.add_argument(
        "-o", "--output", metavar="PATH", help="a file for one photo, else a folder; default: beside each photo"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace outputs in folders that exist already")
    _add_photo_options(parser)
    _add_run_options(parser)
    _add_connection_options(parser)
    return parser


def _batch_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "enhance batch", description="Enhance a folder; the same command resumes after any interruption."
    )
    _add_folders(parser)
    parser.add_argument("--retry-failed", action="store_true", help="try the photos again that failed before")
    _add_photo_options(parser)
    _add_run_options(parser)
    _add_connection_options(parser)
    return parser


def _watch_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("enhance watch", description="Enhance photos as they arrive, until Ctrl-C.")
    _add_folders(parser)
    _add_photo_options(parser)
    _add_connection_options(parser)
    return parser


def _ui_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("enhance ui", description="Serve the demo page.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=7860, help="of the page (default %(default)s)")
    _add_connection_options(parser)
    return parser


def _add_folders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sources", metavar="SRC", type=Path, help="folder of photos")
    parser.add_argument("targets", metavar="DST", type=Path, help="folder for the outputs and their ledger")


def _add_photo_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("photos")
    group.add_argument("--mode", choices=MODES, help="full quality, or fast (default: the server's)")
    group.add_argument("--strength", type=float, metavar="S", help=f"factor on the edit, 0 to {MAX_STRENGTH}")
    group.add_argument("--format", choices=FORMATS, help="of the outputs (default: the server's)")
    group.add_argument("--quality", type=int, metavar="Q", help="of lossy formats, 1 to 100")
    group.add_argument("--suffix", help="put before the extension of each output's name")
    group.add_argument("--pattern", action="append", metavar="GLOB", help="photos in folders, such as '*.jpg'; repeat")
    group.add_argument("--no-recursive", action="store_true", help="leave folders inside folders out")


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("run")
    group.add_argument("--dry-run", action="store_true", help="print what would be done")
    group.add_argument("--json", action="store_true", help="print a report as JSON on the standard output")
    group.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def _add_connection_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server")
    group.add_argument(
        "--url",
        action="append",
        help=f"grpc://, grpcs://, http:// or https:// address; repeat for several servers "
        f"(default: $ENHANCE_URL or {DEFAULT_URL})",
    )
    group.add_argument(
        "--header", action="append", metavar="NAME=VALUE", help="such as an API key; =@FILE reads a file"
    )
    group.add_argument("--root-certificates", type=Path, metavar="PEM", help="whom to trust over TLS")
    group.add_argument("--private-key", type=Path, metavar="PEM", help="for mutual TLS")
    group.add_argument("--certificate-chain", type=Path, metavar="PEM", help="for mutual TLS")
    group.add_argument(
        "--timeout-s", type=float, default=TIMEOUT_S, metavar="S", help="per photo (default %(default)g)"
    )
    group.add_argument(
        "--in-flight", type=int, default=4, metavar="N", help="most photos at a time (default %(default)s)"
    )
    group.add_argument(
        "--patience-s",
        type=float,
        default=PATIENCE_S,
        metavar="S",
        help="wait this long for a server that goes away (default %(default)g)",
    )


COMMANDS: dict[str, tuple[Callable[[], argparse.ArgumentParser], Callable[[argparse.Namespace], int]]] = {
    "enhance": (_enhance_parser, _enhance),
    "batch": (_batch_parser, _batch),
    "watch": (_watch_parser, _watch),
    "ui": (_ui_parser, _ui),
}
