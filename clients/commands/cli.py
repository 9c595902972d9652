"""The `enhance` command.

Exit codes: 0 all photos done, 1 some failed, 2 wrong usage, 3 server unreachable, 130 stopped by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from clients.batch.database import LedgerError
from clients.batch.folders import Plan, names_folder
from clients.batch.gallery import write_gallery
from clients.batch.grouping import Grouping, listed
from clients.batch.job import Job
from clients.batch.ledger import Ledger
from clients.batch.naming import format_by_name
from clients.batch.report import Report, passed_over_text
from clients.batch.run import STOPPED, note_all, run, served_versions
from clients.batch.storage import StorageError, is_local
from clients.batch.watch import SCENE_SETTLE_S, SETTLE_S, watch
from clients.commands import arguments
from clients.commands.arguments import again_from, connection_from, engine_from, grouping_from, order_from, plan_from
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import DeniedError, EnhanceError, OptionError, ProtocolError, UnavailableError
from clients.request import read_photo

DONE, SOME_FAILED, USAGE, UNREACHABLE = 0, 1, 2, 3
PIPE = "-"


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
        return _fail(str(error), exit_code(error))
    except (StorageError, LedgerError) as error:
        return _fail(f"{error}\nEvery photo that is done stays done: once this is solved, run the same command again.")
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("stopped; what is done stays done, and the same command does the rest", STOPPED)


def exit_code(error: EnhanceError) -> int:
    """The exit code that tells a script what kind of error this is."""
    if isinstance(error, UnavailableError | ProtocolError | DeniedError):
        return UNREACHABLE
    return USAGE if isinstance(error, OptionError) else SOME_FAILED


def _fail(message: str, code: int = SOME_FAILED) -> int:
    print(f"enhance: {message}", file=sys.stderr)
    return code


def _enhance(options: argparse.Namespace, connection: Connection) -> int:
    if PIPE in (options.output, *options.photos):
        return _pipe(options, connection)
    paths = [Path(photo) for photo in options.photos]
    if len(paths) == 1 and paths[0].is_file() and options.output and not names_folder(options.output):
        options.format = format_by_name(Path(options.output), options.format)
    plan = plan_from(options, beside=options.output is None)
    ledger = Ledger(Path(), Path(), in_memory=True)
    return _process(options, connection, ledger, plan, plan.each(paths, options.output))


def _batch(options: argparse.Namespace, connection: Connection) -> int:
    plan = plan_from(options)
    grouping = grouping_from(options)
    jobs = _found(plan, grouping, options)
    first = next(jobs, None)
    if first is None:  # before a folder is made for nothing
        raise OptionError(_no_photos(plan))
    ledger = _ledger(options, in_memory=options.dry_run)
    ledger.model = "" if options.dry_run else served_versions(connection, order_from(options).options.style)
    return _process(options, connection, ledger, plan, chain([first], jobs), grouping)


def _found(plan: Plan, grouping: Grouping | None, options: argparse.Namespace) -> Iterator[Job]:
    jobs = plan.mirror(options.sources, options.targets)
    return iter(grouping.jobs(jobs)) if grouping else jobs


def _watch(options: argparse.Namespace, connection: Connection) -> int:
    plan, grouping = plan_from(options), grouping_from(options)
    next(plan.mirror(options.sources, options.targets), None)  # a wrong folder is told at once
    ledger = _ledger(options)
    ledger.model = served_versions(connection, order_from(options).options.style)
    watch(
        ledger,
        lambda: _found(plan, grouping, options),
        connection,
        order_from(options),
        again_from(options),
        settle_s=SCENE_SETTLE_S if grouping else SETTLE_S,
    )
    return DONE


def _ledger(options: argparse.Namespace, in_memory: bool = False) -> Ledger:
    if not (options.ledger or is_local(options.targets)):
        raise OptionError("a ledger cannot lie in an object store: name a folder for it with --ledger")
    folder = options.ledger or options.targets
    for made in {folder, options.targets} if not in_memory else ():
        if is_local(made):
            made.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.sources, options.targets, folder, in_memory)
    if ledger.put_aside:
        print(f"the ledger was damaged: it is {ledger.put_aside} now, and outputs say what is done", file=sys.stderr)
    return ledger


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


def _process(
    options: argparse.Namespace,
    connection: Connection,
    ledger: Ledger,
    plan: Plan,
    jobs: Iterable[Job],
    grouping: Grouping | None = None,
) -> int:
    report = note_all(ledger, jobs, again_from(options))
    report.passed_over = dict(plan.passed_over.most_common())
    if not (report.skipped or report.pending or ledger.failures()):
        raise OptionError(_no_photos(plan))
    if options.dry_run:
        for job in ledger.pending():
            print(f"{ledger.sources / job.source} -> {ledger.targets / job.target}")
            if grouping and job.frames:
                print(listed(ledger.sources, grouping.scenes[job.source]))
        return DONE
    try:
        run(ledger, report, connection, order_from(options), options.quiet, engine_from(options))
    finally:
        _tell(report, options)
        ledger.close()
    if options.report:
        write_gallery(options.report, f"{report.done} of {len(report.photos)} photos enhanced", report.photos)
    return SOME_FAILED if report.failed else DONE


def _no_photos(plan: Plan) -> str:
    seen = f"; {passed_over_text(plan.passed_over)}" if plan.passed_over else ""
    return f"no photos found (looked for {', '.join(plan.search.patterns)}{seen})"


def _tell(report: Report, options: argparse.Namespace) -> None:
    if (report.seconds or not report.pending) and not options.quiet:
        print(report.as_text(), file=sys.stderr)
    if options.json:
        print(report.as_json())


def _pipe(options: argparse.Namespace, connection: Connection) -> int:
    if len(options.photos) != 1:
        raise OptionError("- stands for one photo on the standard input or output: give one photo alone")
    source, target = options.photos[0], options.output or PIPE
    if target != PIPE:
        options.format = format_by_name(Path(target), options.format)
        if Path(target).exists() and not options.overwrite:
            raise OptionError(f"{target} is there already: --overwrite replaces it")
    if target == PIPE and sys.stdout.isatty():
        raise OptionError("the photo would go to the terminal: redirect the output, or use -o")
    photo = sys.stdin.buffer.read() if source == PIPE else read_photo(source)
    with Enhancer(**connection.settings()) as enhancer:
        order, name = order_from(options), Path(target if target != PIPE else source)
        enhanced = order.finished(enhancer.enhance(photo, **vars(order.request(name))), name)
    if target == PIPE:
        sys.stdout.buffer.write(enhanced.data)
    else:
        enhanced.save(target)
    return DONE


COMMANDS: dict[str, tuple[Callable[[], argparse.ArgumentParser], Callable[[argparse.Namespace, Connection], int]]] = {
    "enhance": (arguments.enhance_parser, _enhance),
    "batch": (arguments.batch_parser, _batch),
    "merge": (arguments.merge_parser, _batch),
    "watch": (arguments.watch_parser, _watch),
    "styles": (arguments.styles_parser, _styles),
    "ui": (arguments.ui_parser, _ui),
}
