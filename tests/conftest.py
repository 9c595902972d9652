"""Real servers for the tests, started once: the shipped repository, and one whose networks change nothing."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest

from deploy.measuring.targets import server as server_of
from deploy.server.triton import TritonServer
from files.checkout import MODEL_REPOSITORY
from serving.versions import NETWORKS, ONNX_NAME
from tests.photos import identity_onnx
from tests.running import Running
from tests.tools import FETCHED

# Programs that were fetched for the tests (tests/tools.sh) come behind those that the system has.
os.environ["PATH"] = os.pathsep.join(
    [os.environ["PATH"], "/usr/sbin", *(f"{FETCHED}/usr/{bin}" for bin in ("bin", "sbin"))]
)
# A shell has Ctrl-C ignored in background jobs, and children inherit that; the tests that press it need it to work.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--url", help="test a server that runs already, grpc://host:8001, in place of starting one")
    parser.addoption("--profile", choices=("cpu", "gpu"), default="cpu", help="gpu: test the GPU profile's container")


@pytest.fixture(scope="session")
def running(pytestconfig: pytest.Config) -> Iterator[Running | None]:
    """The server that the options name; None where the tests start their own, with the CPU profile."""
    url, profile = pytestconfig.getoption("--url"), pytestconfig.getoption("--profile")
    if url is None and profile == "cpu":
        yield None
        return
    with server_of(profile, url) as target:
        yield Running(target)


@pytest.fixture(scope="session")
def server(running: Running | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TritonServer | Running]:
    """The real tritonserver on free ports, with the models that ship."""
    if running is not None:
        yield running
        return
    with TritonServer(log=tmp_path_factory.mktemp("server") / "server.log") as own:
        yield own


@pytest.fixture(scope="session")
def identity_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the model repository whose networks change nothing."""
    repository = tmp_path_factory.mktemp("identity") / "model_repository"
    shutil.copytree(MODEL_REPOSITORY, repository)
    for network in NETWORKS:
        onnx.save(identity_onnx(network), repository / network / "1" / ONNX_NAME)
    return repository


@pytest.fixture(scope="session")
def identity_server(running: Running | None, request: pytest.FixtureRequest) -> Iterator[TritonServer | Running]:
    """The real tritonserver with networks that change nothing; a running one is asked for strength 0 (tests/server)."""
    if running is not None:
        yield running
        return
    repository: Path = request.getfixturevalue("identity_repository")
    with TritonServer(repository=repository, log=repository.parent / "server.log") as own:
        yield own
