"""Photos decoded in real workers, with DALI: right, alone in their memory, within limits, whatever workers do."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codec import decoding, shared, workers
from codec.decoding import Decoder
from codec.errors import RequestError
from codec.upright import shrink
from codec.worker import Job
from codec.workers import Worker
from deploy.server.triton import SERVER_PYTHON
from tests.codec.files import PIXELS, chunk, exif, with_chunks
from tests.kinds import KINDS, Kind
from tests.photos import decoded, encoded, photo

JPEG = encoded(PIXELS)
KIND = {kind.name: kind for kind in KINDS}
JPEGS = [kind for kind in KINDS if kind.format == "jpeg"]
LARGE = photo(3000, 2000)


class Patient:
    """Who waits as long as it takes."""

    def check(self) -> None:
        """Nothing."""


class ClientGoneError(Exception):
    """The deadline passed."""


class Impatient:
    """Who waits until they are told to go."""

    def check(self) -> None:
        """Raise."""
        raise ClientGoneError


@pytest.fixture(scope="module")
def started() -> Iterator[Decoder]:
    decoder = Decoder("cpu", 120, python=SERVER_PYTHON)
    yield decoder
    decoder.close()


@pytest.fixture
def decoder(started: Decoder) -> Decoder:
    """Without a memory of what earlier tests did to its workers."""
    started._deaths = decoding.Deaths()
    return started


def decode(decoder: Decoder, file: bytes) -> NDArray[np.uint8]:
    return decoder.decode(np.frombuffer(file, np.uint8), Patient()).pixels.copy()


def worker_pid(decoder: Decoder) -> int:
    return decoder._worker.pid


def state(pid: int) -> str:
    """Of a process: R, S, T (stopped), Z (dead and not yet missed), or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return ""


