"""Which photos there are, and where their enhanced twins go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

from clients.errors import OptionError
from clients.ledger import Job
from clients.request import EXTENSIONS
from clients.storage import is_local, stored_files

PATTERNS = ("*.jpg", "*.jpeg", "*.png", "*.tif", "*.tiff", "*.webp")


@dataclass(frozen=True)
class Naming:
    """How an output is named after its source."""

    suffix: str = ""
    """Goes between the name and its extension: `_enhanced` makes `kitchen_enhanced.jpg`."""
    format: str | None = None
    """The format that was asked for; None or `same` keeps the source's extension."""

    def name(self, source: Path) -> Path:
        """The output's path for a source's path, both relative to their folders."""
        extension = EXTENSIONS.get(self.format or "same", source.suffix)
        return source.with_name(source.stem + self.suffix + extension)


@dataclass(frozen=True)
class Search:
    """Which files of a folder are photos."""

    patterns: tuple[str, ...] = PATTERNS
    """File name patterns, upper and lower case alike."""
    recursive: bool = True
    """Whether folders inside are searched too."""

    def find(self, folder: Path, leave_out: Path | None = None) -> Iterator[os.DirEntry[str]]:
        """Photos under `folder`, in order of their names; hidden files and linked folders are left out.

        Args:
            folder: Where to look.
            leave_out: A resolved folder that is not entered: the outputs', when it lies inside `folder`.

        Raises:
            OSError: a folder cannot be read.
        """
        with os.scandir(folder) as entries:
            visible = sorted(
                (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: entry.name
            )
        for entry in visible:
            if entry.is_dir(follow_symlinks=False):
                if self.recursive and Path(entry.path).resolve() != leave_out:
                    yield from self.find(Path(entry.path), leave_out)
            elif entry.is_file() and self._matches(entry.name):
                yield entry

    def takes(self, path: Path) -> bool:
        """Whether a path, relative to the folder, is one that `find` would yield."""
        hidden = any(part.startswith(".") for part in path.parts)
        return not hidden and (self.recursive or len(path.parts) == 1) and self._matches(path.name)

    def _matches(self, name: str) -> bool:
        return any(fnmatch(name.lower(), pattern.lower()) for pattern in self.patterns)


@dataclass(frozen=True)
class Plan:
    """From sources to jobs: what is read, what is written, with which settings."""

    naming: Naming
    search: Search
    settings: str
    """The request parameters as one text."""

    def mirror(self, sources: Path, targets: Path) -> Iterator[Job]:
        """Every photo under `sources`, with its place under `targets`; paths are relative to the two.

        Raises:
            OptionError: there is no such folder, or the outputs would land among their sources.
        """
        if not sources.is_dir():
            raise OptionError(f"no such folder: {sources}")
        if str(sources) == str(targets) or (is_local(targets) and targets.exists() and sources.samefile(targets)):
            raise OptionError(f"outputs would land among their sources: choose another folder than {targets}")
        for source, size, modified_ns in self._found(sources, targets):
            yield Job(source, self.naming.name(source), size, modified_ns, self.settings)

    def _found(self, sources: Path, targets: Path) -> Iterator[tuple[Path, int, int]]:
        if not is_local(sources):
            yield from (found for found in stored_files(sources) if self.search.takes(found[0]))
            return
        leave_out = targets.resolve() if is_local(targets) else None
        for entry in self.search.find(sources, leave_out):
            stat = entry.stat()
            yield Path(entry.path).relative_to(sources), stat.st_size, stat.st_mtime_ns

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
        if alone and not (output.endswith(("/", os.sep)) or Path(output).is_dir()):
            return Path(output)
        return Path(output) / self.naming.name(Path(path.name))

    def _one(self, path: Path, target: Path) -> Job:
        if not path.is_file():
            raise OptionError(f"no such photo or folder: {path}")
        if target.exists() and path.samefile(target):
            raise OptionError(f"the output would replace its source {path}: use --suffix, or another -o")
        stat = path.stat()
        return Job(path, target, stat.st_size, stat.st_mtime_ns, self.settings)
