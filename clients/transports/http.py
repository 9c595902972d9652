"""HTTP, blocking or asyncio: the same calls of httpx, in the caller's event loop or in a thread's."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Mapping

import httpx

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
from clients.request import MODEL, Sent, http_answer, http_request, model_of
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
from clients.transports.loop import LoopThread

CONNECT_TIMEOUT_S = 2.0
LARGEST_ANSWER = 1 << 30
"""Bytes; 120 megapixels with four samples of 16 bits are fewer."""
CUT = re.compile("disconnected without|closed connection without")  # before an answer, or in its middle


class HttpTransport:
    """A pool of kept-alive connections to one server.

    Both flavours use httpx's asyncio client: its requests can be cancelled at their deadline whatever they wait for,
    while timeouts of blocking sockets begin again with every byte of an answer that trickles.

    Args:
        address: Where the server listens.
        tls: Certificates, for `https://`.
        headers: Sent with every request, an API key for instance.
        asynchronous: Whether the calls suspend (asyncio) or block.
    """

    def __init__(self, address: Address, tls: Tls, headers: Mapping[str, str], asynchronous: bool) -> None:
        self.address = address
        self._thread = None if asynchronous else LoopThread()
        self._client = httpx.AsyncClient(
            base_url=str(address),
            headers=dict(headers),
            verify=_ssl_context(tls) if address.is_encrypted else False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=60),
            trust_env=False,  # photos go to the server that was named, through no proxy of the environment
        )

    async def infer(self, sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
        """See `Transport.infer`."""
        headers, body = http_request(sent, parameters, timeout_s)
        path = f"/v2/models/{model_of(sent)}/infer"
        request = self._client.build_request("POST", path, content=body, headers=headers | trace_headers())
        said, answer = await self._ask(request, timeout_s)
        return http_answer(said, answer)

    async def check(self, timeout_s: float) -> None:
        """See `Transport.check`."""
        try:
            await self._ask(self._client.build_request("GET", f"/v2/models/{MODEL}/ready"), timeout_s)
        except PhotoError as error:  # status 400
            raise BusyError(not_ready(self.address)) from error

    async def version(self, model: str, timeout_s: float) -> str:
        """See `Transport.version`."""
        try:
            _, answer = await self._ask(self._client.build_request("GET", f"/v2/models/{model}"), timeout_s)
            return newest(json.loads(answer)["versions"])
        except (EnhanceError, ValueError, KeyError, TypeError):
            return ""

    async def styles(self, timeout_s: float) -> list[Style]:
        """See `Transport.styles`."""
        request = self._client.build_request("POST", f"/v2/models/{styles.MODEL}/infer", json={"inputs": []})
        _, answer = await self._ask(request, timeout_s)
        try:
            (output,) = json.loads(answer)["outputs"]
            (cards,) = output["data"]
        except (ValueError, KeyError, TypeError) as error:
            raise ServerError(f"the server's answer has no {styles.OUTPUT}") from error
        return styles.read_cards(cards)

    async def _ask(self, request: httpx.Request, timeout_s: float | None) -> tuple[httpx.Headers, bytes]:
        """Headers and body of the whole answer, within the deadline."""
        connect_timeout_s = CONNECT_TIMEOUT_S if timeout_s is None else min(timeout_s, CONNECT_TIMEOUT_S)
        request.extensions["timeout"] = httpx.Timeout(None, connect=connect_timeout_s).as_dict()
        answer = asyncio.wait_for(self._received(request), timeout_s)
        try:
            return await answer if self._thread is None else self._thread.run(answer)
        except TimeoutError as error:
            raise DeadlineError(no_answer(self.address)) from error
        except httpx.RequestError as error:
            raise error_from_exception(error, self.address) from error

    async def _received(self, request: httpx.Request) -> tuple[httpx.Headers, bytes]:
        response = await self._client.send(request, stream=True)
        try:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ANSWER:
                    raise ServerError(f"the answer of {self.address} is over {LARGEST_ANSWER >> 20} MB: no photo is")
        finally:
            await response.aclose()
        if response.status_code != httpx.codes.OK:
            raise error_from_status(response.status_code, body.decode(errors="replace"), self.address)
        return response.headers, bytes(body)

    async def sleep(self, seconds: float) -> None:
        """See `Transport.sleep`."""
        await settle((time.sleep if self._thread else asyncio.sleep)(seconds))

    async def close(self) -> None:
        """See `Transport.close`."""
        if self._thread is None:
            await self._client.aclose()
        else:
            self._thread.close(self._client.aclose)


def _ssl_context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.root_certificates)
    if tls.certificate_chain is not None:
        context.load_cert_chain(tls.certificate_chain, tls.private_key)
    return context


def error_from_exception(error: httpx.RequestError, address: Address) -> EnhanceError:
    """The error of our tree for a failure below HTTP."""
    if isinstance(error, httpx.ConnectError) and "SSL" in str(error):
        return UnreachableError(f"no encrypted connection to {address}: {error}")
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ReadError | httpx.WriteError):
        return UnreachableError(no_connection(address))
    if isinstance(error, httpx.TimeoutException):
        return DeadlineError(no_answer(address))
    if isinstance(error, httpx.DecodingError):
        return UnreachableError(f"the answer of {address} was damaged on its way: {error}")
    if isinstance(error, httpx.RemoteProtocolError) and CUT.search(str(error)):
        return UnreachableError(broken_connection(address, "HTTP"))
    return ProtocolError(f"{address} does not speak HTTP: is it the gRPC port? Triton's HTTP port is 8000 by default")


def error_from_status(status: int, text: str, address: Address) -> EnhanceError:
    """The error of our tree for an HTTP status and its body."""
    kinds: dict[int, type[EnhanceError]] = {
        400: PhotoError,
        401: DeniedError,
        403: DeniedError,
        404: server_error(text),
        413: PhotoError,
        429: BusyError,
        500: server_error(text),
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
