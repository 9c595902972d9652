"""Which photos there are, and where their outputs go."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from clients.batch.job import Job
from clients.batch.naming import Naming
from clients.batch.storage import is_local, stored_files
from clients.camera import DEVELOPED, is_installed
from clients.errors import OptionError
from clients.request import FORMAT_OF

PATTERNS = tuple(f"*{extension}" for extension in FORMAT_OF)


def patterns() -> tuple[str, ...]:
    """What is looked for: camera files, too, where they can be developed."""
    return (*PATTERNS, *(f"*{extension}" for extension in DEVELOPED)) if is_installed() else PATTERNS


@dataclass(frozen=True)
class Found:
    """A photo that a search found, or a place where it could not look."""

    path: Path
    stat: os.stat_result | None = None
    trouble: str = ""


@dataclass(frozen=True)
class Search:
    """Which files of a folder are photos."""

    patterns: tuple[str, ...] = PATTERNS
    """File name patterns, upper and lower case alike."""
    recursive: bool = True
    """Whether folders inside are searched too."""

    def find(
        self, folder: Path, leave_out: os.stat_result | None = None, passed_over: Counter[str] | None = None
    ) -> Iterator[Found]:
        """Photos under `folder`, in order of their names; hidden files and linked folders are left out.

        What vanishes during the search is passed over; what cannot be read is found with its trouble.

        Args:
            folder: Where to look.
            leave_out: A folder that is not entered: the outputs', when it lies inside `folder`.
            passed_over: Counts the files that are no photos, by their extensions.

        Raises:
            OSError: `folder` itself cannot be read.
        """
        open_folders = [iter(_visible(folder))]
        while open_folders:
            entry = next(open_folders[-1], None)
            if entry is None:
                open_folders.pop()
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    if self.recursive and not _is_same(entry, leave_out):
                        open_folders.append(iter(_visible(Path(entry.path))))
                    continue
                found = self._photo(entry)
                if found is None and passed_over is not None:
                    passed_over[Path(entry.name).suffix.lower() or entry.name] += 1
            except FileNotFoundError:
                found = Found(Path(entry.path), trouble="this link leads nowhere") if entry.is_symlink() else None
            except OSError as error:
                found = Found(Path(entry.path), trouble=f"cannot be read: {error.strerror or error}")
            if found is not None:
                yield found

    def takes(self, path: Path) -> bool:
        """Whether a path, relative to the folder, is one that `find` would yield."""
        hidden = any(part.startswith(".") for part in path.parts)
        return not hidden and (self.recursive or len(path.parts) == 1) and self._matches(path.name)

    def _photo(self, entry: os.DirEntry[str]) -> Found | None:
        if not self._matches(entry.name):
            return None
        look = entry.stat()
        return Found(Path(entry.path), look) if stat.S_ISREG(look.st_mode) else None

    def _matches(self, name: str) -> bool:
        return any(fnmatch(name.lower(), pattern.lower()) for pattern in self.patterns)


def names_folder(output: str) -> bool:
    """Whether a person means a folder."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name)


def _is_same(entry: os.DirEntry[str], folder: os.stat_result | None) -> bool:
    return folder is not None and os.path.samestat(entry.stat(), folder)


@dataclass(frozen=True)
class Plan:
    """A plan from sources to jobs: what is read, what is written, with which settings."""

    naming: Naming
    search: Search
    settings: str
    """The request parameters as one text."""
    passed_over: Counter[str] = field(default_factory=Counter, compare=False)
    """Files that are no photos, by their extensions, as far as folders were searched."""

    def mirror(self, sources: Path, targets: Path) -> Iterator[Job]:
        """Every photo under `sources`, with its place under `targets`; paths are relative to the two.

        Raises:
            OptionError: there is no such folder, or the outputs would land among their sources.
            OSError: `sources` cannot be read.
        """
        if not sources.is_dir():
            raise OptionError(f"no such folder: {sources}")
        if str(sources) == str(targets) or (is_local(targets) and targets.exists() and sources.samefile(targets)):
            raise OptionError(f"outputs would land among their sources: choose another folder than {targets}")
        if is_local(sources):
            leave_out = targets.stat() if is_local(targets) and targets.is_dir() else None
            for found in self.search.find(sources, leave_out, self.passed_over):
                yield self._job(found.path.relative_to(sources), found)
        else:
            for source, size, modified_ns in stored_files(sources):
                if self.search.takes(source):
                    yield Job(source, self.naming.name(source), size, modified_ns, self.settings)

    def _job(self, source: Path, found: Found) -> Job:
        target = self.naming.name(source)
        if found.stat is None:
            return Job(source, target, 0, 0, self.settings, trouble=found.trouble)
        return Job.of(source, target, found.stat, self.settings)

    def each(self, paths: list[Path], output: str | None) -> Iterator[Job]:
        """The photos that a person named, one by one or by folder; paths are relative to the working folder.

        Args:
            paths: Photos and folders.
            output: A file for a single photo, a folder otherwise; None puts each output beside its source.

        Raises:
            OptionError: a path does not exist, or an output would replace its source.
        """
        for path in paths:
            if path.is_dir():
                if output is None:
                    raise OptionError(f"{path} is a folder: name an output folder with -o")
                targets = Path(output) / path.name if len(paths) > 1 else Path(output)
                for job in self.mirror(path, targets):
                    yield replace(job, source=path / job.source, target=targets / job.target)
            else:
                yield self._one(path, self._target(path, output, alone=len(paths) == 1))

    def _target(self, path: Path, output: str | None, alone: bool) -> Path:
        if output is None:
            return self.naming.name(path)
        if alone and not names_folder(output):
            return Path(output)
        return Path(output) / self.naming.name(Path(path.name))

    def _one(self, path: Path, target: Path) -> Job:
        if not path.is_file():
            raise OptionError(f"no such photo or folder: {path}")
        if target.exists() and path.samefile(target):
            raise OptionError(f"the output would replace its source {path}: use --suffix, or another -o")
        return Job.of(path, target, path.stat(), self.settings)
