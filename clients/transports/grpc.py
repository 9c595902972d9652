"""gRPC, blocking or asyncio: the same calls on `grpc` or `grpc.aio` channels."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping

import grpc
from tritonclient.grpc import service_pb2, service_pb2_grpc

from clients import styles
from clients.errors import (
    BusyError,
    DeadlineError,
    DeniedError,
    EnhanceError,
    PhotoError,
    ProtocolError,
    ServerError,
    UnreachableError,
)
from clients.request import MODEL, Sent, grpc_answer, grpc_request
from clients.styles import Style
from clients.tracing import trace_headers
from clients.transports.base import (
    Address,
    Tls,
    broken_connection,
    newest,
    no_answer,
    no_connection,
    not_ready,
    plain,
    settle,
)
from clients.transports.failures import server_error
from clients.transports.shared_memory import Lanes

CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),  # a 100-megapixel TIFF is over the default of 4 MB by far
    ("grpc.max_receive_message_length", -1),
    ("grpc.keepalive_time_ms", 300_000),  # the shortest that Triton's ping policy allows by default
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.min_reconnect_backoff_ms", 2_000),  # gives up on a silent address after 2 s instead of 20 s
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),  # finds a restarted server within 2 s instead of 120 s
    ("grpc.enable_http_proxy", 0),  # photos go to the server that was named, through nobody else
]
LENGTH_BYTES = 4
"""Before each element of a tensor of texts."""
LANE_LOST = "shared memory"  # the answer was too large for its region, or the server was restarted
NO_CONNECTION = re.compile(
    r"connect|socket|recvmsg|sendmsg|GOAWAY|reset|closed|keepalive|DNS|resol|handshake|ping", re.I
)
OTHER_PROTOCOL = re.compile(r"http1\.x server|http2 frame|settings frame|wrong version number", re.I)


class GrpcTransport:
    """One channel to one server, made once and reused.

    Args:
        address: Where the server listens.
        tls: Certificates, for `grpcs://`.
        headers: Sent with every request, an API key for instance.
        asynchronous: Whether the calls suspend (asyncio) or block.
    """

    def __init__(self, address: Address, tls: Tls, headers: Mapping[str, str], asynchronous: bool) -> None:
        self.address = address
        self._headers = tuple((name.lower(), value) for name, value in headers.items())
        self._asynchronous = asynchronous
        self._channel = _channel(address, tls, asynchronous)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._lanes = Lanes(address, self._stub, self._headers)

    async def infer(self, sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
        """See `Transport.infer`."""
        request = grpc_request(sent, parameters, timeout_s)
        if isinstance(sent, tuple):  # frames wait for each other in the server: a copy more is nothing beside that
            return grpc_answer(await self._call(request, timeout_s))
        lane = await self._lanes.borrow(sent, parameters)
        if lane is None:
            return grpc_answer(await self._call(request, timeout_s))
        try:
            response = await self._call(lane.request(request, sent), timeout_s)
        except ServerError as error:
            if LANE_LOST not in str(error):
                self._lanes.give_back(lane)
                raise
            await self._lanes.discard(lane)
            return grpc_answer(await self._call(grpc_request(sent, parameters, timeout_s), timeout_s))
        except (PhotoError, BusyError):
            self._lanes.give_back(lane)
            raise
        enhanced = lane.read(response)
        self._lanes.give_back(lane)
        return enhanced

    async def _call(
        self, request: service_pb2.ModelInferRequest, timeout_s: float | None
    ) -> service_pb2.ModelInferResponse:
        try:
            headers = (*self._headers, *trace_headers().items())
            return await settle(self._stub.ModelInfer(request, timeout=timeout_s, metadata=headers))
        except grpc.RpcError as error:
            raise error_from_status(error.code(), error.details() or "", self.address) from error

    async def check(self, timeout_s: float) -> None:
        """See `Transport.check`."""
        request = service_pb2.ModelReadyRequest(name=MODEL)
        try:
            response = await settle(self._stub.ModelReady(request, timeout=timeout_s, metadata=self._headers))
        except grpc.RpcError as error:
            raise error_from_status(error.code(), error.details() or "", self.address) from error
        if not response.ready:
            raise BusyError(not_ready(self.address))

    async def version(self, model: str, timeout_s: float) -> str:
        """See `Transport.version`."""
        request = service_pb2.ModelMetadataRequest(name=model)
        try:
            answer = await settle(self._stub.ModelMetadata(request, timeout=timeout_s, metadata=self._headers))
        except grpc.RpcError:
            return ""
        return newest(answer.versions)

    async def styles(self, timeout_s: float) -> list[Style]:
        """See `Transport.styles`."""
        request = service_pb2.ModelInferRequest(model_name=styles.MODEL)
        request.outputs.add(name=styles.OUTPUT)
        answer = await self._call(request, timeout_s)
        if not answer.raw_output_contents:
            raise ServerError(f"the server's answer has no {styles.OUTPUT}")
        return styles.read_cards(answer.raw_output_contents[0][LENGTH_BYTES:])

    async def sleep(self, seconds: float) -> None:
        """See `Transport.sleep`."""
        await settle((asyncio.sleep if self._asynchronous else time.sleep)(seconds))

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._lanes.close()
        await settle(self._channel.close())


def _channel(address: Address, tls: Tls, asynchronous: bool) -> grpc.Channel | grpc.aio.Channel:
    library = grpc.aio if asynchronous else grpc
    if not address.is_encrypted:
        return library.insecure_channel(address.netloc, options=CHANNEL_OPTIONS)
    files = (tls.root_certificates, tls.private_key, tls.certificate_chain)
    credentials = grpc.ssl_channel_credentials(*(None if path is None else path.read_bytes() for path in files))
    return library.secure_channel(address.netloc, credentials, options=CHANNEL_OPTIONS)


def _lost(address: Address, details: str) -> str:
    if re.search("certificate|handshake|SSL|TLS|Verification", details):
        return f"no encrypted connection to {address}: {details}"
    if "Socket closed" in details and address.is_encrypted:
        return f"{broken_connection(address, 'gRPC')} It may ask for a client's certificate: --certificate-chain"
    return broken_connection(address, "gRPC") if "Socket closed" in details else no_connection(address)


def error_from_status(code: grpc.StatusCode, details: str, address: Address) -> EnhanceError:
    """The error of our tree for a gRPC status."""
    if code is grpc.StatusCode.UNAVAILABLE and OTHER_PROTOCOL.search(details):
        return ProtocolError(
            f"{address} does not speak gRPC: is it the HTTP port? Triton's gRPC port is 8001 by default"
        )
    if code is grpc.StatusCode.UNAVAILABLE and NO_CONNECTION.search(details):
        return UnreachableError(_lost(address, details))
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return DeadlineError(no_answer(address))
    kinds: dict[grpc.StatusCode, type[EnhanceError]] = {
        grpc.StatusCode.UNAVAILABLE: BusyError,
        grpc.StatusCode.INVALID_ARGUMENT: PhotoError,
        grpc.StatusCode.RESOURCE_EXHAUSTED: PhotoError,  # too large, for the proxy or the server
        grpc.StatusCode.UNAUTHENTICATED: DeniedError,
        grpc.StatusCode.PERMISSION_DENIED: DeniedError,
        grpc.StatusCode.UNIMPLEMENTED: ProtocolError,
        grpc.StatusCode.INTERNAL: server_error(details),
        grpc.StatusCode.NOT_FOUND: server_error(details),
    }
    kind = kinds.get(code, ServerError)
    return kind(
        plain(details) if kind in (PhotoError, ServerError) and details else f"{address}: {details or code.name}"
    )
