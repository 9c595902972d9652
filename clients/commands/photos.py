"""The commands that enhance photos: those that a person names, and whole folders with a ledger."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from clients.batch.folders import Plan, names_folder
from clients.batch.gallery import write_gallery
from clients.batch.grouping import Grouping, listed
from clients.batch.job import Job
from clients.batch.ledger import Ledger
from clients.batch.naming import format_by_name
from clients.batch.report import Report, passed_over_text
from clients.batch.run import run_here, run_on_ray, served_versions
from clients.batch.storage import is_local
from clients.batch.watch import SCENE_SETTLE_S, SETTLE_S, watch
from clients.batch.worklist import Worklist
from clients.commands.arguments import again_from, grouping_from, order_from, plan_from
from clients.connection import Connection
from clients.enhancer import Enhancer
from clients.errors import OptionError
from clients.request import read_photo
from command_line.ending import FAILED

DONE = 0
PIPE = "-"


def enhance(options: argparse.Namespace, connection: Connection) -> int:
    """`enhance PHOTO...`: photos and folders, once, of which nothing is remembered; returns the exit code."""
    if PIPE in (options.output, *options.photos):
        return _pipe(options, connection)
    paths = [Path(photo) for photo in options.photos]
    if len(paths) == 1 and paths[0].is_file() and options.output and not names_folder(options.output):
        options.format = format_by_name(Path(options.output), options.format)
    plan = plan_from(options, beside=options.output is None)
    worklist = Worklist()
    worklist.note_all(plan.each(paths, options.output), again_from(options))
    return _process(options, connection, worklist, plan, None)


def enhance_folder(options: argparse.Namespace, connection: Connection) -> int:
    """`enhance batch` and `enhance merge`; returns the exit code."""
    plan, grouping = plan_from(options), grouping_from(options)
    jobs = _found(plan, grouping, options)
    first = next(jobs, None)
    if first is None:  # before a folder is made for nothing
        raise OptionError(_no_photos(plan))
    worklist = _worklist(options, connection)
    worklist.note_all(chain([first], jobs), again_from(options))
    return _process(options, connection, worklist, plan, grouping)


def watch_folder(options: argparse.Namespace, connection: Connection) -> int:
    """`enhance watch`; returns the exit code, if it is ever stopped."""
    plan, grouping = plan_from(options), grouping_from(options)
    next(plan.mirror(options.sources, options.targets), None)  # a wrong folder is told at once
    watching = watch(
        _worklist(options, connection),
        lambda: _found(plan, grouping, options),
        connection,
        order_from(options),
        again_from(options),
        settle_s=SCENE_SETTLE_S if grouping else SETTLE_S,
    )
    asyncio.run(watching)
    return DONE


def _pipe(options: argparse.Namespace, connection: Connection) -> int:
    if len(options.photos) != 1:
        raise OptionError("- stands for one photo on the standard input or output: give a single photo")
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


def _found(plan: Plan, grouping: Grouping | None, options: argparse.Namespace) -> Iterator[Job]:
    jobs = plan.mirror(options.sources, options.targets)
    return iter(grouping.jobs(jobs)) if grouping else jobs


def _worklist(options: argparse.Namespace, connection: Connection) -> Worklist:
    """The ledger of a folder; for a dry run, which touches nothing, a list of its own."""
    folder = options.ledger or options.targets
    if not is_local(folder):
        raise OptionError("a ledger cannot lie in an object store: name a folder for it with --ledger")
    if options.dry_run:
        return Worklist(options.sources, options.targets)
    for made in {folder, options.targets}:
        if is_local(made):
            made.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.sources, options.targets, folder)
    if ledger.put_aside:
        print(f"the ledger was damaged: it is {ledger.put_aside} now, and outputs say what is done", file=sys.stderr)
    ledger.model = served_versions(connection, order_from(options).options.style)
    return ledger


def _process(
    options: argparse.Namespace,
    connection: Connection,
    worklist: Worklist,
    plan: Plan,
    grouping: Grouping | None,
) -> int:
    if not worklist.counts():
        raise OptionError(_no_photos(plan))
    if options.dry_run:
        for job in worklist.pending():
            print(f"{worklist.sources / job.source} -> {worklist.targets / job.target}")
            if grouping and job.frames:
                print(listed(worklist.sources, grouping.scenes[job.source]))
        return DONE
    report = Report(worklist, dict(plan.passed_over.most_common()))
    try:
        _run(options, connection, report)
    finally:
        worklist.check_outputs()
        _tell(report, options)
        worklist.close()
    if options.report:
        photos = worklist.entries()
        write_gallery(options.report, f"{worklist.counts()['done']} of {len(photos)} photos enhanced", photos)
    return FAILED if worklist.failures() else DONE


def _run(options: argparse.Namespace, connection: Connection, report: Report) -> None:
    if not report.worklist.counts()["pending"]:
        return
    if options.engine == "ray":
        run_on_ray(report, connection, order_from(options), options.quiet, options.ray_address)
    else:
        asyncio.run(run_here(report, connection, order_from(options), options.quiet))


def _no_photos(plan: Plan) -> str:
    seen = f"; {passed_over_text(plan.passed_over)}" if plan.passed_over else ""
    return f"no photos found (looked for {', '.join(plan.search.patterns)}{seen})"


def _tell(report: Report, options: argparse.Namespace) -> None:
    if (report.seconds or not report.worklist.counts()["pending"]) and not options.quiet:
        print(report.as_text(), file=sys.stderr)
    if options.json:
        print(report.as_json())
