"""The import rules of docs/architecture.md: which package may know which, so that one part can be changed by itself."""

import ast
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "command_line": set(),
    "files": set(),
    "pixels": set(),
    "codec": set(),
    "serving": {"codec"},
    "model_repository": {"pixels", "codec", "serving"},
    "training": {"pixels", "serving", "clients", "command_line", "files"},
    "export": {"pixels", "serving", "training", "command_line", "files"},
    "clients": {"codec", "command_line", "files"},
    "perf": {"pixels", "codec", "serving", "training", "export", "clients", "deploy", "command_line", "files"},
    "deploy": {"pixels", "codec", "serving", "training", "export", "clients", "perf", "command_line", "files"},
}
"""Packages of this project that each package's modules may import, beside their own."""
ROOMS: dict[str, set[str]] = {
    "library": set(),
    "batch": {"library"},
    "page": {"library", "batch"},
    "commands": {"library", "batch", "page"},
}
"""The rooms of `clients`, and what each room's modules may import beside their own."""
DEPLOY: dict[str, set[str]] = {
    "access": set(),
    "server": {"access"},
    "proxy": {"access", "server"},
    "container": {"access", "server"},
    "measuring": {"server", "container"},
    "gpu_check": {"access", "server", "container", "measuring"},
    "supply": set(),
}
"""The folders of `deploy` that have code, and what each folder's modules may import of it beside their own."""


def imported(file: Path) -> set[str]:
    """The dotted names of all that a file imports, anywhere in it: modules, and what is taken from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def packages(file: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(file)}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def modules_with_imports(package: str) -> dict[str, set[str]]:
    """Every module of a package with the others that it imports; a package that it is in is a front for outsiders."""
    files = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in modules(package)}
    files = {name.removesuffix(".__init__"): file for name, file in files.items()}
    return {
        name: {other for other in imported(file) & files.keys() if not f"{name}.".startswith(f"{other}.")}
        for name, file in files.items()
    }


def room(module: str) -> str:
    """Where a module of `clients` belongs; `python -m clients` is the command line."""
    folder = module.removeprefix("clients").removeprefix(".").partition(".")[0]
    return {"__main__": "commands"}.get(folder, folder if folder in ROOMS else "library")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_what_it_may(package: str) -> None:
    assert modules(package)
    others = MAY_IMPORT.keys() | {"tests"}
    broken = {
        str(file.relative_to(ROOT)): bad
        for file in modules(package)
        if (bad := packages(file) & others - MAY_IMPORT[package] - {package})
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
    knowing = [file for file in modules(package) if "triton_python_backend_utils" in packages(file)]
    assert not knowing


@pytest.mark.parametrize("package", ["pixels", "codec", "serving", "model_repository", "clients"])
def test_what_serves_and_asks_needs_no_torch(package: str) -> None:
    assert not [file for file in modules(package) if "torch" in packages(file)]


@pytest.mark.parametrize("own", ROOMS)
def test_a_room_of_the_clients_imports_what_it_may(own: str) -> None:
    inside = {module: others for module, others in modules_with_imports("clients").items() if room(module) == own}
    assert inside
    broken = {module: bad for module, others in inside.items() if (bad := {*map(room, others)} - {own} - ROOMS[own])}
    assert not broken


@pytest.mark.parametrize("own", DEPLOY)
def test_a_folder_of_deploy_imports_what_it_may(own: str) -> None:
    assert modules(f"deploy/{own}")
    others = {f"deploy.{folder}" for folder in (*DEPLOY, "demo", "gallery") if folder not in DEPLOY[own] | {own}}
    broken = {file: bad for file in modules(f"deploy/{own}") if (bad := imported(file) & others)}
    assert not broken


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_two_modules_need_each_other(package: str) -> None:
    TopologicalSorter(modules_with_imports(package)).prepare()
