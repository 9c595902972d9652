"""Results: JSON files in ``perf/results/`` with one header, checked against a schema, whole or absent.

A file is named ``<what>--<machine>--<profile>.json``. Each kind of result has a schema, ``perf/schemas/<kind>.json``,
that describes its fields beside those of the header (``perf/schemas/header.json``).
"""

import hashlib
import importlib.metadata
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema

from clients.files import write_atomically
from deploy.server import MODEL_REPOSITORY, ROOT
from perf.errors import PerfError
from perf.machine import machine, run
from serving.versions import NETWORKS, ONNX_NAME, common_versions

Result = dict[str, Any]
RESULTS = ROOT / "perf/results"
SCHEMAS = ROOT / "perf/schemas"
MEASURED = ("model_repository", "pixels", "deploy", "perf/*.py", "perf/scenarios.toml")
VERSIONS = """
import importlib.metadata, json, sys
found = {each.name: each.version for each in importlib.metadata.distributions()}
print(json.dumps({name: found[name] for name in sys.argv[1:] if name in found}))
"""


def new_result(kind: str, what: str, profile: str, versions: Mapping[str, str], body: Mapping[str, Any]) -> Result:
    """A result with its header, checked.

    Args:
        kind: name of its schema in perf/schemas.
        what: first part of the file name, such as ``engines`` or a scenario's name.
        profile: ``cpu`` or ``gpu``.
        versions: of the software that was measured, by name; see package_versions.
        body: the fields of its own schema.

    Raises:
        PerfError: it does not follow its schema.
    """
    result = {
        "schema": kind,
        "what": what,
        "profile": profile,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions},
        "commit": commit(),
        "networks_sha256": {network: sha256(served(network)) for network in NETWORKS},
        **body,
    }
    check(result)
    return result


def check(result: Result) -> None:
    """Raise PerfError where a result does not follow the header's schema and its own."""
    for name in ("header", str(result.get("schema"))):
        path = SCHEMAS / f"{name}.json"
        if not path.exists():
            raise PerfError(f"no schema {name!r}: add perf/schemas/{name}.json")
        try:
            jsonschema.validate(result, json.loads(path.read_text()))
        except jsonschema.ValidationError as error:
            raise PerfError(f"result {result.get('what')}: {error.json_path}: {error.message}") from None


def path_of(result: Result, folder: Path = RESULTS) -> Path:
    """Where a result is kept."""
    return folder / f"{result['what']}--{result['machine']['name']}--{result['profile']}.json"


def write(result: Result, folder: Path = RESULTS) -> Path:
    """Keep a result; replaces an older one of the same name in one step."""
    check(result)
    path = path_of(result, folder)
    write_atomically(path, (json.dumps(result, indent=1) + "\n").encode())
    return path


def read(path: Path) -> Result:
    """A checked result.

    Raises:
        PerfError: the file is missing, is no JSON or does not follow its schema.
    """
    try:
        result: Result = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise PerfError(f"{path} cannot be read: {error}") from None
    check(result)
    return result


def read_all(folder: Path = RESULTS) -> list[Result]:
    """Every result of a folder, by file name."""
    return [read(path) for path in sorted(folder.glob("*.json"))]


def package_versions(*packages: str, python: Path | None = None) -> dict[str, str]:
    """Versions of the installed ones among packages, in this interpreter or in another."""
    if python is None:
        found = {each.name: each.version for each in importlib.metadata.distributions()}
        return {name: found[name] for name in packages if name in found}
    answer = subprocess.run([python, "-c", VERSIONS, *packages], check=True, capture_output=True, text=True)
    versions: dict[str, str] = json.loads(answer.stdout)
    return versions


def commit(root: Path = ROOT) -> str:
    """The commit that is measured, with ``-dirty`` where the code differs from it; documents and results may."""
    git = ["git", "-C", str(root)]
    found = run(*git, "rev-parse", "--short=12", "HEAD").strip()
    changed = run(*git, "diff", "--name-only", "HEAD", "--", *MEASURED)
    return found + ("-dirty" if changed else "") if found else "unknown"


def served(network: str, repository: Path = MODEL_REPOSITORY) -> Path:
    """The ONNX file that is served, MODEL/VERSION/model.onnx, from whose weights plans are built, too."""
    return repository / network / str(common_versions(repository)[0]) / ONNX_NAME


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":  # checks what is tracked: python -m perf.results
    try:
        print(*(path_of(result).name for result in read_all()), sep="\n")
    except PerfError as error:
        sys.exit(f"error: {error}")
