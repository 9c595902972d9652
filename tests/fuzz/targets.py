"""Who is asked to decode: a worker of this process, or a served ensemble."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from clients import Enhancer
from clients.errors import PhotoError
from codec.decoding import Decoder
from codec.errors import RequestError
from deploy.server.triton import SERVER_PYTHON
from tests.fuzz.judge import verdict

Ask = Callable[[bytes], tuple[str, str]]
"""Takes a file; returns (answered, refused or failed; what is wrong about that, or "")."""

SENTENCE = ("; ", "send ", "export it again", "save it")


class Patient:
    """Who waits as long as it takes."""

    def check(self) -> None:
        """Nothing."""


@contextmanager
def worker() -> Iterator[Ask]:
    """A decoder in this process, with workers that may die: their deaths are findings, too."""
    decoder = Decoder("cpu", 120, python=SERVER_PYTHON)

    def ask(file: bytes) -> tuple[str, str]:
        try:
            photo = decoder.decode(np.frombuffer(file, np.uint8), Patient())
        except RequestError as refusal:
            reason = str(refusal)
            return "refused", "" if "cannot be decoded" not in reason else reason
        return "answered", verdict(file, photo.pixels)

    try:
        yield ask
    finally:
        decoder.close()


@contextmanager
def served(url: str) -> Iterator[Ask]:
    """A running server, whose answers at strength 0 are the photo itself."""
    with Enhancer(url) as enhancer:

        def ask(file: bytes) -> tuple[str, str]:
            try:
                answer = enhancer.enhance(file, format="png", strength=0, mode="fast")
            except PhotoError:
                return "refused", ""
            except Exception as error:
                return "failed", f"{type(error).__name__}: {error}"
            image = Image.open(io.BytesIO(answer.data))
            if image.mode not in ("RGB", "RGBA") or "16" in str(image.tile):
                return "answered", ""
            return "answered", verdict(file, np.asarray(image))

        yield ask
