"""Under load: shared batches, shedding, cancellation, a server that outlives its clients."""

import multiprocessing
import os
import re
import signal
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tritonclient import grpc

from clients import Enhancer, Retry
from clients.errors import PhotoError, UnavailableError
from clients.request import INPUT, MODEL, OUTPUT
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo

pytestmark = pytest.mark.own_server  # whose networks change nothing, slowly enough to be met at work


def image(file: bytes) -> grpc.InferInput:
    tensor = grpc.InferInput(INPUT, [len(file)], "UINT8")
    tensor.set_data_from_numpy(np.frombuffer(file, np.uint8))
    return tensor


def executions(server: TritonServer) -> tuple[int, int]:
    """Tiles and batches that the refiner has run."""
    statistics = grpc.InferenceServerClient(f"127.0.0.1:{server.ports.grpc}").get_inference_statistics("refiner")
    return statistics.model_stats[0].inference_count, statistics.model_stats[0].execution_count


def metric(server: TritonServer, name: str, labels: str = "") -> float:
    with urllib.request.urlopen(server.metrics_url, timeout=5) as answer:
        lines = re.findall(rf"^{name}\{{[^}}]*{labels}[^}}]*\}} (\S+)$", answer.read().decode(), re.MULTILINE)
    return sum(map(float, lines))


def test_tiles_of_different_photos_share_batches(server: TritonServer) -> None:
    """Photos of one tile each: a batch of more than one holds tiles of several photos."""
    before = executions(server)
    file = encoded(photo(400, 300))
    with Enhancer(server.grpc_url) as enhancer, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: enhancer.enhance(file), range(24)))
    tiles, batches = np.subtract(executions(server), before)
    assert tiles == 24
    assert batches < tiles


def sheds(server: TritonServer, mode: str) -> float:
    """As serving.metrics defines them."""
    decoded, begun = (f"enhancer_photos_{step}_total" for step in ("decoded", "begun"))
    return metric(server, decoded, f'mode="{mode}"') - metric(server, begun, f'mode="{mode}"')


def test_overload_is_shed_as_unavailable_and_counted_and_the_rest_is_served(server: TritonServer) -> None:
    """With the shipped networks, which take several times as long as decoding: photos do wait."""
    file, modes = encoded(photo(1400, 1400)), ("full", "fast")
    before = [sheds(server, mode) for mode in modes]

    def outcome(mode: str) -> tuple[str, str]:
        try:
            return mode, enhancer.enhance(file, mode=mode).format
        except UnavailableError:
            return mode, "shed"

    with Enhancer(server.grpc_url, retry=Retry(attempts=1)) as enhancer, ThreadPoolExecutor(48) as pool:
        outcomes = Counter(pool.map(outcome, modes * 24))
        assert sum(outcomes[mode, "shed"] for mode in modes) > 0
        assert sum(outcomes[mode, "jpeg"] for mode in modes) >= 16
        assert outcomes.total() == 48
        assert enhancer.enhance(encoded(photo(64, 64))).size_px == (64, 64)
    counted = [sheds(server, mode) for mode in modes]
    assert np.subtract(counted, before).tolist() == [outcomes[mode, "shed"] for mode in modes]


def settled(server: TritonServer, name: str) -> float:
    """A counter's value once it no longer grows."""
    values = [-1.0, metric(server, name)]
    while values[-1] != values[-2]:
        time.sleep(0.5)
        values.append(metric(server, name))
    return values[-1]


