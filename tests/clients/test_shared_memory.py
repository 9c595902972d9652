"""Shared memory with a real server on the same host: same answers, no leftovers, and a way back to the socket."""

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from clients import Enhancer
from clients.errors import PhotoError
from clients.transports.shared_memory import FOLDER, PREFIX, SMALLEST_PHOTO, SPARE, Region
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo

PHOTO = encoded(photo(1500, 1000), quality=95)
OTHER = encoded(photo(1400, 900, seed=1), quality=95)


@pytest.fixture
def regions(identity_server: TritonServer) -> Iterator["Regions"]:
    """What is registered with the server, seen by a client of its own."""
    with triton.InferenceServerClient(identity_server.grpc_url.removeprefix("grpc://")) as client:
        yield Regions(client)
        Regions(client).forget()


class Regions:
    def __init__(self, client: triton.InferenceServerClient) -> None:
        self._client = client

    def names(self) -> list[str]:
        return [name for name in self._client.get_system_shared_memory_status().regions if name.startswith(PREFIX)]

    def forget(self) -> None:
        """Restart, as far as a client can tell. Triton answers before it lets go of a request's regions."""
        for _ in range(100):
            with contextlib.suppress(InferenceServerException):
                self._client.unregister_system_shared_memory()
                return
            time.sleep(0.05)
        raise AssertionError("the server keeps its regions")


def files() -> list[Path]:
    return list(FOLDER.glob(f"{PREFIX}*"))


def test_photos_are_large_enough_to_test_it() -> None:
    assert min(len(PHOTO), len(OTHER)) > SMALLEST_PHOTO


def test_same_answer_as_over_the_socket_and_nothing_is_left(identity_server: TritonServer, regions: Regions) -> None:
    with Enhancer(identity_server.grpc_url) as near, Enhancer(identity_server.http_url) as far:
        for content in (PHOTO, OTHER, PHOTO):
            assert near.enhance(content).data == far.enhance(content).data
            assert len(regions.names()) == 2 and not files()  # one pair, reused; its names are gone already
    assert regions.names() == []


def test_threads_do_not_share_a_lane(identity_server: TritonServer, regions: Regions) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer, ThreadPoolExecutor(4) as pool:
        expected = {content: enhancer.enhance(content, mode="fast").data for content in (PHOTO, OTHER)}
        answers = pool.map(lambda content: enhancer.enhance(content, mode="fast").data, [PHOTO, OTHER] * 8)
        assert list(answers) == [expected[PHOTO], expected[OTHER]] * 8
        assert 2 <= len(regions.names()) <= 8


def test_small_photos_and_lossless_answers_take_the_socket(identity_server: TritonServer, regions: Regions) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        enhancer.enhance(encoded(photo(64, 48)))
        enhancer.enhance(PHOTO, format="tiff")
        assert regions.names() == []


def test_answer_larger_than_its_region_still_arrives(identity_server: TritonServer) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2200, 2400, 3)).astype(np.uint8)
    coarse = encoded(noise, "WEBP", quality=5)
    with Enhancer(identity_server.grpc_url) as enhancer:
        enhanced = enhancer.enhance(coarse, mode="fast", format="jpeg", quality=100)
    assert len(coarse) > SMALLEST_PHOTO and len(enhanced.data) > 3 * (len(coarse) + SPARE)


def test_server_that_forgot_the_regions_is_served_all_the_same(identity_server: TritonServer, regions: Regions) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        before = enhancer.enhance(PHOTO).data
        regions.forget()
        assert enhancer.enhance(PHOTO).data == before
        enhancer.enhance(PHOTO)
        assert len(regions.names()) == 2


def test_refused_photo_gives_its_lane_back(identity_server: TritonServer, regions: Regions) -> None:
    with Enhancer(identity_server.grpc_url) as enhancer:
        for _ in range(3):
            with pytest.raises(PhotoError):
                enhancer.enhance(b"Dear server, " * 50_000)
        assert len(regions.names()) == 2


KILLED = """
import os, signal, sys
from clients import Enhancer
Enhancer(sys.argv[1]).enhance(sys.stdin.buffer.read())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_client_leaves_the_next_one_takes_away(identity_server: TritonServer, regions: Regions) -> None:
    subprocess.run([sys.executable, "-c", KILLED, identity_server.grpc_url], input=PHOTO, check=False)
    left = regions.names()
    assert len(left) == 2 and not files()
    with Enhancer(identity_server.grpc_url) as enhancer:
        enhancer.enhance(PHOTO)
        assert not set(left) & set(regions.names())


def test_memory_that_is_not_there_is_refused_without_a_trace() -> None:
    with pytest.raises(OSError):
        Region(1 << 50)
    assert not files()


def test_region_is_shared() -> None:
    region = Region(1000)
    view = np.memmap(FOLDER / region.name, dtype=np.uint8, mode="r")
    region.memory[:3] = b"abc"
    assert bytes(view[:3]) == b"abc"
    region.hide()
