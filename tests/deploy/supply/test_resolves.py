"""Requirements resolve where the README says: two are tried here, `python -m deploy.supply resolves` tries all."""

import re
import sys
import tomllib

import pytest

from deploy.supply import resolves
from deploy.supply.resolves import ARM, X86, Environment, Unreachable, environments
from files.checkout import ROOT

SERVER, DEVELOPMENT = "server, CPU profile", "development, training, clients"


def problem(environment: Environment) -> str | None:
    try:
        return environment.problem()
    except Unreachable as reason:
        pytest.skip(f"{reason}: whether the requirements resolve cannot be told")


def test_the_image_resolves_for_the_spark() -> None:
    (image,) = (each for each in environments() if each.name == "image, GPU profile" and each.machine == ARM)
    assert problem(image) is None


def test_what_cannot_be_installed_is_named() -> None:
    """NumPy 1.26 has no wheel for Python 3.13: the reason that the server is not promised there."""
    (server,) = (
        each for each in environments() if each.name == SERVER and (each.python, each.machine) == ("3.12", X86)
    )
    newer = Environment(server.name, server.requirements, "3.13", server.machine)
    assert "numpy==1.26.4" in (problem(newer) or "")


def test_without_an_index_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/nonexistent"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Unreachable, match="no package index"):
        next(environments()).problem()


def test_a_slow_index_is_said_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolves, "TIMEOUT_S", 0)
    assert resolves._errors([sys.executable, "-c", "input()"]) == "cannot be told, pip did not finish within 0 s"


def test_what_is_claimed_is_tried() -> None:
    """The README's Pythons, the project's own range, and the environments above say the same."""
    tried = {name: {each.python for each in environments() if each.name == name} for name in (SERVER, DEVELOPMENT)}
    server, others = (
        re.findall(r"3\.\d+", (ROOT / "README.md").read_text().partition("with Python ")[2])[:2],
        tried[DEVELOPMENT],
    )
    assert set(server) == tried[SERVER]
    lowest, highest = re.findall(
        r"3\.(\d+)", tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    )
    assert others == {f"3.{minor}" for minor in range(int(lowest), int(highest))}
    assert f"3.{sys.version_info.minor}" in others
