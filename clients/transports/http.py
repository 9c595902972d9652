"""HTTP, blocking or asyncio: the same calls on `httpx.Client` or `httpx.AsyncClient`."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Mapping

import httpx

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
from clients.request import MODEL, http_answer, http_request
from clients.tracing import trace_headers
from clients.transports.base import Address, Tls, broken_connection, no_answer, no_connection, not_ready, plain, settle
from clients.transports.failures import internal_error

CONNECT_TIMEOUT_S = 2.0


class HttpTransport:
    """A pool of kept-alive connections to one server.

    Args:
        address: Where the server listens.
        tls: Certificates, for `https://`.
        headers: Sent with every request, an API key for instance.
        asynchronous: Whether the calls suspend (asyncio) or block.
    """

    def __init__(self, address: Address, tls: Tls, headers: Mapping[str, str], asynchronous: bool) -> None:
        self.address = address
        self._asynchronous = asynchronous
        self._client = (httpx.AsyncClient if asynchronous else httpx.Client)(
            base_url=str(address),
            headers=dict(headers),
            verify=_ssl_context(tls) if address.is_encrypted else False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60),
            trust_env=False,  # photos go to the server that was named, through no proxy of the environment
        )

    async def infer(self, photo: bytes, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
        """See `Transport.infer`."""
        headers, body = http_request(photo, parameters, timeout_s)
        headers |= trace_headers()
        timeout = httpx.Timeout(timeout_s, connect=_shorter(timeout_s, CONNECT_TIMEOUT_S))
        try:
            response = await settle(
                self._client.post(f"/v2/models/{MODEL}/infer", content=body, headers=headers, timeout=timeout)
            )
        except httpx.TransportError as error:
            raise error_from_exception(error, self.address) from error
        if response.status_code != httpx.codes.OK:
            raise error_from_status(response.status_code, response.text, self.address)
        return http_answer(response.headers, response.content)

    async def check(self, timeout_s: float) -> None:
        """See `Transport.check`."""
        try:
            response = await settle(self._client.get(f"/v2/models/{MODEL}/ready", timeout=timeout_s))
        except httpx.TransportError as error:
            raise error_from_exception(error, self.address) from error
        if response.status_code == httpx.codes.BAD_REQUEST:
            raise BusyError(not_ready(self.address))
        if response.status_code != httpx.codes.OK:
            raise error_from_status(response.status_code, response.text, self.address)

    async def sleep(self, seconds: float) -> None:
        """See `Transport.sleep`."""
        await settle((asyncio.sleep if self._asynchronous else time.sleep)(seconds))

    async def close(self) -> None:
        """See `Transport.close`."""
        if isinstance(self._client, httpx.AsyncClient):
            await self._client.aclose()
        else:
            self._client.close()


def _shorter(timeout_s: float | None, limit_s: float) -> float:
    return limit_s if timeout_s is None else min(timeout_s, limit_s)


def _ssl_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.root_certificates)
    if tls.certificate_chain is not None:
        context.load_cert_chain(tls.certificate_chain, tls.private_key)
    return context


def error_from_exception(error: httpx.TransportError, address: Address) -> EnhanceError:
    """The error of our tree for a failure below HTTP."""
    if isinstance(error, httpx.ConnectError) and "SSL" in str(error):
        return UnreachableError(f"no encrypted connection to {address}: {error}")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadError | httpx.WriteError):
        return UnreachableError(no_connection(address))
    if isinstance(error, httpx.TimeoutException):
        return DeadlineError(no_answer(address))
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected without" in str(error):
        return UnreachableError(broken_connection(address, "HTTP"))
    return ProtocolError(f"{address} does not speak HTTP: is it the gRPC port? Triton's HTTP port is 8000 by default")


def error_from_status(status: int, text: str, address: Address) -> EnhanceError:
    """The error of our tree for an HTTP status and its body."""
    kinds: dict[int, type[EnhanceError]] = {
        400: PhotoError,
        401: DeniedError,
        403: DeniedError,
        404: ServerError,
        413: PhotoError,
        429: BusyError,
        500: internal_error(text),
        502: BusyError,
        503: BusyError,
        504: DeadlineError,
    }
    kind = kinds.get(status, ServerError if status >= 500 else ProtocolError)
    message = _message(text)
    return kind(
        plain(message) if kind in (PhotoError, ServerError) and message else f"{address}: HTTP {status} {message}"
    )


def _message(text: str) -> str:
    """Triton sends `{"error": "..."}`; a proxy sends what it likes."""
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:300]
