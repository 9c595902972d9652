"""A server that is a function: for tests of programs that use this package.

def answer(photo: bytes, parameters: Mapping[str, str | int]) -> bytes:
    raise PhotoError("not a photo")

with Enhancer(transport=FakeTransport(answer)) as enhancer:
    ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from clients.request import Sent
from clients.styles import DEFAULT, Style

Answer = Callable[[bytes, Mapping[str, str | int]], bytes]
MergeAnswer = Callable[[tuple[bytes, ...], Mapping[str, str | int]], bytes]


class FakeTransport:
    """Answers without a network, in both flavours; pauses between tries take no time.

    Args:
        answer: Gets a photo's bytes and the request parameters; returns the enhanced photo's bytes or raises one of
            `clients.errors`. The default returns the photo as it came.
        merge: The same for the frames of one scene. The default returns the first of them.
    """

    address = "fake://"

    def __init__(
        self,
        answer: Answer = lambda photo, parameters: photo,
        merge: MergeAnswer = lambda frames, parameters: frames[0],
    ) -> None:
        self._answer, self._merge = answer, merge
        self.requests: list[dict[str, str | int]] = []
        """The parameters of every request so far."""
        self.slept_s: list[float] = []
        """The pauses that a real transport would have made."""

    async def infer(self, sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
        """See `Transport.infer`."""
        self.requests.append(dict(parameters))
        return self._answer(sent, parameters) if isinstance(sent, bytes) else self._merge(sent, parameters)

    async def check(self, timeout_s: float) -> None:
        """See `Transport.check`."""

    async def version(self, model: str, timeout_s: float) -> str:
        """See `Transport.version`."""
        return ""

    async def styles(self, timeout_s: float) -> list[Style]:
        """See `Transport.styles`."""
        return [Style(DEFAULT, "1")]

    async def sleep(self, seconds: float) -> None:
        """See `Transport.sleep`."""
        self.slept_s.append(seconds)

    async def close(self) -> None:
        """See `Transport.close`."""
