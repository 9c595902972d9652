"""The proxy in containers is the proxy of the tests: same template, same limits. It was not run in Docker."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from deploy.proxy import Limits
from deploy.proxy.settings import PLACEHOLDER, TEMPLATE
from files.checkout import ROOT
from tests.tools import run, tool


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Of both files, as docker-compose puts them together."""
    files = [option for name in ("spark", "proxy") for option in ("--file", str(ROOT / f"deploy/{name}/compose.yaml"))]
    merged: dict[str, Any] = json.loads(run(tool("docker-compose"), *files, "config", "--format", "json"))
    return merged["services"]


@pytest.fixture
def settings(services: dict[str, Any]) -> dict[str, str]:
    return {name: value for name, value in services["proxy"]["environment"].items() if name.startswith("PROXY_")}


def test_every_placeholder_is_filled_in(settings: dict[str, str]) -> None:
    assert set(PLACEHOLDER.findall(TEMPLATE.read_text())) == set(settings)


def test_limits_are_the_tested_ones(settings: dict[str, str]) -> None:
    tested = {name: str(value) for name, value in asdict(Limits()).items()}
    assert {name: settings[f"PROXY_{name.upper()}"] for name in tested} == tested


def test_triton_is_reached_through_the_proxy_alone(services: dict[str, Any]) -> None:
    assert not services["triton"].get("ports")
    assert {port["host_ip"] for port in services["proxy"]["ports"]} == {"127.0.0.1"}


def test_the_proxy_may_do_only_what_it_needs(services: dict[str, Any]) -> None:
    proxy = services["proxy"]
    assert proxy["read_only"] and proxy["cap_drop"] == ["ALL"] and not proxy["user"].startswith("0")
    assert all(volume["read_only"] for volume in proxy["volumes"])


def test_what_is_mounted_lies_where_it_is_looked_for(services: dict[str, Any]) -> None:
    sources = [Path(volume["source"]) for volume in services["proxy"]["volumes"]]
    assert sources == [TEMPLATE, ROOT / "secrets"]
