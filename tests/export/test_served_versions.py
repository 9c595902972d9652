"""The real server reads version folders as publishing writes them."""

import json
import shutil
import urllib.request
from pathlib import Path

from deploy.server import TritonServer
from export import publish


def test_the_newest_version_serves_and_a_withdrawn_one_does_not(identity_repository: Path, tmp_path: Path) -> None:
    repository = tmp_path / "model_repository"
    shutil.copytree(identity_repository, repository)
    generator = repository / "generator"
    model = generator / "1" / "model.onnx"
    for version in (2, 3):
        publish._write_folder(generator / str(version), {"model.onnx": model, "manifest.json": model})
    assert publish.rollback(generator) == (3, 2)
    with TritonServer(repository=repository, log=tmp_path / "server.log") as server:
        request = urllib.request.Request(f"{server.http_url}/v2/repository/index", data=b"{}")
        with urllib.request.urlopen(request) as answer:
            models = {model["name"]: (model.get("version"), model.get("state")) for model in json.load(answer)}
    assert models["generator"] == ("2", "READY")
