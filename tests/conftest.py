"""Real servers for the tests, started once: the shipped repository, and one whose networks change nothing."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from deploy.server import MODEL_REPOSITORY, TritonServer
from pixels.versions import NETWORKS, ONNX_NAME
from tests.photos import identity_onnx

# A shell has Ctrl-C ignored in background jobs, and children inherit that; the tests that press it need it to work.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer]:
    """The real tritonserver on free ports, with the model that ships."""
    with TritonServer(log=tmp_path_factory.mktemp("server") / "server.log") as running:
        yield running


@pytest.fixture(scope="session")
def identity_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the model repository whose networks change nothing."""
    repository = tmp_path_factory.mktemp("identity") / "model_repository"
    shutil.copytree(MODEL_REPOSITORY, repository)
    for network in NETWORKS:
        onnx.save(identity_onnx(network), repository / network / "1" / ONNX_NAME)
    return repository


@pytest.fixture(scope="session")
def identity_server(identity_repository: Path) -> Iterator[TritonServer]:
    """The real tritonserver with networks that change nothing."""
    with TritonServer(repository=identity_repository, log=identity_repository.parent / "server.log") as running:
        yield running
