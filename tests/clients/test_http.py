"""HTTP answers that are cut, damaged, slow or endless: each is one error of the tree, in time."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from clients import AsyncEnhancer, Enhanced, Enhancer, Retry
from clients.errors import DeadlineError, EnhanceError, ServerError, UnreachableError
from tests.photos import encoded, photo

PHOTO = encoded(photo(64, 48))
HEADER = b'{"outputs": []}'
BODY = HEADER + PHOTO
Talk = Callable[[socket.socket], None]


def head(*lines: bytes, length: int = len(BODY), header: bytes = b"%d" % len(HEADER)) -> bytes:
    own = b"Inference-Header-Content-Length: " + header, b"Content-Length: %d" % length
    return b"\r\n".join((b"HTTP/1.1 200 OK", *own, *lines)) + b"\r\n\r\n"


GOOD = head() + BODY


def say(answer: bytes) -> Talk:
    return lambda client: client.sendall(answer)


def trickle(start: bytes) -> Talk:
    """Sends the start, and then a byte at a time for as long as anybody listens."""

    def talk(client: socket.socket) -> None:
        client.sendall(start)
        with contextlib.suppress(OSError):
            for _ in range(600):
                client.sendall(b"x")
                time.sleep(0.05)

    return talk


@contextlib.contextmanager
def server(*talks: Talk) -> Iterator[str]:
    """Answers each connection's one request in the next of these ways, the last one for good, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = list(talks)

    def serve(client: socket.socket, talk: Talk) -> None:
        with client, contextlib.suppress(OSError):
            request = b""
            while PHOTO not in request:
                request += client.recv(65536)
            talk(client)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                talk = left.pop(0) if len(left) > 1 else left[0]
                threading.Thread(target=serve, args=[client, talk], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def blocking(url: str, **settings: object) -> Enhanced:
    with Enhancer(url, **settings) as enhancer:
        return enhancer.enhance(PHOTO)


def awaited(url: str, **settings: object) -> Enhanced:
    async def run() -> Enhanced:
        async with AsyncEnhancer(url, **settings) as enhancer:
            return await enhancer.enhance(PHOTO)

    return asyncio.run(run())


both = pytest.mark.parametrize("enhance", [blocking, awaited])
PASSING = {
    "cut in its middle": say(head() + BODY[: len(BODY) // 2]),
    "cut in its chunks": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nxx"),
    "no gzip": say(head(b"Content-Encoding: gzip") + BODY),
    "hangs up": say(b""),
}


@both
@pytest.mark.parametrize("broken", PASSING.values(), ids=PASSING)
def test_an_answer_that_breaks_on_its_way_is_asked_for_again(enhance: Callable[..., Enhanced], broken: Talk) -> None:
    with server(broken, say(GOOD)) as url:
        assert enhance(url, retry=Retry(2, 0, 0)).data == PHOTO
    with server(broken) as url, pytest.raises(UnreachableError):
        enhance(url, retry=Retry(2, 0, 0))


@both
@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: ", head(length=10**6)])
def test_an_answer_that_trickles_ends_at_its_deadline(enhance: Callable[..., Enhanced], start: bytes) -> None:
    """It would go on for 30 s; the client ends it, whatever arrives in between."""
    with server(trickle(start)) as url, pytest.raises(DeadlineError):
        enhance(url, timeout_s=0.4, retry=Retry(1))


@both
@pytest.mark.parametrize("length", [b"", b"-5", b"1e3", b"\xb2", b"999999", b"0" * 400])
def test_a_length_that_makes_no_sense_is_an_error_of_the_tree(enhance: Callable[..., Enhanced], length: bytes) -> None:
    with server(say(head(header=length) + BODY)) as url, pytest.raises(EnhanceError):
        enhance(url, retry=Retry(1))


@both
def test_an_endless_answer_is_not_kept(enhance: Callable[..., Enhanced], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.transports.http.LARGEST_ANSWER", len(BODY) - 1)
    with server(say(GOOD)) as url, pytest.raises(ServerError, match="no photo is"):
        enhance(url)


def test_threads_share_a_blocking_client() -> None:
    with server(say(GOOD)) as url, Enhancer(url, retry=Retry(1)) as enhancer:
        answers: list[bytes] = []
        threads = [threading.Thread(target=lambda: answers.append(enhancer.enhance(PHOTO).data)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [PHOTO] * 8
