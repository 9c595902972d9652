"""The KServe resources have only fields that KServe's own models know, and Kubernetes' schemas inside them."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.server import start
from files.checkout import ROOT
from tests.deploy.kubernetes.conftest import Manifest, assert_operators_key

RESOURCES = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/kserve/photo-enhancer.yaml").read_text()))
SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float)}


class Models:
    """KServe's Python models, read and not run: they need a hundred packages more."""

    def __init__(self, tools: Path) -> None:
        import kubernetes_validate
        from jsonschema import Draft202012Validator

        self._classes: dict[str, dict[str, str]] = {}
        for path in (tools / "kserve/models").glob("v1*.py"):
            self._classes |= self._read(path)
        schemas = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema/v1.37.0-local-strict"
        self._kubernetes = json.loads((schemas / "_definitions.json").read_text())
        self._validator = Draft202012Validator

    @staticmethod
    def _read(path: Path) -> dict[str, dict[str, str]]:
        found = {}
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                tables = {
                    each.targets[0].id: ast.literal_eval(each.value)
                    for each in node.body
                    if isinstance(each, ast.Assign) and each.targets[0].id in ("openapi_types", "attribute_map")
                }
                found[node.name] = {key: tables["openapi_types"][name] for name, key in tables["attribute_map"].items()}
        return found

    def problems(self, kind: str, value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401
        """What does not follow a type of KServe's models."""
        if inner := re.fullmatch(r"list\[(.+)\]", kind):
            for number, each in enumerate(value):
                yield from self.problems(inner[1], each, f"{path}[{number}]")
        elif inner := re.fullmatch(r"dict\(str, (.+)\)", kind):
            for name, each in value.items():
                yield from self.problems(inner[1], each, f"{path}.{name}")
        elif kind in self._classes:
            for name, each in value.items():
                if name not in self._classes[kind]:
                    yield f"{path}.{name}: {kind} has no such field"
                else:
                    yield from self.problems(self._classes[kind][name], each, f"{path}.{name}")
        elif kind in SCALARS:
            if not isinstance(value, SCALARS[kind]):
                yield f"{path}: {value!r} is no {kind}"
        else:
            yield from self._problems_of_kubernetes(kind, value, path)

    def _problems_of_kubernetes(self, kind: str, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401
        ours = re.compile(rf"(core|meta)\.v1\.{kind.removeprefix('V1')}$")
        (name,) = filter(ours.search, self._kubernetes["$defs"])
        schema = self._kubernetes | {"$ref": f"#/$defs/{name}"}
        for error in self._validator(schema).iter_errors(value):
            yield f"{path}: {error.message}"


@pytest.fixture(scope="module")
def models(tools: Path) -> Models:
    return Models(tools)


def class_of(resource: Manifest) -> str:
    version = resource["apiVersion"].rpartition("/")[2].capitalize()
    return f"{version}{resource['kind']}"


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each["kind"])
def test_the_resources_follow_kserves_models(models: Models, resource: Manifest) -> None:
    assert not list(models.problems(class_of(resource), resource))


def test_mistakes_would_be_found(models: Models) -> None:
    runtime, service = json.loads(json.dumps(RESOURCES))
    runtime["spec"]["containers"][0]["readinessProbes"] = {}
    service["spec"]["predictor"]["model"]["storageURI"] = "oci://x"
    service["spec"]["predictor"]["minReplicas"] = "two"
    assert "readinessProbes" in " ".join(models.problems(class_of(runtime), runtime))
    found = " ".join(models.problems(class_of(service), service))
    assert "storageURI" in found and "'two' is no int" in found


def test_service_and_runtime_belong_together() -> None:
    runtime, service = RESOURCES
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["modelFormat"] in runtime["spec"]["supportedModelFormats"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    (container,) = runtime["spec"]["containers"]
    assert container["name"] == "kserve-container" and "--model-repository=/mnt/models" in container["args"]
    assert f"--http-port={model['ports'][0]['containerPort']}" in container["args"]
    assert "command" not in container  # the image's own: deploy/server/start.py
    assert str(start.CACHE) in {each["mountPath"] for each in container["volumeMounts"]}
    assert_operators_key(container, runtime["spec"]["volumes"])
    assert container["readinessProbe"]["httpGet"]["port"] == model["ports"][0]["containerPort"]
