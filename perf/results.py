"""Results: JSON files of one shape in ``perf/results/``, checked against ``perf/result.schema.json``, whole or absent.

A file is named ``<name>--<machine>--<profile>.json``.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema

from deploy.measuring.machine import machine, run
from deploy.server.triton import SERVER_PYTHON
from files.checkout import MODEL_REPOSITORY, ROOT
from files.digest import sha256
from files.writing import write_whole
from perf.errors import PerfError
from serving.versions import NETWORKS, ONNX_NAME, common_versions

Result = dict[str, Any]
Row = dict[str, Any]
RESULTS = ROOT / "perf/results"
SCHEMA = json.loads((ROOT / "perf/result.schema.json").read_text())
MEASURED = ("model_repository", "pixels", "codec", "serving", "deploy", "perf/*.py", "perf/scenarios.toml")
SERVER_PACKAGES = ("nvidia-pytriton", "openvino", "nvidia-dali-cuda130", "opencv-python-headless", "pillow", "numpy")
VERSIONS = """
import importlib.metadata, json, sys
found = {each.name: each.version for each in importlib.metadata.distributions()}
print(json.dumps({name: found[name] for name in sys.argv[1:] if name in found}))
"""


def new_result(
    kind: str,
    name: str,
    profile: str,
    versions: Mapping[str, str],
    rows: Sequence[Row],
    about: Mapping[str, Any] | None = None,
    samples: Mapping[str, Sequence[float]] | None = None,
) -> Result:
    """A result with its header, checked.

    Args:
        kind: one of the schema's, which says what the other fields are.
        name: first part of the file name, such as ``engines-generator`` or a scenario's name.
        profile: ``cpu`` or ``gpu``.
        versions: of the software that was measured, by name.
        rows: what was measured, field by field.
        about: what was asked, and figures of the whole run.
        samples: values of one quantity each, where single ones matter.
    """
    result: Result = {
        "kind": kind,
        "name": name,
        "profile": profile,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {"python": platform.python_version(), **versions},
        "commit": commit(),
        "networks_sha256": {network: sha256(served(network)) for network in NETWORKS},
        "about": dict(about or {}),
        "rows": list(rows),
        **({"samples": samples} if samples else {}),
    }
    check(result)
    return result


def check(result: Result) -> None:
    """Raise PerfError where a result does not follow the schema."""
    try:
        jsonschema.validate(result, SCHEMA)
    except jsonschema.ValidationError as error:
        raise PerfError(f"result {result.get('name')}: {error.json_path}: {error.message}") from None


def path_of(result: Result, folder: Path = RESULTS) -> Path:
    """Where a result is kept."""
    return folder / f"{result['name']}--{result['machine']['name']}--{result['profile']}.json"


def write(result: Result, folder: Path = RESULTS) -> Path:
    """Keep a result; replaces an older one of the same name in one step."""
    check(result)
    path = path_of(result, folder)
    write_whole(path, json.dumps(result, indent=1) + "\n")
    return path


def read(path: Path) -> Result:
    """A checked result.

    Raises:
        PerfError: the file is missing, is no JSON or does not follow the schema.
    """
    try:
        result: Result = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise PerfError(f"{path} cannot be read: {error}") from None
    check(result)
    return result


def table(rows: Iterable[Row]) -> list[str]:
    """Rows as a Markdown table, a column for each field; why a row did not run stands in the last one."""
    rows = list(rows)
    heads = list(dict.fromkeys(name for row in rows for name in row if name != "not_run"))
    lines = [f"| {' | '.join(head.replace('_', ' ') for head in heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        cells = [cell(row.get(head)) for head in heads]
        if "not_run" in row:
            cells[-1] = f"not run: {row['not_run']}"
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def cell(value: object) -> str:
    """Three significant digits, or the text."""
    if isinstance(value, bool):
        return "yes" if value else "**no**"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "" if value is None else str(value)


def versions(*packages: str, python: Path = Path(sys.executable)) -> dict[str, str]:
    """Versions of the installed ones among packages, in this environment or in another one."""
    answer = subprocess.run([python, "-c", VERSIONS, *packages], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(answer.stdout)
    return found


def server_versions() -> dict[str, str]:
    """Versions of what the server is made of."""
    return versions(*SERVER_PACKAGES, python=SERVER_PYTHON)


def commit(root: Path = ROOT) -> str:
    """The commit that is measured, with ``-dirty`` where the code differs from it; documents and results may."""
    git = ["git", "-C", str(root)]
    found = run(*git, "rev-parse", "--short=12", "HEAD").strip()
    changed = run(*git, "diff", "--name-only", "HEAD", "--", *MEASURED)
    return found + ("-dirty" if changed else "") if found else "unknown"


def served(network: str, repository: Path = MODEL_REPOSITORY) -> Path:
    """The ONNX file that is served, MODEL/VERSION/model.onnx, from whose weights plans are built, too."""
    return repository / network / str(common_versions(repository)[0]) / ONNX_NAME
