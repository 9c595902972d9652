"""The proxy in containers is the proxy of the tests: same template, same limits. It was not run in Docker."""

from dataclasses import asdict

import yaml

from deploy.launcher import ROOT
from deploy.proxy import Limits
from deploy.proxy.nginx import PLACEHOLDER, TEMPLATE


class Loader(yaml.SafeLoader):
    """Knows the tag by which one compose file takes back what another says."""


Loader.add_constructor("!reset", lambda loader, node: "reset")
SERVICES = yaml.load((ROOT / "deploy/proxy/compose.yaml").read_text(), Loader)["services"]
SETTINGS = {name: value for name, value in SERVICES["proxy"]["environment"].items() if name.startswith("PROXY_")}


def test_every_placeholder_is_filled_in() -> None:
    assert set(PLACEHOLDER.findall(TEMPLATE.read_text())) == set(SETTINGS)


def test_limits_are_the_tested_ones() -> None:
    assert {name: SETTINGS[f"PROXY_{name.upper()}"] for name in asdict(Limits())} == asdict(Limits())


def test_triton_is_reached_through_the_proxy_alone() -> None:
    assert SERVICES["triton"]["ports"] == "reset"
    assert SERVICES["proxy"]["ports"] == ["${PROXY_HOST:-127.0.0.1}:8443:8443"]


def test_the_proxy_has_no_rights_that_it_does_not_need() -> None:
    proxy = SERVICES["proxy"]
    assert proxy["read_only"] and proxy["cap_drop"] == ["ALL"] and not proxy["user"].startswith("0")
    assert all(volume.endswith(":ro") for volume in proxy["volumes"])
