"""A new version comes to two servers behind the real proxy, and no request fails."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from clients import Enhancer, Retry, Tls, api_key
from clients.errors import EnhanceError
from deploy.access import keys
from deploy.access.certificates import Certificates, make
from deploy.proxy import Limits, Proxy
from deploy.proxy.rollout import roll_out, urls
from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from export import publish
from files.checkout import ROOT
from tests.photos import decoded, encoded, identity_onnx, photo
from tests.tools import tool

PHOTO = encoded(photo(96, 64) // 2)
BRIGHTER = 10.0


def brighter_onnx() -> onnx.ModelProto:
    """The next version: every curve a little brighter."""
    model = identity_onnx("generator")
    model.graph.node[-1].output[0] = "same"
    model.graph.node.append(helper.make_node("Add", ["same", "light"], ["CURVES"]))
    model.graph.initializer.append(helper.make_tensor("light", onnx.TensorProto.FLOAT, [1], [0.2]))
    return model


class Traffic:
    """Requests on both protocols all the time, none tried again."""

    def __init__(self, proxy: Proxy, key: str) -> None:
        self.versions: list[int] = []
        self.failures: list[str] = []
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(url, proxy.certificates, key))
            for url in (proxy.grpcs_url, proxy.https_url)
        ]

    def _send(self, url: str, certificates: Certificates, key: str) -> None:
        before = decoded(PHOTO).mean()
        settings = {"tls": Tls(certificates.authority), "headers": api_key(key), "retry": Retry(attempts=1)}
        with Enhancer(url, **settings) as enhancer:
            while not self._done.wait(0.05):
                try:
                    answer = decoded(enhancer.enhance(PHOTO, mode="fast").data).mean()
                    self.versions.append(1 + (np.abs(answer - before) > BRIGHTER))
                except EnhanceError as error:
                    self.failures.append(f"{url}: {error}")

    def wait_for(self, count: int) -> None:
        """Until so many more are answered."""
        end = len(self.versions) + len(self.failures) + count
        while len(self.versions) + len(self.failures) < end:
            time.sleep(0.05)

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def repository(identity_repository: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "model_repository"
    shutil.copytree(identity_repository, copy)
    return copy


@pytest.fixture
def servers(repository: Path, tmp_path: Path) -> Iterator[list[TritonServer]]:
    """Two, of one repository."""
    with (
        TritonServer(repository=repository, log=tmp_path / "first.log") as first,
        TritonServer(repository=repository, log=tmp_path / "second.log") as second,
    ):
        yield [first, second]
        for server in (first, second):
            server.stop(timeout_s=0)  # nobody waits for these to stop nicely


def test_no_request_fails_while_a_version_is_rolled_out(
    repository: Path, servers: list[TritonServer], tmp_path: Path
) -> None:
    tool("nginx")
    make(["127.0.0.1"], certificates := Certificates(tmp_path / "secrets"))
    key = keys.add("studio", tmp_path / "secrets/api-keys")
    proxy = Proxy(
        [urls(server) for server in servers],
        certificates=certificates,
        keys=tmp_path / "secrets/api-keys",
        limits=Limits(rate="100r/s"),
    )
    with proxy, Traffic(proxy, key) as traffic:
        traffic.wait_for(6)
        onnx.save(brighter_onnx(), tmp_path / "model.onnx")
        published = {"generator": tmp_path / "model.onnx", "refiner": repository / "refiner/1/model.onnx"}
        publish.write_folders({repository / name / "2": {"model.onnx": path} for name, path in published.items()})
        assert set(traffic.versions) == {1}  # running servers keep what they have
        roll_out(proxy, servers)
        rolled_out = len(traffic.versions)
        traffic.wait_for(12)
    assert traffic.failures == []
    assert set(traffic.versions[rolled_out + 2 :]) == {2}  # two were under way


def test_one_server_alone_cannot_be_rolled_out_without_a_pause(identity_server: TritonServer) -> None:
    with pytest.raises(ValueError, match="two servers"):
        roll_out(Proxy([urls(identity_server)]), [identity_server])


def test_the_command_starts_two_servers_and_rolls_out_on_sighup(tmp_path: Path) -> None:
    tool("nginx")
    make(["127.0.0.1"], Certificates(tmp_path))
    key = keys.add("studio", tmp_path / keys.FILE_NAME)
    port, settings = Ports.free().http, {"tls": Tls(tmp_path / "ca.pem"), "retry": Retry(attempts=1)}
    command = [sys.executable, "-m", "deploy.proxy", "--servers", "2", "--secrets", str(tmp_path), "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith(f"ready: https://127.0.0.1:{port} ")
        assert process.stdout.readline().startswith(f"kill -HUP {process.pid} ")
        with Enhancer(f"grpcs://127.0.0.1:{port}", headers=api_key(key), **settings) as enhancer:
            enhancer.enhance(PHOTO, mode="fast")
            process.send_signal(signal.SIGHUP)
            assert process.stdout.readline() == "rolled out\n"
            enhancer.enhance(PHOTO, mode="fast")
        process.send_signal(signal.SIGINT)
        assert (process.stdout.read(), process.wait(60)) == ("stopped\n", 0)


def test_one_server_is_no_pool() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.proxy", "--servers", "1"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.startswith("error: --servers 1: two or more")