def wait_until(happened: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < end_s, "it did not happen"
        time.sleep(0.01)


@pytest.mark.parametrize("kind", JPEGS, ids=lambda kind: kind.name)
def test_dali_reads_jpeg_as_pillow_does(decoder: Decoder, kind: Kind) -> None:
    np.testing.assert_array_equal(decode(decoder, kind.file), kind.pixels)


@pytest.mark.parametrize("name", ["png RGBA, 16 bits", "tiff RGB in planes, 16 bits, big-endian"])
def test_samples_of_16_bits_travel_low_byte_first(decoder: Decoder, name: str) -> None:
    expected = KIND[name].pixels
    pixels = decode(decoder, KIND[name].file)
    assert pixels.shape == (*expected.shape[:2], 2 * expected.shape[2])
    np.testing.assert_array_equal(pixels[..., ::2], expected & 255)
    np.testing.assert_array_equal(pixels[..., 1::2], expected >> 8)


@pytest.mark.parametrize("file", [encoded(LARGE), encoded(PIXELS, "PNG"), KIND["tiff RGB, 16 bits, LZW"].file])
def test_the_coarse_tile_is_the_upright_photo_shrunk(decoder: Decoder, file: bytes) -> None:
    photo = decoder.decode(np.frombuffer(file, np.uint8), Patient())
    pixels = photo.pixels if photo.pixels.shape[2] == 3 else photo.pixels.view(np.uint16)
    assert photo.coarse.shape == (512, 512, 3) and photo.coarse.dtype == np.float32
    np.testing.assert_array_equal(photo.coarse, shrink(pixels))
    full = np.iinfo(pixels.dtype).max
    np.testing.assert_allclose(photo.coarse.mean((0, 1)), pixels.mean((0, 1)) / full, atol=0.01)


def test_a_worker_keeps_nothing_of_the_photo_before(decoder: Decoder) -> None:
    """A photo that ends early shows its decoder's grey behind its end, never what lay in memory."""
    white, black = encoded(np.full_like(LARGE, 255)), encoded(np.zeros_like(LARGE), restart_marker_blocks=1)
    scan = black.index(b"\xff\xda") + 14
    short = black[: scan + (len(black) - scan) // 2] + b"\xff\xd9"
    for _ in range(3):
        assert decode(decoder, white).min() == 255
        np.testing.assert_array_equal(decode(decoder, short), decoded(short))


def test_memory_is_used_again_and_a_large_one_is_given_back(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    decode(decoder, JPEG)
    buffer = decoder._worker.buffer
    decode(decoder, encoded(PIXELS, "PNG"))
    assert decoder._worker.buffer is buffer
    pid = worker_pid(decoder)
    monkeypatch.setattr(decoding, "KEPT_BYTES", shared.GRAIN)
    large = decoder.decode(np.frombuffer(encoded(np.full((3000, 4000, 3), 7, np.uint8)), np.uint8), Patient())
    assert worker_pid(decoder) != pid
    decode(decoder, JPEG)
    assert (large.pixels == 7).all()  # alive, although its worker is not


def test_no_worker_can_shrink_the_memory_that_the_model_reads() -> None:
    buffer = shared.Buffer(1)
    with pytest.raises(PermissionError):
        os.ftruncate(buffer.handle, 0)
    buffer.close()


def test_damage_is_an_error_of_the_photo_and_the_worker_goes_on(decoder: Decoder) -> None:
    pid = worker_pid(decoder)
    broken = bytearray(encoded(LARGE, "PNG"))
    broken[20_000:20_100] = bytes(100)
    with pytest.raises(RequestError, match="damaged or incomplete"):
        decode(decoder, bytes(broken))
    assert worker_pid(decoder) == pid
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_a_worker_that_died_between_photos_is_replaced_and_no_photo_blamed(decoder: Decoder) -> None:
    for _ in range(3):
        os.kill(worker_pid(decoder), signal.SIGKILL)
        wait_until(lambda: not decoder._worker.is_ready())
        np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_a_dead_zygote_is_replaced(decoder: Decoder) -> None:
    decoder._zygote._process.kill()
    decoder._zygote._process.wait()  # its workers have got their signal by then
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_a_photo_that_kills_two_workers_is_refused_and_remembered(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers are stopped before they get the photo, and killed once they hold it: a crash while it is decoded."""
    deadly, begin = encoded(photo(200, 100, seed=3)), Worker.begin
    for each in (decoder._worker, decoder._spare):
        assert each.is_ready()
        os.kill(each.pid, signal.SIGSTOP)

    def begin_and_die(worker: Worker, job: Job) -> bool:
        assert begin(worker, job)
        os.kill(worker.pid, signal.SIGKILL)
        return True

    with monkeypatch.context() as patched:
        patched.setattr(Worker, "begin", begin_and_die)
        with pytest.raises(RequestError, match="cannot be decoded: it died"):
            decode(decoder, deadly)
    pid = worker_pid(decoder)
    with pytest.raises(RequestError, match="has ended its decoder before"):
        decode(decoder, deadly)
    assert worker_pid(decoder) == pid  # it was not even asked
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_a_hang_ends_with_the_clients_patience(decoder: Decoder) -> None:
    hung = worker_pid(decoder)
    os.kill(hung, signal.SIGSTOP)
    with pytest.raises(ClientGoneError):
        decoder.decode(np.frombuffer(JPEG, np.uint8), Impatient())
    assert not state(hung)
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_a_hang_ends_by_itself(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WALL_FACTOR", 0.1)
    assert decoder._worker.is_ready()
    os.kill(worker_pid(decoder), signal.SIGSTOP)
    with pytest.raises(RequestError, match="took too long"):
        decode(decoder, encoded(photo(200, 100, seed=4)))


def test_a_worker_that_waits_for_a_core_is_not_taken_for_a_hung_one(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a starved machine good photos were refused as damaged."""
    began_s, pid = time.monotonic(), worker_pid(decoder)
    monkeypatch.setattr(decoding, "WALL_FACTOR", 0.1)
    monkeypatch.setattr(workers, "starved_s", lambda _: time.monotonic() - began_s)
    assert decoder._worker.is_ready()
    os.kill(pid, signal.SIGSTOP)
    waking = threading.Timer(1.5, os.kill, (pid, signal.SIGCONT))
    waking.start()
    file = encoded(photo(200, 100, seed=5))
    np.testing.assert_array_equal(decode(decoder, file), decoded(file))
    waking.join()
    assert worker_pid(decoder) == pid


def test_how_long_a_process_waits_for_a_core_is_known() -> None:
    core = min(os.sched_getaffinity(0))
    busy = [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, [{core}])\nwhile True: pass"]
    one, other, idle = processes = [subprocess.Popen(command) for command in (busy, busy, ["sleep", "600"])]
    try:
        wait_until(lambda: min(workers.starved_s(each.pid) for each in (one, other)) > 0.2)
        assert workers.starved_s(idle.pid) < 0.2
    finally:
        for each in processes:
            each.kill()
            each.wait()
    assert workers.starved_s(idle.pid) == 0


def test_a_photo_that_takes_too_much_processor_time_is_refused(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "PROCESSOR_S", 0)
    monkeypatch.setattr(decoding, "PROCESSOR_S_PER_MEGAPIXEL", 0)
    monkeypatch.setattr(decoding, "WALL_FACTOR", float("inf"))
    file = encoded(LARGE, quality=95, progressive=True)
    last = file.rindex(b"\xff\xda")
    slow = file[:-2] + file[last:-2] * 85 + file[-2:]
    with pytest.raises(RequestError, match="took too long"):
        decode(decoder, slow)


def test_a_photo_that_takes_too_much_memory_is_refused(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MEMORY_BYTES", 1 << 20)
    monkeypatch.setattr(decoding, "MEMORY_BYTES_PER_PIXEL", 0)
    with pytest.raises(RequestError, match="takes more memory"):
        decode(decoder, encoded(LARGE, "PNG", compress_level=1))
    np.testing.assert_array_equal(decode(decoder, JPEG), decoded(JPEG))


def test_what_crashed_opencv_is_upright_now(decoder: Decoder) -> None:
    """A directory that declares more than it holds, on its side: DALI's fallback to OpenCV wrote beyond its buffer."""
    block = bytearray(exif(6))
    block[8] = 200
    wide = photo(96, 64)
    file = with_chunks(encoded(wide, "PNG"), chunk(b"eXIf", bytes(block)))
    np.testing.assert_array_equal(decode(decoder, file), np.rot90(wide, -1))


def test_a_decoder_that_cannot_decode_does_not_start(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="no worker of decode starts; the server's log says why"):
        Decoder("abacus", 120, python=SERVER_PYTHON)
    assert "KeyError: 'abacus'" in capfd.readouterr().err


def test_workers_end_with_their_decoder() -> None:
    """Even one that hangs."""
    decoder = Decoder("cpu", 120, python=SERVER_PYTHON)
    os.kill(decoder._spare.pid, signal.SIGSTOP)
    pids = [decoder._worker.pid, decoder._spare.pid, decoder._zygote._process.pid]
    decoder.close()
    wait_until(lambda: not any(map(state, pids)))


def test_a_pipeline_has_no_decoder_but_those_of_jpeg(decoder: Decoder) -> None:
    decode(decoder, JPEG)
    loaded = Path(f"/proc/{worker_pid(decoder)}/maps").read_text()
    assert "libjpeg_turbo_ext" in loaded and "libopencv_ext" not in loaded
