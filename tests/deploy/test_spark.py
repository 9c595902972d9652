"""deploy/spark and the files it mounts: read by the real docker-compose and systemd, and held together by name."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.container.docker import run_command
from deploy.server import start
from deploy.server.restrictions import FORWARDED_HEADERS, Access
from deploy.server.telemetry import trace_options
from files.checkout import ROOT
from tests.tools import run, tool

SPARK = ROOT / "deploy/spark"
MONITORING = ROOT / "deploy/monitoring"
UNIT = SPARK / "photo-enhancer.service"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file as docker-compose understands it."""
    text = run(tool("docker-compose"), "--file", SPARK / "compose.yaml", "config", "--format", "json")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def loaded(name: str) -> Any:  # noqa: ANN401
    return yaml.safe_load((MONITORING / name).read_text())


def test_a_misspelt_option_of_compose_would_be_found(tmp_path: Path) -> None:
    text = (SPARK / "compose.yaml").read_text().replace("    mem_limit: 64g", "    memory_limit: 64g")
    (tmp_path / "compose.yaml").write_text(text)
    assert "memory_limit" in run(tool("docker-compose"), "--file", tmp_path / "compose.yaml", "config", fails=True)


def test_with_the_proxy_in_front_triton_is_reached_by_nobody_else() -> None:
    """The second file's paths count from the first one's folder."""
    files = [word for name in ("spark", "proxy") for word in ("--file", ROOT / "deploy" / name / "compose.yaml")]
    both = json.loads(run(tool("docker-compose"), *files, "config", "--format", "json"))["services"]
    assert "ports" not in both["triton"]
    mounted = {Path(volume["source"]) for volume in both["proxy"]["volumes"]}
    assert mounted == {ROOT / "deploy/proxy/nginx.conf.template", ROOT / "secrets"}


