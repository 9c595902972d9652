"""Triton's own protocols: inference for everybody on this machine, the rest for the operator's key."""

import re
from pathlib import Path

import httpx
import pytest
import tritonclient.grpc as triton

from clients.request import http_request
from deploy.access.operator_key import operator_key
from deploy.server.restrictions import GRPC_HEADER, HTTP_HEADER
from deploy.server.triton import TritonServer
from tests.security.conftest import PHOTO, Site

ADDRESSES = [
    *("/v2/models/stats", "/v2/models/enhance/stats", "/v2/models/enhance/config", "/v2/logging", "/v2/trace/setting"),
    *("/v2/systemsharedmemory/status", "/v2/cudasharedmemory/status"),
]
CALLS = [
    *("get_inference_statistics", "get_system_shared_memory_status"),
    *("get_cuda_shared_memory_status", "get_trace_settings", "get_log_settings", "unregister_system_shared_memory"),
]

LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}  # 127.0.0.1, as IPv4 and within IPv6


@pytest.fixture
def key(restricted_server: TritonServer) -> str:
    return operator_key(restricted_server.access.secrets)


@pytest.mark.parametrize("address", ADDRESSES)
def test_http_wants_the_operators_key(restricted_server: TritonServer, key: str, address: str) -> None:
    def status(headers: dict[str, str]) -> int:
        return httpx.get(restricted_server.http_url + address, headers=headers).status_code

    assert [status({}), status({HTTP_HEADER: "guess"}), status({HTTP_HEADER: key})] == [403, 403, 200]


@pytest.mark.parametrize("action", ["index", "models/enhance/load", "models/enhance/unload"])
def test_not_even_the_operators_key_controls_models(restricted_server: TritonServer, key: str, action: str) -> None:
    url = f"{restricted_server.http_url}/v2/repository/{action}"
    assert [httpx.post(url, headers=headers).status_code for headers in ({}, {HTTP_HEADER: key})] == [403, 403]
    assert restricted_server.is_ready()


@pytest.mark.parametrize("address", ADDRESSES)
def test_http_wants_the_operators_key_by_default(identity_server: TritonServer, address: str) -> None:
    """Any page in a browser can send requests to it."""
    assert httpx.get(identity_server.http_url + address).status_code == 403


@pytest.mark.parametrize("call", CALLS)
def test_grpc_wants_the_operators_key(restricted_server: TritonServer, key: str, call: str) -> None:
    with triton.InferenceServerClient(restricted_server.grpc_url.removeprefix("grpc://")) as client:
        for headers in ({}, {GRPC_HEADER: "guess"}):
            with pytest.raises(triton.InferenceServerException, match="This protocol is restricted"):
                getattr(client, call)(headers=headers)
        getattr(client, call)(headers={GRPC_HEADER: key})


def test_shared_memory_cannot_be_registered(restricted_server: TritonServer) -> None:
    with triton.InferenceServerClient(restricted_server.grpc_url.removeprefix("grpc://")) as client:
        for register in (
            lambda: client.register_system_shared_memory("region", "/region", 100),
            lambda: client.register_cuda_shared_memory("region", b"aGFuZGxl", 0, 100),
        ):
            with pytest.raises(triton.InferenceServerException, match="This protocol is restricted"):
                register()


def test_the_key_is_its_owners_and_not_in_the_log(restricted_server: TritonServer, key: str) -> None:
    path = restricted_server.access.secrets / "operator.key"
    assert path.stat().st_mode & 0o077 == 0 and len(key) == 64
    assert operator_key(path.parent) == key
    assert key not in restricted_server.log.read_text()


def test_no_key_is_in_the_list_of_processes(restricted_server: TritonServer, key: str) -> None:
    """Triton takes the operator's and the watchdog's key on its command line, which every user of the machine sees."""
    arguments = Path(f"/proc/{restricted_server.process.pid}/cmdline").read_text()
    keys = re.findall(r"--(?:http-restricted-api|grpc-restricted-protocol)=[^=\0]+=([^\0]*)", arguments)
    assert keys == ["*" * len(key)] * 4
    assert f"--grpc-port={restricted_server.ports.grpc}" in arguments.split("\0")


def listening(port: int) -> set[str]:
    """The addresses of this machine on which somebody listens, as the kernel writes them (proc(5))."""
    lines = [line.split() for kind in ("tcp", "tcp6") for line in Path(f"/proc/net/{kind}").read_text().splitlines()]
    return {line[1].split(":")[0] for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "0A"}


def test_server_and_proxy_listen_on_this_machine_alone_unless_told_otherwise(
    restricted_server: TritonServer, site: Site
) -> None:
    for port in (*vars(restricted_server.ports).values(), site.proxy.port):
        assert listening(port) and listening(port) <= LOOPBACK


INFER = "/v2/models/enhance/infer"
FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "https://evil.example", "content-type": "text/plain"},
    {"host": "evil.example:8000"},  # a name of the attacker's that resolves to this machine
    {"host": "evil.example:8000", "origin": "http://evil.example:8000"},
]
OWN = [
    {},
    {"content-type": "text/plain"},
    {"host": "spark:8000"},
    {"host": "spark.local", "origin": "http://spark.local"},
]


def sent(server: TritonServer, headers: dict[str, str]) -> httpx.Response:
    photo_headers, body = http_request(PHOTO, {"mode": "fast"}, None)
    return httpx.post(server.http_url + INFER, content=body, headers={**photo_headers, **headers}, timeout=60)


@pytest.mark.parametrize("headers", FOREIGN)
def test_pages_of_others_cannot_send_photos(identity_server: TritonServer, headers: dict[str, str]) -> None:
    answer = sent(identity_server, headers)
    assert answer.status_code == 400 and ("pages of" in answer.text or "not known as" in answer.text)


@pytest.mark.parametrize("headers", OWN)
def test_clients_and_own_pages_can(identity_server: TritonServer, headers: dict[str, str]) -> None:
    assert sent(identity_server, headers).status_code == 200
