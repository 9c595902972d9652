"""Prometheus reads the rules, the alerts fire when they should, and every query of the dashboard finds what it names.

Real programs: promtool, Prometheus and the blackbox exporter (Debian), and tritonserver, whose metrics they read.
"""

import json
import math
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients import Enhancer
from clients.errors import PhotoError, UnavailableError
from clients.retry import Retry
from deploy.server.stubs import INSTANCE, children, is_stub, read
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.photos import encoded, photo
from tests.tools import run, tool

MONITORING = ROOT / "deploy/monitoring"
DASHBOARD = json.loads((MONITORING / "grafana/dashboards/photo-enhancer.json").read_text())
QUERIES = [
    pytest.param(target["expr"], target["legendFormat"], id=f"{panel['title']}-{target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]
ONLY_WITH_A_GPU = {"nv_gpu_utilization"}
"""In Triton's documentation (docs/user_guide/metrics.md), and not on a machine without a GPU."""
RATE_INTERVAL = "20s"


def test_promtool_takes_the_configuration() -> None:
    run(tool("promtool"), "check", "config", MONITORING / "prometheus.yml")


def test_alerts_fire_when_they_should_and_only_then() -> None:
    run(tool("promtool"), "test", "rules", MONITORING / "alerts.test.yml")


def test_a_wrong_threshold_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "alerts.yml").write_text((MONITORING / "alerts.yml").read_text().replace("> 0.05", "> 0.5"))
    (tmp_path / "alerts.test.yml").write_text((MONITORING / "alerts.test.yml").read_text())
    assert "ManyErrors" in run(tool("promtool"), "test", "rules", tmp_path / "alerts.test.yml", fails=True)


def test_every_alert_is_tested_both_ways_and_says_what_to_do() -> None:
    rules = [rule for group in loaded("alerts.yml")["groups"] for rule in group["rules"] if "alert" in rule]
    cases = [case for test in loaded("alerts.test.yml")["tests"] for case in test.get("alert_rule_test", [])]
    names = {rule["alert"] for rule in rules}
    assert names == {case["alertname"] for case in cases if case.get("exp_alerts")}
    assert names == {case["alertname"] for case in cases if not case.get("exp_alerts")}
    assert all(set(rule["annotations"]) == {"summary", "action"} for rule in rules)


def loaded(name: str) -> Any:  # noqa: ANN401
    return yaml.safe_load((MONITORING / name).read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Prometheus:
    """One that has watched a server at work."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Series now, those without a value left out."""
        text = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{text}", timeout=10) as answer:
            series: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return [each for each in series if not math.isnan(float(each["value"][1]))]

    def wait_for(self, expression: str) -> list[dict[str, Any]]:
        deadline_s = time.monotonic() + 60
        while time.monotonic() < deadline_s:
            try:
                if series := self.query(expression):
                    return series
            except OSError:  # not listening yet
                pass
            time.sleep(0.2)
        raise AssertionError(f"nothing for {expression}")


def configured(folder: Path, server: TritonServer, blackbox: str) -> Path:
    """The shipped configuration with this test's addresses, asking every second."""
    text = (MONITORING / "prometheus.yml").read_text()
    for name, address in {
        "http://triton:8000": server.http_url,
        "triton:8002": f"127.0.0.1:{server.ports.metrics}",
        "blackbox:9115": blackbox,
    }.items():
        assert name in text
        text = text.replace(name, address)
    config = yaml.safe_load(text)
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "alerts.yml").write_text((MONITORING / "alerts.yml").read_text().replace("interval: 15s", "interval: 1s"))
    return folder / "prometheus.yml"


@pytest.fixture(scope="module")
def prometheus(identity_server: TritonServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus with the shipped rules, after photos and a file that is none."""
    folder = tmp_path_factory.mktemp("prometheus")
    probe, port = f"127.0.0.1:{free_port()}", free_port()
    commands = (
        [
            tool("prometheus-blackbox-exporter"),
            f"--config.file={MONITORING / 'blackbox.yml'}",
            f"--web.listen-address={probe}",
        ],
        [
            tool("prometheus"),
            f"--config.file={configured(folder, identity_server, probe)}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
    )
    with (folder / "log").open("wb") as log:
        running = [subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) for command in commands]
        try:
            watched = Prometheus(f"http://127.0.0.1:{port}")
            watch_photos(watched, identity_server)
            yield watched
        finally:
            for each in running:
                each.terminate()
                each.wait(20)


def watch_photos(watched: Prometheus, server: TritonServer) -> None:
    """Photos twice, since a rate takes two values of a counter."""
    with Enhancer(server.http_url) as enhancer:
        for _ in range(2):
            for mode in ("fast", "full"):
                enhancer.enhance(encoded(photo(900, 700)), mode=mode)
            with pytest.raises(PhotoError):
                enhancer.enhance(b"not a photo")
            seen = watched.wait_for('sum(enhancer_failures_total{reason="bad_request"})')
            until = float(seen[0]["value"][0]) + 1.5
            watched.wait_for(f"(timestamp(min(up)) > {until}) and min(timestamp(nv_cpu_utilization)) > {until}")
    watched.wait_for("enhancer:error_ratio:rate5m")


@pytest.mark.parametrize(("expression", "legend"), QUERIES)
def test_every_query_of_the_dashboard_finds_what_it_names(expression: str, legend: str, prometheus: Prometheus) -> None:
    series = prometheus.query(expression.replace("$__rate_interval", RATE_INTERVAL))  # refuses what does not parse
    if any(name in expression for name in ONLY_WITH_A_GPU):
        return
    assert series
    labels = set(re.findall(r"{{(\w+)}}", legend))
    assert all(labels <= set(each["metric"]) for each in series)


def test_every_metric_of_the_rules_is_the_servers(prometheus: Prometheus) -> None:
    expressions = " ".join(rule["expr"] for group in loaded("alerts.yml")["groups"] for rule in group["rules"])
    names = set(re.findall(r"\b(?:nv|enhancer|probe)_\w+|\bup\b", expressions))
    assert len(names) > 8
    for name in names:
        assert prometheus.query(name), name


def test_the_numbers_are_right(prometheus: Prometheus, identity_server: TritonServer) -> None:
    """Of what the dashboard shows, what is known: the server is ready, no error, tiles come in batches of at most 8."""
    values = {
        panel["title"]: prometheus.query(panel["targets"][0]["expr"].replace("$__rate_interval", RATE_INTERVAL))
        for panel in DASHBOARD["panels"]
        if panel["title"] in ("Ready", "Errors", "Tiles in a batch", "Alerts")
    }
    number = {title: float(series[0]["value"][1]) for title, series in values.items()}
    assert (number["Ready"], number["Errors"], number["Alerts"]) == (1, 0, 0)
    assert 1 <= number["Tiles in a batch"] <= 8


def test_a_dead_model_is_counted_as_the_alert_expects(identity_repository: Path, tmp_path: Path) -> None:
    """Without the watchdog, for which a dead model is a dead server."""
    with TritonServer(repository=identity_repository, log=tmp_path / "log") as server:
        assert server.process is not None
        for process in filter(is_stub, children(server.process.pid)):
            if stub_name(process).startswith("encode_"):
                os.kill(process, signal.SIGKILL)
        with Enhancer(server.http_url, retry=Retry(attempts=1)) as enhancer:
            for _ in range(3):
                with pytest.raises(UnavailableError, match="not healthy"):
                    enhancer.enhance(encoded(photo(90, 70)))
        page = urllib.request.urlopen(server.metrics_url, timeout=10).read().decode()
        ready = server.is_ready()
        server.stop(0)  # it would wait in vain for its dead model
    assert ready, "else the alert ServerNotReady would do"
    died = re.findall(r'^nv_inference_request_failure{(?=.*"BACKEND").*model="(\w+)".* ([1-9]\d*)$', page, re.MULTILINE)
    assert died == [("encode", "3")]


def stub_name(process: int) -> str:
    """The model's instance that a process runs."""
    return read(process, "cmdline").split("\0")[INSTANCE]


def test_the_dashboards_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells
