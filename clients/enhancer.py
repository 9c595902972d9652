"""The library's front: photos in, enhanced photos out, blocking or with asyncio.

from clients import Enhancer

with Enhancer("grpc://spark.local:8001") as enhancer:
    enhancer.enhance("kitchen.jpg", mode="full").save("kitchen_enhanced.jpg")
    enhancer.merge(["hall-2.jpg", "hall0.jpg", "hall+2.jpg"]).save("hall.jpg")

async with AsyncEnhancer(["grpc://spark-1:8001", "grpc://spark-2:8001"]) as enhancer:
    photos = await asyncio.gather(*(enhancer.enhance(path) for path in paths))
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from clients.answers import checked_answer
from clients.balancer import Balancer
from clients.errors import BusyError, DeadlineError, OptionError, UnavailableError
from clients.request import Enhanced, Options, Sent, check_frames, read_photo
from clients.retry import Retry
from clients.styles import Style, models_of
from clients.tracing import note_retry, photo_span
from clients.transports import Tls, Transport, connect

DEFAULT_URL = "grpc://127.0.0.1:8001"
TIMEOUT_S = 600.0
CHECK_TIMEOUT_S = 5.0

Value = TypeVar("Value")
Photo = bytes | str | os.PathLike[str]
NO_HEADERS: Mapping[str, str] = {}


class Enhancer:
    """A blocking client; threads may share one.

    Args:
        url: One address or several: `grpc://host:8001`, `grpcs://`, `http://host:8000`, `https://`. Several are used
            in turn, and one that fails rests while the others take over.
        tls: Certificates for the encrypted schemes; with a private key and a chain, mutual TLS.
        headers: Sent with every request, such as `{"authorization": "Bearer KEY"}`.
        timeout_s: Deadline of one photo in seconds, retries included; the server drops a request that is past it.
        retry: How often and how patiently an unavailable server is tried again.
        transport: Used instead of `url`: a `FakeTransport` in tests.

    Raises:
        OptionError: an address, a certificate file or a number makes no sense.
    """

    def __init__(
        self,
        url: str | Sequence[str] = DEFAULT_URL,
        *,
        tls: Tls = Tls(),  # noqa: B008  (frozen)
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float | None = TIMEOUT_S,
        retry: Retry = Retry(),  # noqa: B008  (frozen)
        transport: Transport | None = None,
    ) -> None:
        self._client = _Blocking(url, tls=tls, headers=headers, timeout_s=timeout_s, retry=retry, transport=transport)

    def enhance(self, photo: Photo, **options: Any) -> Enhanced:  # noqa: ANN401
        """Enhances one photo.

        Args:
            photo: A file's bytes, or its path.
            **options: The fields of `clients.Options`: mode, strength, format, quality, style.

        Raises:
            EnhanceError: see the tree in `clients.errors`.
            OSError: the photo cannot be read.
        """
        return _finish(self._client.enhance(photo, **options))

    def merge(self, frames: Sequence[Photo], **options: Any) -> Enhanced:  # noqa: ANN401
        """Merges the exposures of one scene, and enhances what they recorded together.

        Args:
            frames: 1 to 9 photos of one size, in any order: files' bytes, or their paths. The server aligns them, and
                keeps what moved from one of them.
            **options: As of `enhance`. `format="same"` is the format of the middle exposure, whose metadata is kept.

        Raises:
            EnhanceError: see the tree in `clients.errors`; a frame that is damaged or does not belong to the others
                is named by its number.
            OSError: a frame cannot be read.
        """
        return _finish(self._client.merge(frames, **options))

    def check(self) -> None:
        """Returns if at least one server is up with its models loaded.

        Raises:
            EnhanceError: what is wrong with the first server otherwise.
        """
        _finish(self._client.check())

    def versions(self, style: str | None = None) -> dict[str, str]:
        """The version of each network of a style that the servers tell of, such as `{"generator": "2"}`."""
        return _finish(self._client.versions(style))

    def styles(self) -> list[Style]:
        """The styles that the first server that answers has, the default first.

        Raises:
            EnhanceError: what is wrong with the first server where none answers.
        """
        return _finish(self._client.styles())

    def close(self) -> None:
        """Gives up the connections."""
        _finish(self._client.close())

    def __enter__(self) -> Enhancer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEnhancer:
    """The asyncio twin of `Enhancer`: same arguments, same errors. Make it inside the running loop."""

    _asynchronous = True

    def __init__(
        self,
        url: str | Sequence[str] = DEFAULT_URL,
        *,
        tls: Tls = Tls(),  # noqa: B008  (frozen)
        headers: Mapping[str, str] = NO_HEADERS,
        timeout_s: float | None = TIMEOUT_S,
        retry: Retry = Retry(),  # noqa: B008  (frozen)
        transport: Transport | None = None,
    ) -> None:
        if timeout_s is not None and timeout_s <= 0:
            raise OptionError(f"timeout_s must be above 0, not {timeout_s}")
        self._timeout_s, self._retry = timeout_s, retry
        urls = [url] if isinstance(url, str) else url
        self._servers = Balancer(
            [transport] if transport else [connect(each, tls, headers, self._asynchronous) for each in urls]
        )

    async def enhance(self, photo: Photo, **options: Any) -> Enhanced:  # noqa: ANN401
        """See `Enhancer.enhance`."""
        started, wanted = time.monotonic(), _options(options)
        content = await self._read(photo)
        if not content:
            raise OptionError("the photo is empty")
        return await self._answer(content, wanted, started)

    async def merge(self, frames: Sequence[Photo], **options: Any) -> Enhanced:  # noqa: ANN401
        """See `Enhancer.merge`."""
        started, wanted = time.monotonic(), _options(options)
        contents = tuple([await self._read(frame, of_scene=len(frames) > 1) for frame in frames])
        check_frames(contents)
        return await self._answer(contents, wanted, started)

    async def check(self) -> None:
        """See `Enhancer.check`."""
        await self._servers.first(lambda server: server.check(CHECK_TIMEOUT_S))

    async def versions(self, style: str | None = None) -> dict[str, str]:
        """See `Enhancer.versions`."""
        for server in self._servers.transports:
            told = {name: await server.version(model, CHECK_TIMEOUT_S) for name, model in models_of(style).items()}
            if found := {name: version for name, version in told.items() if version}:
                return found
        return {}

    async def styles(self) -> list[Style]:
        """See `Enhancer.styles`."""
        return await self._servers.first(lambda server: server.styles(CHECK_TIMEOUT_S))

    async def close(self) -> None:
        """See `Enhancer.close`."""
        for server in self._servers.transports:
            await server.close()

    async def __aenter__(self) -> AsyncEnhancer:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _read(self, photo: Photo, of_scene: bool = False) -> bytes:
        if self._asynchronous:
            return await asyncio.to_thread(read_photo, photo, of_scene)
        return read_photo(photo, of_scene)

    async def _answer(self, sent: Sent, options: Options, started: float) -> Enhanced:
        contents, parameters = (sent,) if isinstance(sent, bytes) else sent, options.parameters()
        with photo_span(sum(map(len, contents)), parameters):
            data = await self._infer(sent, parameters, started)
        return checked_answer(data, contents[0], options, time.monotonic() - started)

    async def _infer(self, sent: Sent, parameters: Mapping[str, str | int], started: float) -> bytes:
        """Sends until a server answers, the attempts are used up, or the deadline passes."""
        failures = 0
        while True:
            server = self._servers.pick()
            try:
                data = await server.infer(sent, parameters, self._remaining_s(started))
            except UnavailableError as error:
                failures += 1
                another_is_ready = self._servers.failed(server)
                wait_s = 0.0 if another_is_ready else self._retry.wait_s(failures)
                remaining_s = self._remaining_s(started)
                if remaining_s == 0 and isinstance(error, BusyError):  # dropped from the server's queue, being too late
                    raise DeadlineError(f"no answer within {self._timeout_s:g} s") from error
                if failures >= self._retry.attempts or (remaining_s is not None and remaining_s <= wait_s):
                    raise
                note_retry(error, wait_s)
                await server.sleep(wait_s)
            else:
                self._servers.answered(server)
                return data

    def _remaining_s(self, started: float) -> float | None:
        return None if self._timeout_s is None else max(0.0, self._timeout_s - (time.monotonic() - started))


class _Blocking(AsyncEnhancer):
    """Its transports block, and so its coroutines never suspend."""

    _asynchronous = False


def _options(given: dict[str, Any]) -> Options:
    try:
        return Options(**given)
    except TypeError as error:
        raise OptionError(f"unknown option: {error}") from error


def _finish(coroutine: Coroutine[Any, Any, Value]) -> Value:
    """Runs a coroutine whose transports block, and which therefore ends without ever suspending."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Value = end.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking client was given an asyncio transport")
