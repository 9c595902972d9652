"""The library: what it promises about retries, deadlines, errors and encryption, in both flavours."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import trustme

from clients import AsyncEnhancer, Enhanced, Enhancer, FakeTransport, Retry, Tls
from clients.errors import (
    BusyError,
    DeadlineError,
    DeniedError,
    EnhanceError,
    OptionError,
    PhotoError,
    ProtocolError,
    ServerError,
    UnavailableError,
    UnreachableError,
)
from clients.transports import Address
from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from tests.clients.strict_server import StrictServer, running
from tests.photos import encoded, photo

PHOTO = encoded(photo(64, 48))
Enhance = Callable[..., Enhanced]


def blocking(content: bytes, client: dict[str, object], **options: object) -> Enhanced:
    with Enhancer(**client) as enhancer:
        return enhancer.enhance(content, **options)


def awaited(content: bytes, client: dict[str, object], **options: object) -> Enhanced:
    async def run() -> Enhanced:
        async with AsyncEnhancer(**client) as enhancer:
            return await enhancer.enhance(content, **options)

    return asyncio.run(run())


@pytest.fixture(params=[blocking, awaited])
def enhance(request: pytest.FixtureRequest) -> Enhance:
    """Both flavours of the client, as one function."""
    return request.param


def failing(*errors: EnhanceError) -> FakeTransport:
    """A server that raises the given errors, one for each request, and then answers."""
    left = list(errors)

    def answer(content: bytes, parameters: object) -> bytes:
        if left:
            raise left.pop(0)
        return content

    return FakeTransport(answer)


def test_sends_only_the_options_that_were_given(enhance: Enhance) -> None:
    fake = FakeTransport()
    enhanced = enhance(PHOTO, {"transport": fake}, mode="fast", strength=0.5)
    assert fake.requests == [{"mode": "fast", "strength": "0.5"}]
    assert (enhanced.data, enhanced.size_px, enhanced.format) == (PHOTO, (64, 48), "jpeg")


@pytest.mark.parametrize(
    "options", [{"mode": "slow"}, {"strength": 2}, {"strength": float("nan")}, {"quality": 0}, {"format": "gif"}]
)
def test_wrong_options_are_found_before_anything_is_sent(enhance: Enhance, options: dict[str, object]) -> None:
    fake = FakeTransport()
    with pytest.raises(OptionError, match=next(iter(options))):
        enhance(PHOTO, {"transport": fake}, **options)
    assert not fake.requests


def test_misspelt_option_is_named(enhance: Enhance) -> None:
    with pytest.raises(OptionError, match="strenght"):
        enhance(PHOTO, {"transport": FakeTransport()}, strenght=1)


def test_unavailable_is_tried_again_with_growing_pauses(enhance: Enhance) -> None:
    fake = failing(*[BusyError("full")] * 3)
    enhance(PHOTO, {"transport": fake, "retry": Retry(attempts=4, first_wait_s=1.0)})
    assert len(fake.requests) == 4
    assert all(0 <= slept_s <= limit_s for slept_s, limit_s in zip(fake.slept_s, (1, 2, 4), strict=True))


def test_pauses_are_random() -> None:
    assert len({Retry(first_wait_s=1.0).wait_s(3) for _ in range(20)}) > 10


def test_gives_up_after_the_agreed_attempts(enhance: Enhance) -> None:
    fake = failing(*[UnreachableError("gone")] * 9)
    with pytest.raises(UnreachableError):
        enhance(PHOTO, {"transport": fake, "retry": Retry(attempts=3)})
    assert len(fake.requests) == 3


@pytest.mark.parametrize("kind", [PhotoError, ServerError, DeadlineError, DeniedError, ProtocolError])
def test_nothing_but_unavailable_is_tried_again(enhance: Enhance, kind: type[EnhanceError]) -> None:
    fake = failing(kind("no"))
    with pytest.raises(kind):
        enhance(PHOTO, {"transport": fake})
    assert len(fake.requests) == 1 and not issubclass(kind, UnavailableError)


def test_pauses_never_pass_the_deadline(enhance: Enhance) -> None:
    fake = failing(*[BusyError("full")] * 99)
    with pytest.raises(BusyError):
        enhance(PHOTO, {"transport": fake, "timeout_s": 0.5, "retry": Retry(50, first_wait_s=5, longest_wait_s=5)})
    assert sum(fake.slept_s) < 50 * 0.5


def test_photo_that_waited_past_its_deadline_in_the_queue_is_not_sent_again(enhance: Enhance) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        time.sleep(0.1)
        raise BusyError("Request timeout expired")

    fake = FakeTransport(answer)
    with pytest.raises(DeadlineError, match=r"no answer within 0\.05 s"):
        enhance(PHOTO, {"transport": fake, "timeout_s": 0.05})
    assert len(fake.requests) == 1


def test_answer_that_is_no_image_is_a_server_error(enhance: Enhance) -> None:
    with pytest.raises(ServerError, match="no whole photo"):
        enhance(PHOTO, {"transport": FakeTransport(lambda content, parameters: b"<html>")})


def test_empty_photo_is_refused(enhance: Enhance) -> None:
    with pytest.raises(OptionError, match="empty"):
        enhance(b"", {"transport": FakeTransport()})


@pytest.mark.parametrize("url", ["127.0.0.1:8001", "ftp://host", "grpc://", "grpc://host:99999", "http://host/v2", ""])
def test_wrong_address_is_explained(url: str) -> None:
    with pytest.raises(OptionError):
        Enhancer(url)


@pytest.mark.parametrize(
    ("url", "netloc"),
    [("grpc://spark", "spark:8001"), ("https://spark:443", "spark:443"), ("http://[::1]", "[::1]:8000")],
)
def test_addresses_have_tritons_default_ports(url: str, netloc: str) -> None:
    assert Address.parse(url).netloc == netloc


def test_headers_and_deadline_reach_the_server(enhance: Enhance) -> None:
    server = StrictServer(headers={"authorization": "Bearer key"})
    with running(server) as port:
        url = f"grpc://127.0.0.1:{port}"
        enhance(PHOTO, {"url": url, "headers": {"Authorization": "Bearer key"}, "timeout_s": 30})
        with pytest.raises(DeniedError):
            enhance(PHOTO, {"url": url})
    assert server.answered == [PHOTO]
    assert 25e6 < server.timeouts_us[0] <= 30e6


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "INTERNAL", "NOT_FOUND"])
def test_server_sees_a_refused_photo_once(enhance: Enhance, code: str) -> None:
    server = StrictServer()
    server.failures = [grpc.StatusCode[code]]
    with running(server) as port, pytest.raises(PhotoError if code == "INVALID_ARGUMENT" else ServerError):
        enhance(PHOTO, {"url": f"grpc://127.0.0.1:{port}"})
    assert not server.failures and not server.answered


def test_deadline_ends_a_request_that_hangs(enhance: Enhance) -> None:
    server = StrictServer()
    server.hold.clear()
    with running(server) as port, pytest.raises(DeadlineError):
        enhance(PHOTO, {"url": f"grpc://127.0.0.1:{port}", "timeout_s": 0.3})


@pytest.mark.parametrize("trusted", [True, False])
def test_mutual_tls(enhance: Enhance, tmp_path: Path, trusted: bool) -> None:
    authority, client = trustme.CA(), trustme.CA().issue_cert("client")
    if trusted:
        client = authority.issue_cert("client")
    own = authority.issue_cert("127.0.0.1")
    files = {"ca": authority.cert_pem, "key": client.private_key_pem, "chain": client.cert_chain_pems[0]}
    for name, pem in files.items():
        pem.write_to_path(tmp_path / name)
    tls = Tls(*(tmp_path / name for name in files))
    credentials = grpc.ssl_server_credentials(
        [(own.private_key_pem.bytes(), own.cert_chain_pems[0].bytes())], authority.cert_pem.bytes(), True
    )
    with running(StrictServer(), credentials) as port:
        client_settings = {"url": f"grpcs://127.0.0.1:{port}", "tls": tls, "retry": Retry(attempts=1)}
        if trusted:
            assert enhance(PHOTO, client_settings).data == PHOTO
        else:
            with pytest.raises(UnreachableError):
                enhance(PHOTO, client_settings)


def test_half_a_client_certificate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.pem").touch()
    with pytest.raises(OptionError, match="both"):
        Tls(private_key=tmp_path / "key.pem")
    with pytest.raises(OptionError, match=r"no such certificate file: .*missing\.pem"):
        Tls(root_certificates=tmp_path / "missing.pem")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_real_server_answers_in_both_flavours_and_protocols(
    enhance: Enhance, protocol: str, identity_server: TritonServer, tmp_path: Path
) -> None:
    url = {"grpc": identity_server.grpc_url, "http": identity_server.http_url}[protocol]
    (tmp_path / "photo.png").write_bytes(encoded(photo(320, 200), "PNG"))
    enhanced = enhance(tmp_path / "photo.png", {"url": url}, format="jpeg", quality=50)
    assert (enhanced.size_px, enhanced.format) == ((320, 200), "jpeg")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_real_servers_refusal_is_a_photo_error(enhance: Enhance, protocol: str, identity_server: TritonServer) -> None:
    url = {"grpc": identity_server.grpc_url, "http": identity_server.http_url}[protocol]
    with pytest.raises(PhotoError, match=r"^this is not a photo"):
        enhance(b"Dear server", {"url": url})


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_wrong_port_is_told_from_no_server(enhance: Enhance, protocol: str, identity_server: TritonServer) -> None:
    ports, once = identity_server.ports, Retry(attempts=1)
    wrong = {"grpc": ports.http, "http": ports.grpc}[protocol]
    with pytest.raises((ProtocolError, UnreachableError), match=f"{protocol.upper().replace('GRPC', 'gRPC')}"):
        enhance(PHOTO, {"url": f"{protocol}://127.0.0.1:{wrong}", "retry": once})
    with pytest.raises(UnreachableError, match="is the server running there"):
        enhance(PHOTO, {"url": f"{protocol}://127.0.0.1:{Ports.free().http}", "retry": once})


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_check_says_what_is_wrong(protocol: str, identity_server: TritonServer) -> None:
    with Enhancer({"grpc": identity_server.grpc_url, "http": identity_server.http_url}[protocol]) as enhancer:
        enhancer.check()
    with Enhancer(f"{protocol}://127.0.0.1:{Ports.free().http}") as enhancer, pytest.raises(UnreachableError):
        enhancer.check()
