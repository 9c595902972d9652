"""Photos that a search found, grouped into jobs: one for each scene."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from clients.batch.job import Job, Look
from clients.brackets.likeness import View
from clients.brackets.scenes import Scene, every, scenes
from clients.brackets.shots import Shot, read_shot, read_view
from clients.errors import OptionError
from clients.request import MOST_FRAMES

READERS = 4
Value = TypeVar("Value")


class Grouping:
    """Groups the photos of a folder; what it has read of a file it reads again only when the file has changed.

    Args:
        sources: The folder that the jobs' sources are relative to.
        rule: `auto`, by what the files tell (`clients.brackets.scenes`), or a number: every so many photos in the order
            of their names.

    Raises:
        OptionError: the rule makes no sense.
    """

    def __init__(self, sources: Path, rule: str) -> None:
        if rule != "auto" and not (rule.isdecimal() and 2 <= int(rule) <= MOST_FRAMES):
            raise OptionError(f"--brackets {rule!r}: write auto, off, or a number of frames from 2 to {MOST_FRAMES}")
        self._sources = sources
        self._rule = rule
        self._shots: dict[Path, tuple[Look, Shot]] = {}
        self._views: dict[Path, tuple[Look, View | None]] = {}
        self.scenes: dict[Path, Scene] = {}
        """The scenes of more than one frame that were found last, by their jobs' sources."""

    def jobs(self, found: Iterable[Job]) -> list[Job]:
        """One job for each scene, which has the name of its anchor; photos that belong to no scene stay as they are.

        Raises:
            OptionError: the number of photos is no multiple of the rule's.
        """
        by_path = {job.source: job for job in found}
        counted = [job for job in by_path.values() if self._rule != "auto" or not job.trouble]
        with ThreadPoolExecutor(READERS) as pool:
            shots = list(pool.map(self._shot, counted))
        self._shots = {path: known for path, known in self._shots.items() if path in by_path}
        self._views = {path: known for path, known in self._views.items() if path in by_path}

        def view(shot: Shot) -> View | None:
            return self._view(by_path[shot.path], shot)

        grouped = scenes(shots, view) if self._rule == "auto" else every(int(self._rule), shots, view)
        jobs = [_merged([by_path.pop(path) for path in scene.paths], scene.anchor) for scene in grouped]
        found_scenes = zip(jobs, grouped, strict=True)
        self.scenes = {job.source: scene for job, scene in found_scenes if job.frames}
        return [*jobs, *by_path.values()]

    def _shot(self, job: Job) -> Shot:
        return _kept(self._shots, job, lambda: replace(read_shot(self._sources / job.source), path=job.source))

    def _view(self, job: Job, shot: Shot) -> View | None:
        return _kept(self._views, job, lambda: read_view(replace(shot, path=self._sources / shot.path)))


def listed(folder: Path, scene: Scene) -> str:
    """The frames of a scene with their exposures, for people."""
    frames = zip(scene.paths, scene.exposures_ev, strict=True)
    return "\n".join(f"  {exposure_ev:+5.1f} EV  {folder / path}" for path, exposure_ev in frames)


def _kept(known: dict[Path, tuple[Look, Value]], job: Job, read: Callable[[], Value]) -> Value:
    """What was read of a file that has not changed since, or what is read now."""
    if job.source not in known or known[job.source][0] != job.look:
        known[job.source] = job.look, read()
    return known[job.source][1]


def _merged(jobs: list[Job], anchor: int) -> Job:
    """One job of several; a change of any of them changes it."""
    if len(jobs) == 1:
        return jobs[0]
    changed_ns = [job.changed_ns for job in jobs]
    return replace(
        jobs[anchor],
        size=sum(job.size for job in jobs),
        modified_ns=max(job.modified_ns for job in jobs),
        changed_ns=max(changed_ns) if all(changed_ns) else 0,
        trouble=next((f"{job.source.name}: {job.trouble}" for job in jobs if job.trouble), ""),
        frames=tuple(job.source for job in jobs),
    )
