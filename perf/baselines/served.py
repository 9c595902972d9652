"""Baselines that are servers, each in its own process, and this project's own server beside them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx

from clients import Enhancer
from deploy.server.ports import Ports
from deploy.server.running import running_process
from deploy.server.triton import TritonServer
from deploy.server.wheel import Wheel
from files.checkout import MODEL_REPOSITORY, ROOT
from perf.baselines import QUALITY, Enhance
from perf.errors import Unavailable

BASELINES_PYTHON = ROOT / ".venv-baselines/bin/python"
TIMEOUT_S = 300.0


@contextlib.contextmanager
def fastapi() -> Iterator[Enhance]:
    """FastAPI, over HTTP."""
    port = Ports.free().http
    with process("perf.baselines.fastapi_server", port), httpx.Client(timeout=TIMEOUT_S) as client:

        def enhance(file: bytes, mode: str) -> bytes:
            url = f"http://127.0.0.1:{port}/enhance"
            return client.post(url, content=file, params={"mode": mode}).raise_for_status().content

        yield enhance


@contextlib.contextmanager
def pytriton() -> Iterator[Enhance]:
    """The binding of pytriton, over gRPC."""
    ports = Ports.free()
    with (
        process("perf.baselines.pytriton_server", ports.http, ports.grpc, ports.metrics),
        client(f"grpc://127.0.0.1:{ports.grpc}") as enhance,
    ):
        yield enhance


@contextlib.contextmanager
def project() -> Iterator[Enhance]:
    """This project's server, over gRPC."""
    with TritonServer(log=ROOT / "artifacts/perf/baselines-project.log") as server, client(server.grpc_url) as enhance:
        yield enhance


@contextlib.contextmanager
def client(url: str) -> Iterator[Enhance]:
    """The project's client."""
    with Enhancer(url, timeout_s=TIMEOUT_S) as enhancer:
        yield lambda file, mode: enhancer.enhance(file, mode=mode, quality=QUALITY).data


def process(module: str, port: int, *further: int) -> contextlib.AbstractContextManager[None]:
    """A baseline's process, ready inside the block; its first port speaks HTTP.

    Raises:
        Unavailable: the baselines' environment is missing.
        LaunchError: on entering, where it does not start; says where its log is.
    """
    if not BASELINES_PYTHON.exists():
        raise Unavailable("the baselines' environment is missing: make setup PART=baselines")
    command: list[str | Path] = [BASELINES_PYTHON, "-m", module, MODEL_REPOSITORY, *map(str, (port, *further))]
    log = ROOT / f"artifacts/perf/{module.rpartition('.')[2]}.log"
    return running_process(command, f"127.0.0.1:{port}", "models/enhance", log, environment())


def environment() -> dict[str, str]:
    """The environment with the interpreter's own library; pytriton's stub would take the system's, of another patch."""
    library = Wheel.of(BASELINES_PYTHON).python_library
    return os.environ | ({"LD_LIBRARY_PATH": str(library.parent)} if library.suffix != ".a" else {})
