"""Is the server's answer the edited photo? Checked before anybody relies on it, by the parsers that servers use."""

from __future__ import annotations

import math

from clients.errors import ServerError
from clients.request import Enhanced, Options
from codec.errors import RequestError
from codec.header import Header
from codec.reading import read_header


def checked_answer(answer: bytes, photo: bytes, options: Options, seconds: float) -> Enhanced:
    """The answer as an enhanced photo.

    Args:
        answer: What the server sent.
        photo: What it was sent.
        options: And what it should do.
        seconds: How long it took.

    Raises:
        ServerError: the answer is no photo, not a whole one, of another size than the upright photo, or in another
            format than was asked for.
    """
    try:
        header = read_header(answer, math.inf)
    except RequestError as error:
        raise ServerError(f"the server's answer of {len(answer)} bytes is no whole photo") from error
    height, width, _ = header.upright_shape
    sent = _header(photo)
    if sent is not None and sent.upright_shape[:2] != (height, width):
        wanted = f"{sent.upright_shape[1]} x {sent.upright_shape[0]}"
        raise ServerError(f"the server's answer has {width} x {height} pixels, the upright photo {wanted}")
    if options.format not in (None, "same", header.format):
        raise ServerError(f"the server's answer is a {header.format}, not a {options.format}")
    return Enhanced(answer, (width, height), header.format, seconds)


def is_enhanced(output: bytes, photo: bytes) -> bool:
    """Whether a file can be what a server made of a photo."""
    try:
        checked_answer(output, photo, Options(), 0.0)
    except ServerError:
        return False
    return True


def _header(photo: bytes) -> Header | None:
    """None for a photo that only the server can read, if anybody."""
    try:
        return read_header(photo, math.inf)
    except RequestError:
        return None
