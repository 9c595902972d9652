"""Who is asked for a photo's pixels: a worker of this process, or a served ensemble."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clients import Enhancer
from clients.errors import EnhanceError, OptionError, PhotoError
from codec.decoding import Decoder
from codec.errors import RequestError
from deploy.server.triton import SERVER_PYTHON
from tests.faults.damaged import PATIENCE
from tests.faults.service import Service

IN_FLIGHT = 4  # in a server: one or two that it decodes, and others before and behind
LOST = "cannot be decoded"  # as codec.decoding says of a file that ended its worker


@dataclass(frozen=True)
class Answer:
    """What became of a file.

    Attributes:
        outcome: "answered", "refused" or "failed".
        pixels: of a picture, uint8 as model decode answers.
        complaint: what is wrong, whatever the pixels are.
    """

    outcome: str
    pixels: NDArray[np.uint8] | None = None
    complaint: str = ""


@dataclass(frozen=True)
class Target:
    """Somebody who is asked.

    Attributes:
        ask: takes a file.
        in_flight: files that are asked for at a time.
        deaths: what had to be started again so far, and what the launcher said about it.
    """

    ask: Callable[[bytes], Answer]
    in_flight: int
    deaths: Callable[[], list[str]]


class Patient:
    """Who waits as long as it takes."""

    def check(self) -> None:
        """Nothing."""


@contextmanager
def worker() -> Iterator[Target]:
    """A decoder in this process, with workers that may die: their deaths are findings, too."""
    decoder = Decoder("cpu", 120, python=SERVER_PYTHON)

    def ask(file: bytes) -> Answer:
        try:
            photo = decoder.decode(np.frombuffer(file, np.uint8), Patient())
        except RequestError as refusal:
            return refused(refusal)
        return Answer("answered", photo.pixels.copy())

    try:
        yield Target(ask, in_flight=1, deaths=list)
    finally:
        decoder.close()


@contextmanager
def served(url: str = "") -> Iterator[Target]:
    """A server, whose answers at strength 0 are the photo itself.

    Args:
        url: of one that runs; by default one of its own is started, as `make serve` does.
    """
    with ExitStack() as stack:
        service = None if url else stack.enter_context(Service())
        enhancer = stack.enter_context(Enhancer(service.grpc_url if service else url, retry=PATIENCE))

        def ask(file: bytes) -> Answer:
            try:
                answer = enhancer.enhance(file, format="png", strength=0, mode="fast")
            except (PhotoError, OptionError) as refusal:  # the client sends no empty file
                return refused(refusal)
            except EnhanceError as error:
                return Answer("failed", complaint=f"{type(error).__name__}: {error}")
            return Answer("answered", png_pixels(answer.data))

        def deaths() -> list[str]:
            counts = {"restarts": service.restarts(), "models loaded again": service.reloads()} if service else {}
            found = [f"{count} {what}" for what, count in counts.items() if count]
            return [*found, service.told()] if service and found else []

        yield Target(ask, IN_FLIGHT, deaths)


def refused(refusal: Exception) -> Answer:
    """An answer in words: a worker's death is wrong, though nobody but the sender notices it."""
    return Answer("refused", complaint=str(refusal) if LOST in str(refusal) else "")


def png_pixels(file: bytes) -> NDArray[np.uint8]:
    """All bits of a PNG of the server's, in the form of model decode's pixels."""
    pixels: NDArray[Any] = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return rgb.view(np.uint8)
