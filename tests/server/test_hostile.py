"""Photos that ended the service once, and workers that die or hang: one is refused, all others are served."""

import os
import signal
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient import grpc

from deploy.server.stubs import children
from deploy.server.triton import TritonServer
from tests.codec.files import PIXELS, chunk, exif, segment, tiff, with_chunks, with_segments
from tests.codec.test_limits import REFUSED
from tests.kinds import KINDS
from tests.photos import decoded, encoded, photo

GOOD = encoded(photo(640, 480))


class Decode:
    """The model alone: its pixels, or its refusal as (status, sentence)."""

    def __init__(self, server: TritonServer) -> None:
        self.client = grpc.InferenceServerClient(f"127.0.0.1:{server.ports.grpc}")

    def __call__(self, file: bytes, timeout_s: float | None = None) -> NDArray[np.uint8]:
        image = grpc.InferInput("IMAGE", [len(file)], "UINT8")
        image.set_data_from_numpy(np.frombuffer(file, np.uint8))
        timeout_us = int(timeout_s * 1e6) if timeout_s else None
        return np.asarray(self.client.infer("decode", [image], timeout=timeout_us).as_numpy("PIXELS"))

    def refusal(self, file: bytes, timeout_s: float | None = None) -> tuple[str, str]:
        with pytest.raises(grpc.InferenceServerException) as caught:
            self(file, timeout_s)
        return str(caught.value.status()), str(caught.value.message())


@pytest.fixture
def decode(server: TritonServer) -> Iterator[Decode]:
    model = Decode(server)
    yield model
    model.client.close()


def overlong_exif(orientation: int) -> bytes:
    """A directory that declares more entries than it holds."""
    block = bytearray(exif(orientation))
    block[8:10] = struct.pack("<H", 200)
    return bytes(block)


def stubs(server: TritonServer) -> list[int]:
    assert server.process is not None
    return sorted(children(server.process.pid))


def working(server: TritonServer) -> list[int]:
    """The worker of each instance of decode that gets the next photo: the first of its zygote's children."""
    zygotes = [pid for stub in stubs(server) for pid in children(stub) if b"zygote" in command(pid)]
    return [children(zygote)[0] for zygote in zygotes]


def command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_picture_on_its_side_with_broken_exif_is_upright(decode: Decode) -> None:
    """DALI's fallback to OpenCV wrote beyond its buffer, and the model died."""
    wide = photo(96, 64)
    png = with_chunks(encoded(wide, "PNG"), chunk(b"eXIf", overlong_exif(6)))
    np.testing.assert_array_equal(decode(png), np.rot90(wide, -1))
    jpeg = encoded(wide)
    np.testing.assert_array_equal(
        decode(with_segments(jpeg, segment(0xE1, b"Exif\0\0" + overlong_exif(6)))), np.rot90(decoded(jpeg), -1)
    )


def test_planes_of_16_bits_hold_their_own_photo_and_no_other(decode: Decode) -> None:
    kind = next(each for each in KINDS if each.name == "tiff RGB in planes, 16 bits, little-endian")
    for _ in range(3):
        decode(GOOD)
        np.testing.assert_array_equal(decode(kind.file).view(np.uint16), kind.pixels)


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_camera_writes_is_refused(decode: Decode, name: str) -> None:
    file, _ = REFUSED[name]
    status, sentence = decode.refusal(file)
    assert status == "StatusCode.INVALID_ARGUMENT"
    assert "the " in sentence and len(sentence) < 300


@pytest.mark.own_server
def test_good_photos_beside_bad_ones_are_served_and_nothing_starts_again(server: TritonServer, decode: Decode) -> None:
    before = stubs(server)
    broken = bytearray(encoded(PIXELS, "PNG"))
    broken[200:240] = bytes(40)
    bad = [bytes(broken), GOOD[:5000], tiff(PIXELS.astype(np.float32)), *(file for file, _ in REFUSED.values())]
    expected = decoded(GOOD)

    def good(_: int) -> bool:
        return bool((decode(GOOD) == expected).all())

    with ThreadPoolExecutor(4) as pool:
        refusals = pool.map(decode.refusal, bad)
        assert all(pool.map(good, range(20)))
        assert {status for status, _ in refusals} == {"StatusCode.INVALID_ARGUMENT"}
    assert stubs(server) == before


@pytest.mark.own_server
def test_killed_workers_are_replaced_and_nothing_starts_again(server: TritonServer, decode: Decode) -> None:
    before = stubs(server)
    for _ in range(3):
        for worker in working(server):
            os.kill(worker, signal.SIGKILL)
        for _ in range(4):
            np.testing.assert_array_equal(decode(GOOD), decoded(GOOD))
    assert stubs(server) == before


@pytest.mark.own_server
def test_a_worker_that_hangs_costs_one_photo_its_deadline(server: TritonServer, decode: Decode) -> None:
    before, hung = stubs(server), working(server)
    for worker in hung:
        os.kill(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(len(hung)) as pool:  # at once, so that each instance gets one
        refusals = pool.map(lambda _: decode.refusal(GOOD, timeout_s=1)[1], hung)
        assert all("timeout passed" in sentence for sentence in refusals)
    for _ in range(4):
        np.testing.assert_array_equal(decode(GOOD), decoded(GOOD))
    assert stubs(server) == before
    assert not set(hung) & set(working(server))