def test_images_are_pinned_by_version(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if name != "triton":
            assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name


def test_every_port_is_open_to_this_machine_alone(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["published"] for port in ports} >= {"8000", "8001", "9090", "3000"}
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_service_is_limited_unprivileged_and_comes_back(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["mem_limit"]) > 0, name
        assert service["user"].split(":")[0] not in ("", "0", "root"), name
        assert all(volume["read_only"] for volume in service.get("volumes", []) if volume["type"] == "bind"), name


def test_the_memory_limits_fit_the_machine(services: dict[str, dict[str, Any]]) -> None:
    gigabytes = {name: int(service["mem_limit"]) / 2**30 for name, service in services.items()}
    assert sum(gigabytes.values()) < 0.6 * 128


def test_what_is_mounted_is_there(services: dict[str, dict[str, Any]]) -> None:
    mounted = [
        volume["source"] for each in services.values() for volume in each.get("volumes", []) if volume["type"] == "bind"
    ]
    assert len(mounted) >= 7
    assert [path for path in mounted if not Path(path).exists()] == []


def test_triton_runs_as_by_hand(services: dict[str, dict[str, Any]]) -> None:
    """The options of deploy/container/docker.py, the traces of deploy/server/telemetry.py."""
    triton, by_hand = services["triton"], " ".join(run_command("serve", []))
    pages = f"--http-header-forward-pattern={FORWARDED_HEADERS}"
    assert triton["command"] == [*trace_options("http://otel-collector:4318/v1/traces"), pages]
    assert f"--shm-size {int(triton['shm_size']) // 2**30}g" in by_hand
    assert f"memlock={triton['ulimits']['memlock']}" in by_hand
    assert f"stack={triton['ulimits']['stack']}" in by_hand
    assert triton["read_only"] and triton["user"] == "triton-server"
    assert triton["build"]["target"] == "serve"
    assert (Path(triton["build"]["context"]) / triton["build"]["dockerfile"]).is_file()
    assert [each["capabilities"] for each in triton["deploy"]["resources"]["reservations"]["devices"]] == [["gpu"]]
    assert set(start.COMMON) < set(start.OPTIONS)
    assert {str(start.MODELS), str(start.CACHE)} == {each["target"] for each in triton["volumes"]}


def test_the_operators_key_is_mounted_where_the_image_looks(compose: dict[str, Any]) -> None:
    (secret,) = compose["services"]["triton"]["secrets"]
    assert Path("/run/secrets", secret["target"]) == start.OPERATOR_KEY
    made = Access(secrets=ROOT / "secrets").operator_key_file
    assert Path(compose["secrets"][secret["source"]]["file"]) == made
    assert f"AssertPathExists=/opt/photo-enhancer/{made.relative_to(ROOT)}" in UNIT.read_text().splitlines()


def test_health_is_asked_where_an_image_can(services: dict[str, dict[str, Any]]) -> None:
    asked = {name for name, service in services.items() if "healthcheck" in service}
    assert asked == {"prometheus", "blackbox", "grafana"}
    assert "HEALTHCHECK" in (ROOT / "deploy/container/Dockerfile").read_text()  # Triton's own


def test_the_parts_find_each_other(services: dict[str, dict[str, Any]]) -> None:
    """Whatever host a file names is a service."""
    text = "".join(path.read_text() for path in MONITORING.rglob("*.y*ml"))
    text += " ".join(services["triton"]["command"])
    hosts = set(re.findall(r"\b([a-z][a-z-]+):\d{4,5}\b", text))
    assert {"triton", "blackbox", "otel-collector", "jaeger", "prometheus"} <= hosts <= set(services)


def test_the_collectors_pipeline_is_whole() -> None:
    """What the collector itself would refuse: parts that are used are defined, and the other way round."""
    config = loaded("otel-collector.yaml")
    assert set(config) == {"receivers", "processors", "exporters", "service"}
    for kind in ("receivers", "processors", "exporters"):
        used = {each for pipeline in config["service"]["pipelines"].values() for each in pipeline[kind]}
        assert used == set(config[kind]), kind
    assert set(config["receivers"]["otlp"]["protocols"]) == {"grpc", "http"}
    limiter = config["processors"]["memory_limiter"]
    assert limiter["spike_limit_mib"] < limiter["limit_mib"] < 512


def test_grafana_is_given_what_is_mounted(services: dict[str, dict[str, Any]]) -> None:
    targets = {volume["target"] for volume in services["grafana"]["volumes"]}
    (provider,) = loaded("grafana/provisioning/dashboards/files.yml")["providers"]
    assert provider["options"]["path"] in targets
    (source,) = loaded("grafana/provisioning/datasources/prometheus.yml")["datasources"]
    dashboard = json.loads((MONITORING / "grafana/dashboards/photo-enhancer.json").read_text())
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} == {source["uid"]}


def verify(unit: str, folder: Path, fails: bool = False) -> str:
    """What systemd says of a unit."""
    (folder / UNIT.name).write_text(unit)
    (folder / "docker.service").write_text(
        "[Service]\nExecStart=/bin/true\n"
    )  # Docker's own, where it is not installed
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:"}
    return run(tool("systemd-analyze"), "verify", folder / UNIT.name, fails=fails, environment=environment)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    tool("docker")  # systemd looks for the program that the unit starts
    assert verify(UNIT.read_text(), tmp_path) == ""


def test_systemd_would_find_a_misspelt_unit(tmp_path: Path) -> None:
    assert "dokker" in verify(UNIT.read_text().replace("docker compose up", "dokker"), tmp_path, fails=True)


def test_the_unit_and_the_page_name_the_same_place() -> None:
    unit = UNIT.read_text()
    folder = re.findall(r"^WorkingDirectory=(.*)$", unit, re.MULTILINE)
    assert folder == ["/opt/photo-enhancer/deploy/spark"]
    assert "/opt/photo-enhancer" in (SPARK / "README.md").read_text()
