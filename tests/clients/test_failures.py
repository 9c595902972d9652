"""Triton's INTERNAL can be the photo's fault or the server's own trouble; the latter is tried again."""

import json

import grpc
import pytest

from clients.errors import BusyError, EnhanceError, ServerError, UnreachableError
from clients.transports import grpc as grpc_transport
from clients.transports import http as http_transport
from clients.transports.base import Address

# As Triton 2.51 says it.
MESSAGES: list[tuple[str, type[EnhanceError]]] = [
    ("in ensemble 'enhance', Stub process 'encode_0_0' is not healthy.", UnreachableError),
    (
        "Failed to process the request(s) for model 'decode_0_0', message: Failed to increase the shared memory pool "
        "size for key 'enhancer_1_2' to 7340032 bytes. [...] Error: No space left on device",
        BusyError,
    ),
    ("in ensemble 'enhance', the server failed on this photo (ZeroDivisionError)", ServerError),
]


@pytest.mark.parametrize(("message", "kind"), MESSAGES)
def test_troubles_of_the_server_are_told_apart(message: str, kind: type[EnhanceError]) -> None:
    over_grpc = grpc_transport.error_from_status(
        grpc.StatusCode.INTERNAL, message, Address.parse("grpc://127.0.0.1:8001")
    )
    over_http = http_transport.error_from_status(
        500, json.dumps({"error": message}), Address.parse("http://127.0.0.1:8000")
    )
    assert type(over_grpc) is type(over_http) is kind
    assert message.split()[-1] in str(over_grpc) and message.split()[-1] in str(over_http)
