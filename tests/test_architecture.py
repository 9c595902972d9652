"""The import rules of docs/architecture.md: which package may know which, so that one part can be changed by itself."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "command_line": set(),
    "pixels": set(),
    "codec": set(),
    "serving": {"codec"},
    "model_repository": {"pixels", "codec", "serving"},
    "training": {"pixels", "serving", "clients", "command_line"},
    "export": {"pixels", "serving", "training", "command_line"},
    "clients": {"codec", "command_line"},
    "perf": {"pixels", "serving", "training", "export", "clients", "deploy"},
    "deploy": {"serving", "training", "export", "clients", "perf"},
}
"""Packages of this project that each package's modules may import, beside their own."""


def imported(file: Path) -> set[str]:
    """The first part of the name of every module that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
    return names


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_what_it_may(package: str) -> None:
    assert modules(package)
    others = MAY_IMPORT.keys() | {"tests"}
    broken = {
        str(file.relative_to(ROOT)): bad
        for file in modules(package)
        if (bad := imported(file) & others - MAY_IMPORT[package] - {package})
    }
    assert not broken


def test_what_is_installed_is_whole() -> None:
    """pyproject.toml names every package: one that is missing there fails only where the project is not the folder."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for package in MAY_IMPORT
        for file in (ROOT / package).rglob("__init__.py")
    }
    assert set(listed) == found


@pytest.mark.parametrize("package", ["pixels", "codec", "training", "clients"])
def test_what_can_be_tried_without_a_server_knows_nothing_of_tritons_backend(package: str) -> None:
    knowing = [file for file in modules(package) if "triton_python_backend_utils" in imported(file)]
    assert not knowing


@pytest.mark.parametrize("package", ["pixels", "codec", "serving", "model_repository", "clients"])
def test_what_serves_and_asks_needs_no_torch(package: str) -> None:
    assert not [file for file in modules(package) if "torch" in imported(file)]
