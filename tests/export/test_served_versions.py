"""The real server reads version folders as publishing writes them, and serves networks of one version or none."""

import shutil
from pathlib import Path

import pytest
from tritonclient import grpc

from clients import Enhancer, Retry
from clients.errors import UnavailableError
from deploy.server import TritonServer
from export import publish
from serving.versions import NETWORKS, common_versions
from tests.photos import decoded, encoded, photo


@pytest.fixture
def repository(identity_repository: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "model_repository"
    shutil.copytree(identity_repository, copy)
    for version in ("2", "3"):
        publish.write_folders(
            {copy / name / version: {"model.onnx": copy / name / "1/model.onnx"} for name in NETWORKS}
        )
    return copy


def serves(server: TritonServer, version: int) -> bool:
    """Whether all networks are ready in this version."""
    client = grpc.InferenceServerClient(f"127.0.0.1:{server.ports.grpc}")
    return all(client.is_model_ready(name, str(version)) for name in NETWORKS)


def test_the_newest_version_serves_and_a_withdrawn_one_does_not(repository: Path, tmp_path: Path) -> None:
    assert publish.rollback(repository) == (3, 2)
    assert common_versions(repository) == [2, 1]
    before = photo(600, 60)
    with TritonServer(repository=repository, log=tmp_path / "server.log") as server:
        assert [version for version in (1, 2, 3) if serves(server, version)] == [2]
        publish.write_folders(
            {repository / name / "4": {"model.onnx": repository / name / "1/model.onnx"} for name in NETWORKS}
        )
        with Enhancer(server.grpc_url) as enhancer:
            after = decoded(enhancer.enhance(encoded(before, "PNG")).data)
    assert (after == before).all()


def test_networks_of_two_versions_edit_no_photo(repository: Path, tmp_path: Path) -> None:
    """A crash between the two renames of a rollback, and a server that starts right then."""
    (repository / "generator/3").rename(repository / "generator/withdrawn-3")
    with (
        TritonServer(repository=repository, log=tmp_path / "server.log") as server,
        Enhancer(server.grpc_url, retry=Retry(attempts=1)) as enhancer,
        pytest.raises(UnavailableError, match="restart the server"),
    ):
        enhancer.enhance(encoded(photo(60, 60)))
    assert publish.rollback(repository) == (3, 2)  # which ends what the crash has left
    assert {publish.versions(repository / name) == {1, 2} for name in NETWORKS} == {True}
