"""A software bill of materials (CycloneDX 1.6) of each environment that is installed here."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from command_line.ending import UserError
from files.checkout import ROOT

SBOM = ROOT / "artifacts/sbom"
TOOL = ROOT / ".venv-sbom/bin/cyclonedx-py"
ENVIRONMENTS = {"clients-and-training": ".venv", "server": ".venv-server", "page": ".venv-ui"}
PARTS = "server ui ray camera sbom"
"""What `make setup` installs of it beside .venv's core."""
VALIDATE = """
import pathlib, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
for path in sys.argv[1:]:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(pathlib.Path(path).read_text())
    if error:
        sys.exit(f"{path}: {error.data.message[:200]}")
"""


class SbomError(UserError):
    """The bill of materials cannot be made; the message says what to do."""


def write(folder: Path = SBOM) -> list[Path]:
    """One file for each environment.

    Raises:
        SbomError: an environment or the tool is not installed, or the tool fails.
    """
    for path in (TOOL, *(ROOT / environment for environment in ENVIRONMENTS.values())):
        if not path.exists():
            raise SbomError(f"{path.relative_to(ROOT)} is not installed: make setup PART='{PARTS}'")
    folder.mkdir(parents=True, exist_ok=True)
    return [_write_one(bill(name, folder), ROOT / path) for name, path in ENVIRONMENTS.items()]


def bill(environment: str, folder: Path = SBOM) -> Path:
    """The path of an environment's bill of materials."""
    return folder / f"{environment}.cdx.json"


def _write_one(target: Path, environment: Path) -> Path:
    command: list[str | Path] = [TOOL, "environment", "--pyproject", ROOT / "pyproject.toml", "--spec-version", "1.6"]
    command += ["--output-reproducible", "--no-validate", "--output-file", target, environment / "bin/python"]
    _run(command, f"cyclonedx-py failed on {environment.name}")
    return target


def check(paths: Sequence[Path]) -> None:
    """Hold files against CycloneDX's own schema; takes seconds for each.

    Raises:
        SbomError: the first that is wrong, and why.
    """
    _run([TOOL.with_name("python"), "-c", VALIDATE, *paths], "this is no bill of materials")


def _run(command: Sequence[str | Path], failure: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SbomError(f"{failure}: {done.stderr.strip()}")
