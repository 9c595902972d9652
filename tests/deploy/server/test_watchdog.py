"""A dead or hung model is loaded again; a server that cannot be helped is ended."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clients import Enhancer, Retry
from deploy.server import watchdog
from deploy.server.model_control import KEY_HEADER, ModelControl, with_secrets
from deploy.server.ports import Ports
from deploy.server.stubs import STUB, instance_of, living_stubs, model_of
from deploy.server.triton import ServerDied, TritonServer
from deploy.server.watchdog import Watchdog
from files.checkout import ROOT
from tests.photos import encoded, photo

MODELS = ("decode", "tiler", "generator", "refiner", "encode")
PHOTO = encoded(photo(96, 64))

# A server as the watchdog sees it: it is live, and its child looks like a stub, which ends soon. It cannot load models.
WATCHDOG = [sys.executable, "-m", "deploy.server.watchdog"]
PRETENDER = f"import ctypes, time; ctypes.CDLL(None).prctl(15, b'{STUB}'); time.sleep(2)"
HALF_A_SERVER = f"""
import http.server, subprocess, sys
class Live(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
stub = subprocess.Popen([sys.executable, "-c", {PRETENDER!r}, *"34567", "tiler_0_0"])
port = next(each for each in sys.argv if each.startswith("--http-port="))
http.server.HTTPServer(("127.0.0.1", int(port.partition("=")[2])), Live).serve_forever()
"""


@dataclass
class Looked:
    """A real server, and the watchdog of its launcher, which looks after it in a thread."""

    server: TritonServer
    watching: threading.Thread
    reasons: list[str]

    def stub(self, model: str) -> int:
        """Process id of a model's newest instance."""
        stubs = living_stubs(self.server.process.pid)
        return max(stub for stub in stubs if model_of(instance_of(stub)) == model)

    def has_a_new(self, model: str, old: int) -> bool:
        """Whether all of a model's instances are there, without the old one."""
        found = {stub for stub in living_stubs(self.server.process.pid) if model_of(instance_of(stub)) == model}
        return bool(found) and old not in found


@pytest.fixture(scope="module")
def looked_after(identity_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    with TritonServer(repository=identity_repository, log=tmp_path_factory.mktemp("watched") / "log") as server:
        reasons: list[str] = []

        def watch() -> None:
            with pytest.raises(ServerDied) as death:
                server.wait()
            reasons.append(str(death.value))

        watching = threading.Thread(target=watch)
        watching.start()
        yield Looked(server, watching, reasons)
        server.process.kill()
        watching.join()


@pytest.mark.parametrize("harm", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("model", MODELS)
def test_a_dead_or_hung_model_is_loaded_again_and_the_server_stays(
    looked_after: Looked, model: str, harm: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "RELOADS", 100)
    server, victim = looked_after.server.process.pid, looked_after.stub(model)
    os.kill(victim, harm)
    with Enhancer(looked_after.server.grpc_url, retry=Retry(attempts=30), timeout_s=60) as enhancer:
        enhancer.enhance(PHOTO, mode="full")
        while not (looked_after.has_a_new(model, victim) and looked_after.server.is_ready()):
            enhancer.enhance(PHOTO, mode="full")
    assert looked_after.server.process.pid == server and not looked_after.reasons


def test_a_server_is_not_ready_while_a_model_that_crashed_is_loaded_again(
    looked_after: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the log says what Python was doing when it crashed."""
    monkeypatch.setattr(watchdog, "RELOADS", 100)
    ask, was_ready, loaded = ModelControl._ask, list[bool](), threading.Event()

    def asked(control: ModelControl, path: str, *more: object) -> None:
        ask(control, path, *more)
        if path.endswith("/unload"):
            was_ready.append(looked_after.server.is_ready())
        if path.endswith("/load"):
            loaded.set()

    monkeypatch.setattr(ModelControl, "_ask", asked)
    os.kill(looked_after.stub("encode"), signal.SIGSEGV)
    assert loaded.wait(120) and was_ready == [False] and looked_after.server.is_ready()
    assert "Fatal Python error: Segmentation fault" in looked_after.server.log.read_text(errors="replace")


def test_a_server_with_too_many_dead_models_is_ended_to_get_its_memory_back(
    looked_after: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "RELOADS", 0)
    os.kill(looked_after.stub("encode"), signal.SIGKILL)
    looked_after.watching.join(60)
    assert looked_after.reasons[0].startswith("a Python model died: encode")


def test_model_control_is_the_watchdogs_alone(identity_server: TritonServer) -> None:
    """Whoever could load models could run programs."""
    url = f"{identity_server.http_url}/v2/repository"
    for action in ("index", "models/enhance/load", "models/enhance/unload"):
        for headers in ({}, {KEY_HEADER: "guess"}):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(urllib.request.Request(f"{url}/{action}", b"{}", headers))
            assert refused.value.code == 403
    assert identity_server.is_ready()
    assert ModelControl().key != ModelControl().key and ModelControl().key not in repr(ModelControl())


def watched(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([*WATCHDOG, *command], cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_a_model_that_cannot_be_loaded_again_ends_the_server_with_code_1() -> None:
    with watched(sys.executable, "-c", HALF_A_SERVER, f"--http-port={Ports.free().http}") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1 and "tiler, which does not load again (HTTP Error 501" in told


def test_a_server_that_ends_by_itself_keeps_its_code() -> None:
    with watched("sh", "-c", "exit 3") as process:
        assert process.wait(30) == 3
        assert "ended by itself (code 3)" in process.stderr.read()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_passed_on(sent: signal.Signals) -> None:
    stopped_well = "import signal, time; signal.signal({0}, lambda *_: exit(7)); print(flush=True); time.sleep(60)"
    command = [*WATCHDOG, sys.executable, "-c", stopped_well.format(int(sent))]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(sent)
        assert process.wait(30) == 7


@pytest.fixture
def idle_process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_stopped_server_is_a_dead_one(idle_process: "subprocess.Popen[bytes]") -> None:
    idle_process.send_signal(signal.SIGSTOP)
    assert "stopped" in Watchdog(idle_process, ModelControl(Ports.free().http)).watch()


def test_a_server_without_an_answer_is_a_dead_one_once_it_has_answered(
    idle_process: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False] * 5 + [True, False, False, True]  # while loading, live, a little late; then never again
    monkeypatch.setattr(ModelControl, "is_live", lambda _: answers.pop(0) if answers else False)
    monkeypatch.setattr(watchdog, "HEALTH_EVERY_S", 0)
    monkeypatch.setattr(watchdog, "POLL_S", 0.01)
    assert "no sign of life" in Watchdog(idle_process, ModelControl()).watch()
    assert not answers


def test_every_model_of_the_real_server_is_watched(identity_server: TritonServer) -> None:
    stubs = living_stubs(identity_server.process.pid)
    assert {model_of(instance_of(stub)) for stub in stubs} == {*MODELS, "merge", "styles"}


def test_a_secret_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "operator.key").write_text("0123\n")
    rule = "--http-restricted-api=logging:operator-key="
    assert with_secrets([f"{rule}@{tmp_path}/operator.key", "--log-verbose=0", "--a=b@/c"]) == [
        *(f"{rule}0123", "--log-verbose=0", "--a=b@/c")
    ]
