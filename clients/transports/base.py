"""What a transport is: one way to one server."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

from clients.errors import OptionError
from clients.request import BRACKETS_MODEL, MODEL, Sent
from clients.styles import Style

Value = TypeVar("Value")

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
DEFAULT_PORTS = {"grpc": 8001, "grpcs": 8001, "http": 8000, "https": 8000}


class Transport(Protocol):
    """One server behind one address.

    The methods are coroutines in both flavours of the client. A blocking transport blocks inside them and never
    suspends, so the same calling code serves `Enhancer` and `AsyncEnhancer`.
    """

    @property
    def address(self) -> object:
        """Its text names the server in messages."""

    async def infer(self, sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
        """Sends the file bytes of a photo, or of one scene's frames; returns the enhanced photo's file bytes.

        Raises:
            EnhanceError: one of the tree in `clients.errors`, never anything else.
        """

    async def check(self, timeout_s: float) -> None:
        """Returns if the server is up and its models are loaded.

        Raises:
            EnhanceError: what is wrong otherwise.
        """

    async def version(self, model: str, timeout_s: float) -> str:
        """The version of a model that answers; empty where nobody tells, as a proxy may not."""

    async def styles(self, timeout_s: float) -> list[Style]:
        """The styles that the server has.

        Raises:
            EnhanceError: as for `infer`.
        """

    async def sleep(self, seconds: float) -> None:
        """Waits in this transport's own flavour."""

    async def close(self) -> None:
        """Gives up the connections."""


@dataclass(frozen=True)
class Tls:
    """Files in PEM form for `grpcs://` and `https://`; None means the system's own roots, or no client certificate."""

    root_certificates: Path | None = None
    private_key: Path | None = None
    certificate_chain: Path | None = None

    def __post_init__(self) -> None:
        if (self.private_key is None) != (self.certificate_chain is None):
            raise OptionError("mutual TLS needs both the private key and the certificate chain")
        for path in (self.root_certificates, self.private_key, self.certificate_chain):
            if path is not None and not path.is_file():
                raise OptionError(f"no such certificate file: {path}")


@dataclass(frozen=True)
class Address:
    """A server's address: `grpc://host:8001`, `grpcs://`, `http://host:8000` or `https://`.

    Raises:
        OptionError: the text is no such address.
    """

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Address:
        """Reads a URL; the port defaults to Triton's own."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise OptionError(f"{url!r}: {error}") from error
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path.strip("/"):
            raise OptionError(f"{url!r} is no server address: write grpc://HOST:8001 or http://HOST:8000")
        return cls(parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme])

    @property
    def is_grpc(self) -> bool:
        """Whether the address speaks gRPC rather than HTTP."""
        return self.scheme.startswith("grpc")

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is made over TLS."""
        return self.scheme.endswith("s")

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        return self.host in LOOPBACK

    @property
    def netloc(self) -> str:
        """Host and port as one text, IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


async def settle(result: Awaitable[Value] | Value) -> Value:
    """The value of a library call that blocks in one flavour and returns an awaitable in the other."""
    return await result if inspect.isawaitable(result) else result


def newest(versions: Iterable[str]) -> str:
    """The highest of a model's versions, which is the one that answers."""
    return max(map(str, versions), key=lambda version: (len(version), version), default="")


def plain(message: str) -> str:
    """A server's message without the path that it took inside the server."""
    for model in (MODEL, BRACKETS_MODEL):
        message = message.removeprefix(f"in ensemble '{model}', ")
    return message


def no_connection(address: Address) -> str:
    """What to tell a person when nobody answers."""
    return f"no connection to {address}: is the server running there?"


def broken_connection(address: Address, protocol: str) -> str:
    """What to tell a person when the connection is closed before an answer."""
    return f"{address} closed the connection: is the server still running, and is this its {protocol} port?"


def no_answer(address: Address) -> str:
    """What to tell a person when the deadline has passed."""
    return f"no answer from {address} in time"


def not_ready(address: Address) -> str:
    """What to tell a person when the server is up without its models."""
    return f"{address} is up, but its model {MODEL!r} is not loaded (yet?)"
