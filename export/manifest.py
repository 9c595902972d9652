"""A run's folder and its manifest: which step made which file from what, with which versions, and what checks said.

``artifacts/<run>/manifest.json`` is a list of records, one a step. A file counts as validated when the record of a
check names its present SHA-256 and says that it passed; so a file changed after its check counts for nothing.
"""

import datetime
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from export.errors import ExportError
from files.checkout import ARTIFACTS
from files.digest import sha256
from files.writing import write_whole
from serving.cards import MANIFEST_NAME

PACKAGES = ("torch", "onnx", "onnxscript", "onnx-graphsurgeon", "onnxruntime", "polygraphy", "numpy", "tensorrt-cu13")


@dataclass(frozen=True)
class Step:
    """One record of the manifest.

    Attributes:
        name: the command, such as ``check-onnx``.
        inputs: SHA-256 by file name, of what was read.
        outputs: SHA-256 by file name, of what was written.
        passed: False for a check that found the artefact wanting.
        details: settings and measurements of the step, in plain JSON.
    """

    name: str
    inputs: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    passed: bool = True
    details: dict[str, Any] = field(default_factory=dict)
    at: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        """Names of all files it read or wrote."""
        return {*self.inputs, *self.outputs}


class Run:
    """Folder of one export.

    Args:
        name: letters, digits, ``.``, ``_`` and ``-``.
        root: folder of all runs.
    """

    def __init__(self, name: str, root: Path = ARTIFACTS) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise ExportError(f"run name {name!r}: use letters, digits, '.', '_' and '-'")
        self.name = name
        self.folder = root / name

    @property
    def manifest(self) -> Path:
        """Path of the manifest."""
        return self.folder / MANIFEST_NAME

    def file(self, name: str, made_by: str) -> Path:
        """Path of a file that an earlier step made.

        Raises:
            ExportError: it is not there.
        """
        path = self.folder / name
        if not path.is_file():
            raise ExportError(f"{path} is missing: run 'python -m export {made_by} --run {self.name}' first")
        return path

    def steps(self) -> list[Step]:
        """Records of the manifest, oldest first."""
        if not self.manifest.exists():
            return []
        try:
            return [Step(**record) for record in json.loads(self.manifest.read_text())["steps"]]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ExportError(f"{self.manifest} does not read ({error}): export the run again") from None

    def record(self, step: Step) -> None:
        """Add a record, replacing the step's earlier one of the same files (each GPU has a plan of its own)."""
        stamped = asdict(step) | {"at": _now(), "versions": versions()}
        others = [asdict(other) for other in self.steps() if (other.name, other.files) != (step.name, step.files)]
        write_whole(self.manifest, json.dumps({"run": self.name, "steps": [*others, stamped]}, indent=2) + "\n")

    def require_passed(self, check: str, path: Path) -> Step:
        """Record of the check that this very file passed.

        Raises:
            ExportError: never checked, changed since, or failed.
        """
        again = f"run 'python -m export {check} --run {self.name}'"
        checks = [step for step in self.steps() if step.name == check and path.name in step.inputs]
        if not checks:
            raise ExportError(f"{path} was never validated: {again}")
        step = checks[-1]
        if step.inputs[path.name] != sha256(path):
            raise ExportError(f"{path} changed after its validation (its hash differs): {again}")
        if not step.passed:
            raise ExportError(f"{path} failed its validation: {self.manifest} says why")
        return step


@contextmanager
def recorded_check(run: Run, name: str, *files: Path) -> Iterator[dict[str, Any]]:
    """Record a check with what it measured: passed, or failed with the reason. The first file is the one checked."""
    inputs = {path.name: sha256(path) for path in files}
    details: dict[str, Any] = {}
    try:
        yield details
    except ExportError as error:
        run.record(Step(name, inputs, passed=False, details=details | {"reason": str(error)}))
        raise
    run.record(Step(name, inputs, details=details))


def versions() -> dict[str, str]:
    """Versions of what shapes an artefact, those that are installed."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