def test_work_stops_when_the_clients_timeout_has_passed(identity_server: TritonServer) -> None:
    """Timeouts from long to short, until one ends between the tiles of a photo."""
    client = grpc.InferenceServerClient(f"127.0.0.1:{identity_server.ports.grpc}")
    file, timeout_s, message = image(encoded(photo(5000, 4000))), 8.0, ""
    given_up = 'reason="timeout",stage="tiler"'
    failures = metric(identity_server, "enhancer_failures_total", given_up)
    while metric(identity_server, "enhancer_failures_total", given_up) == failures:
        before, timeout_s = settled(identity_server, "enhancer_tiles_total"), 0.7 * timeout_s
        assert timeout_s > 0.01
        try:
            client.infer(MODEL, [file], parameters={"mode": "full"}, timeout=int(1e6 * timeout_s))
        except grpc.InferenceServerException as error:
            message = str(error)
    assert "timeout passed" in message
    assert settled(identity_server, "enhancer_tiles_total") - before < 99


def send_and_wait(url: str, file: bytes) -> None:
    with Enhancer(url) as enhancer:
        enhancer.enhance(file, mode="full")


def test_a_killed_client_leaves_the_server_serving(identity_server: TritonServer) -> None:
    before = metric(identity_server, "enhancer_photos_begun_total")
    client = multiprocessing.get_context("spawn").Process(
        target=send_and_wait, args=(identity_server.grpc_url, encoded(photo(3000, 2000)))
    )
    client.start()
    while metric(identity_server, "enhancer_photos_begun_total") == before:
        time.sleep(0.02)
    assert client.pid is not None
    os.kill(client.pid, signal.SIGKILL)
    client.join()
    with Enhancer(identity_server.grpc_url) as enhancer:
        assert enhancer.enhance(encoded(photo(64, 64))).size_px == (64, 64)


def test_a_small_photo_does_not_wait_for_a_large_one(identity_server: TritonServer) -> None:
    large, small = encoded(photo(5000, 4000)), encoded(photo(400, 300))
    with Enhancer(identity_server.grpc_url) as enhancer, ThreadPoolExecutor(1) as pool:
        before = metric(identity_server, "enhancer_photos_begun_total")
        waiting = pool.submit(enhancer.enhance, large, mode="full")
        while metric(identity_server, "enhancer_photos_begun_total") == before:
            time.sleep(0.02)
        enhancer.enhance(small)
        assert not waiting.done()
        assert waiting.result().size_px == (5000, 4000)


def test_photos_megapixels_tiles_and_seconds_are_counted_by_mode(identity_server: TritonServer) -> None:
    names = ("enhancer_photos_total", "enhancer_megapixels_total", "enhancer_tiles_total")

    def counts() -> list[float]:
        return [metric(identity_server, name, 'mode="full"') for name in names]

    def seconds(mode: str) -> list[float]:
        return [
            metric(identity_server, "enhancer_stage_seconds_total", f'mode="{mode}",stage="{stage}"')
            for stage in ("decode", "tiler", "encode")
        ]

    before, full_s, fast_s = counts(), seconds("full"), seconds("fast")
    with Enhancer(identity_server.grpc_url) as enhancer:
        enhancer.enhance(encoded(photo(1000, 500)), mode="full")
    assert np.subtract(counts(), before) == pytest.approx([1, 0.5, 3])
    assert (np.subtract(seconds("full"), full_s) > 0).all()
    assert seconds("fast") == fast_s


def test_failures_are_counted_by_stage_and_reason(identity_server: TritonServer) -> None:
    refused = 'reason="bad_request",stage="decode"'
    before = metric(identity_server, "enhancer_failures_total", refused)
    with Enhancer(identity_server.grpc_url) as enhancer, pytest.raises(PhotoError):
        enhancer.enhance(b"no photo")
    assert metric(identity_server, "enhancer_failures_total", refused) == before + 1


def test_no_name_and_no_pixel_is_logged(identity_server: TritonServer, tmp_path: Path) -> None:
    private = tmp_path / "Mrs-Example-bedroom.jpg"
    private.write_bytes(encoded(photo(64, 64)))
    with Enhancer(identity_server.grpc_url) as enhancer:
        enhancer.enhance(private)
    assert "Mrs-Example" not in identity_server.log.read_text(errors="replace")
    assert OUTPUT not in identity_server.log.read_text(errors="replace")
