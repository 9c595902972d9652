"""The Helm chart: valid for Kubernetes, at one with itself, and with what the real server exposes."""

import re
import urllib.request
from pathlib import Path

import pytest
import yaml

from deploy.server import start
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.deploy.kubernetes.conftest import CHART, VARIANTS, Manifest, assert_operators_key, helm
from tests.tools import run, tool

KUBERNETES = ("1.33", "1.37")  # the oldest that the chart takes, and the newest that there are schemas for
ADAPTER = yaml.safe_load((ROOT / "deploy/kubernetes/helm/prometheus-adapter.yaml").read_text())["rules"]["custom"]


def pod(manifests: list[Manifest]) -> Manifest:
    return next(each for each in manifests if each["kind"] == "Deployment")["spec"]["template"]


def test_helm_finds_nothing_to_complain_about(tools: Path) -> None:
    answer = helm("lint", "--strict", str(CHART))
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_manifest_follows_the_schema_of_kubernetes(
    charts: dict[str, list[Manifest]], variant: str, version: str
) -> None:
    import kubernetes_validate

    for manifest in charts[variant]:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_all_parts_are_there(chart: dict[str, Manifest]) -> None:
    others = {"HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy"}
    assert chart.keys() == {"Deployment", "Service", "Headless", *others}
    assert chart["Headless"]["spec"]["clusterIP"] == "None"


def test_every_selector_finds_the_pods(chart: dict[str, Manifest]) -> None:
    labels = chart["Deployment"]["spec"]["template"]["metadata"]["labels"].items()
    selectors = [chart[kind]["spec"]["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")]
    selectors += [chart[kind]["spec"]["selector"] for kind in ("Service", "Headless")]
    selectors += [chart["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]]
    assert all(selector.items() <= labels for selector in selectors)
    assert all(selector for selector in selectors)


def test_every_port_is_a_port_of_the_container(chart: dict[str, Manifest]) -> None:
    (container,) = chart["Deployment"]["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8000, "grpc": 8001, "metrics": 8002}
    used = [container[f"{probe}Probe"]["httpGet"]["port"] for probe in ("startup", "readiness", "liveness")]
    used += [port["targetPort"] for kind in ("Service", "Headless") for port in chart[kind]["spec"]["ports"]]
    used += [port["port"] for rule in chart["NetworkPolicy"]["spec"]["ingress"] for port in rule["ports"]]
    assert set(used) == set(ports)


@pytest.mark.parametrize("variant", VARIANTS)
def test_pods_have_no_privilege(charts: dict[str, list[Manifest]], variant: str) -> None:
    spec = pod(charts[variant])["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"]
    for container in [*spec["containers"], *spec.get("initContainers", [])]:
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True and security["allowPrivilegeEscalation"] is False
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
    (models,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "models"]
    assert models["readOnly"] is True


def test_no_photo_leaves_the_pods_by_themselves(chart: dict[str, Manifest]) -> None:
    policy = chart["NetworkPolicy"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"} and policy["egress"] == []
    assert all(rule["from"] for rule in policy["ingress"])


@pytest.mark.parametrize("variant", VARIANTS)
def test_models_have_one_source_which_is_mounted_where_the_image_serves_from(
    charts: dict[str, list[Manifest]], variant: str
) -> None:
    spec = pod(charts[variant])["spec"]
    (volume,) = [each for each in spec["volumes"] if each["name"] == "models"]
    assert ("image" in volume) != ("emptyDir" in volume)
    assert ("emptyDir" in volume) == ("initContainers" in spec)
    (mount,) = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "models"]
    assert mount["mountPath"] == str(start.MODELS)
    assert str(start.CACHE) in {each["mountPath"] for each in spec["containers"][0]["volumeMounts"]}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_operators_key_is_a_secret_mounted_where_the_image_looks(
    charts: dict[str, list[Manifest]], variant: str
) -> None:
    """And no argument, which anybody who may look at pods reads."""
    spec = pod(charts[variant])["spec"]
    assert_operators_key(spec["containers"][0], spec["volumes"])


def test_a_replica_has_time_to_finish_its_photos(chart: dict[str, Manifest]) -> None:
    spec = chart["Deployment"]["spec"]["template"]["spec"]
    (exit_s,) = (int(each.partition("=")[2]) for each in start.OPTIONS if each.startswith("--exit-timeout-secs="))
    pause_s = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert spec["terminationGracePeriodSeconds"] > exit_s + pause_s


def test_replicas_are_added_by_a_metric_that_the_adapter_makes(chart: dict[str, Manifest]) -> None:
    scaler = chart["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == chart["Deployment"]["metadata"]["name"]
    assert "replicas" not in chart["Deployment"]["spec"]  # two hands on one wheel
    assert [metric["pods"]["metric"]["name"] for metric in scaler["metrics"]] == [
        rule["name"]["as"] for rule in ADAPTER
    ]


def test_the_adapters_metrics_are_the_servers(identity_server: TritonServer) -> None:
    (rule,) = ADAPTER
    with urllib.request.urlopen(identity_server.metrics_url, timeout=5) as answer:
        served = set(re.findall(r'^(\w+)\{model="tiler",', answer.read().decode(), re.MULTILINE))
    named = set(re.findall(r"\b(nv_\w+)\{", rule["seriesQuery"] + rule["metricsQuery"]))
    assert len(named) == 2 and named <= served


def test_the_adapters_query_says_how_long_photos_wait_in_each_pod(tmp_path: Path) -> None:
    """Pods `busy` (three photos a second, 2 s each), `idle` (no photo), and another model's queue."""
    query = ADAPTER[0]["metricsQuery"].replace("<<.GroupBy>>", "namespace, pod")
    query = query.replace("<<.LabelMatchers>>", 'namespace="studio",pod=~"busy|idle"')
    labels = '{{model="{}",namespace="studio",pod="{}"}}'.format
    series = {
        f"nv_inference_queue_duration_us{labels('tiler', 'busy')}": "0+180000000x10",  # each half minute
        f"nv_inference_request_success{labels('tiler', 'busy')}": "0+90x10",
        f"nv_inference_queue_duration_us{labels('tiler', 'idle')}": "5000000+0x10",
        f"nv_inference_request_success{labels('tiler', 'idle')}": "40+0x10",
        f"nv_inference_queue_duration_us{labels('generator', 'idle')}": "0+900000000x10",
    }
    expected = [
        {"labels": f'{{namespace="studio",pod="{pod}"}}', "value": value} for pod, value in (("busy", 2), ("idle", 0))
    ]
    case = {
        "interval": "30s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": query, "eval_time": "5m", "exp_samples": expected}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"tests": [case]}))
    run(tool("promtool"), "test", "rules", tmp_path / "test.yml")


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("--set=gpus=0", "gpus"),
        ("--set=image.tag=latest", "tag"),
        ("--set=modles.image=x", "modles"),
        ("--set=models.image=", "where is the model repository"),
        ("--set=models.objectStorage.source=models", "source"),
    ],
)
def test_a_mistake_in_the_values_is_named(tools: Path, mistake: str, told: str) -> None:
    answer = helm("template", "studio", str(CHART), mistake)
    assert answer.returncode and told in answer.stderr
