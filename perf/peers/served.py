"""Peers that are servers, each in its own process, and this project's own server beside them."""

import contextlib
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import httpx

from clients import Enhancer
from deploy.server import MODEL_REPOSITORY, ROOT, Ports, TritonServer
from deploy.wheel import Wheel
from perf.peers import QUALITY, Enhance
from perf.runtimes import Unavailable

PEERS_PYTHON = ROOT / ".venv-peers/bin/python"
READY_S = 180.0
TIMEOUT_S = 300.0


@contextlib.contextmanager
def fastapi() -> Iterator[Enhance]:
    """FastAPI, over HTTP."""
    port = Ports.free().http
    with process("perf.peers.fastapi_server", port), httpx.Client(timeout=TIMEOUT_S) as client:

        def enhance(file: bytes, mode: str) -> bytes:
            url = f"http://127.0.0.1:{port}/enhance"
            return client.post(url, content=file, params={"mode": mode}).raise_for_status().content

        yield enhance


@contextlib.contextmanager
def pytriton() -> Iterator[Enhance]:
    """The binding of pytriton, over gRPC."""
    ports = Ports.free()
    with (
        process("perf.peers.pytriton_server", ports.http, ports.grpc, ports.metrics),
        client(f"grpc://127.0.0.1:{ports.grpc}") as enhance,
    ):
        yield enhance


@contextlib.contextmanager
def project() -> Iterator[Enhance]:
    """This project's server, over gRPC."""
    with TritonServer(log=ROOT / "artifacts/perf/peers-project.log") as server, client(server.grpc_url) as enhance:
        yield enhance


@contextlib.contextmanager
def client(url: str) -> Iterator[Enhance]:
    """The project's client."""
    with Enhancer(url, timeout_s=TIMEOUT_S) as enhancer:
        yield lambda file, mode: enhancer.enhance(file, mode=mode, quality=QUALITY).data


@contextlib.contextmanager
def process(module: str, port: int, *further: int) -> Iterator[None]:
    """A peer's process, ready inside the block; its first port speaks HTTP.

    Raises:
        Unavailable: it does not start; says where its log is.
    """
    if not PEERS_PYTHON.exists():
        raise Unavailable("the peers' environment is missing: make setup-peers")
    log = ROOT / f"artifacts/perf/{module.rpartition('.')[2]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command: list[str | Path] = [PEERS_PYTHON, "-m", module, MODEL_REPOSITORY, str(port), *map(str, further)]
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_S
        while not is_ready(port):
            if running.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"it did not start; its log: {log.relative_to(ROOT)}")
            time.sleep(0.2)
        yield
    finally:
        stop(running)


def environment() -> dict[str, str]:
    """With the interpreter's own library: pytriton's stub would else take the system's, of another patch release."""
    library = Wheel.of(PEERS_PYTHON).python_library
    return os.environ | ({"LD_LIBRARY_PATH": str(library.parent)} if library.suffix != ".a" else {})


def is_ready(port: int) -> bool:
    """Whether the server answers that it is."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/models/enhance/ready", timeout=2):
            return True
    except OSError:
        return False


def stop(running: subprocess.Popen[bytes], timeout_s: float = 20) -> None:
    """Ask first, then insist, with whatever it has started."""
    with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
        running.send_signal(signal.SIGINT)
        running.wait(timeout_s)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(running.pid, signal.SIGKILL)
    running.wait()
