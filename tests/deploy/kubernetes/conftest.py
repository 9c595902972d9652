"""The chart, rendered by Helm itself."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.server import start
from deploy.server.restrictions import HTTP_HEADER
from files.checkout import ROOT

CHART = ROOT / "deploy/kubernetes/helm/photo-enhancer"
TOOLS = ROOT / ".venv-kubernetes"
HELM = TOOLS / "helm/helm"
Manifest = dict[str, Any]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def assert_operators_key(container: Manifest, volumes: list[Manifest]) -> None:
    """A container has the operator's key as a file of a Secret, which may be missing, and not in its arguments."""
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    (volume,) = [each for each in volumes if each["name"] == mounts[str(start.OPERATOR_KEY.parent)]]
    assert volume["secret"]["secretName"] == "photo-enhancer-operator" and volume["secret"]["optional"]
    assert not volume["secret"]["defaultMode"] & 0o222
    assert HTTP_HEADER not in " ".join(container.get("args", []))


@pytest.fixture(scope="session", autouse=True)
def tools() -> Path:
    """Helm and the schemas, or a reason why not."""
    pytest.importorskip("kubernetes_validate", reason="no schemas of Kubernetes: make setup PART=kubernetes")
    try:
        subprocess.run([HELM, "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no Helm here: make setup PART=kubernetes (x86-64)")
    return TOOLS


VARIANTS: dict[str, tuple[str, ...]] = {
    "as shipped": (),
    "models from an object store": ("--set=models.objectStorage.source=s3://models/photo-enhancer/1",),
    "no autoscaling, no policy": ("--set=autoscaling.enabled=false", "--set=network.enabled=false"),
    "every option": (
        "--set=image.pullSecrets[0].name=registry",
        "--set=runtimeClassName=nvidia",
        "--set=nodeSelector.gpu=gb10",
        "--set=arguments={--trace-config=rate=0,--log-verbose=0}",
        "--set-string=autoscaling.queueSeconds=500m",
    ),
}


def rendered(variant: str) -> list[Manifest]:
    answer = helm("template", "studio", str(CHART), *VARIANTS[variant])
    assert answer.returncode == 0, answer.stderr
    return [manifest for manifest in yaml.safe_load_all(answer.stdout) if manifest]


@pytest.fixture(scope="session")
def charts(tools: Path) -> dict[str, list[Manifest]]:
    """The manifests of every variant."""
    return {variant: rendered(variant) for variant in VARIANTS}


@pytest.fixture(scope="session")
def chart(charts: dict[str, list[Manifest]]) -> dict[str, Manifest]:
    """The shipped variant's manifests by kind; of services the HTTP one, and Headless."""
    kinds = {manifest["kind"]: manifest for manifest in charts["as shipped"] if manifest["kind"] != "Service"}
    services = {
        manifest["metadata"]["name"]: manifest for manifest in charts["as shipped"] if manifest["kind"] == "Service"
    }
    return kinds | {"Service": services["studio"], "Headless": services["studio-grpc"]}
