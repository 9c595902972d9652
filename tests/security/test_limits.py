"""What one key may do: so large, so many, so often; without a harm to others."""

import contextlib
import http.client
import os
import pwd
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from clients import api_key
from clients.commands.cli import main
from clients.errors import BusyError, PhotoError
from deploy.access import keys
from deploy.access.certificates import Certificates
from deploy.proxy import Limits, settings
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo
from tests.security.conftest import PHOTO, Site, start

BOTH = pytest.mark.parametrize("protocol", ["grpc", "http"])
LIMITS = Limits(rate="1r/m", burst=6, in_flight=2, body="200k")
TOO_LARGE = encoded(photo(1500, 1000), quality=95)


@pytest.fixture(scope="module")
def narrow(
    restricted_server: TritonServer, certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A proxy with limits that a test can reach."""
    folder = tmp_path_factory.mktemp("narrow")
    keys.add("unused", folder / "api-keys")
    with start(restricted_server, certificates, folder, limits=LIMITS) as proxy:
        yield Site(proxy, "")


@pytest.fixture
def site(narrow: Site) -> Site:
    """With a key that has all of its limits left."""
    return Site(narrow.proxy, keys.add("studio", narrow.proxy.keys))


@BOTH
def test_photo_over_the_limit_is_refused_with_the_limit(site: Site, protocol: str) -> None:
    assert len(TOO_LARGE) > 200 << 10
    with site.enhancer(protocol) as enhancer, pytest.raises(PhotoError, match="larger than 200k"):
        enhancer.enhance(TOO_LARGE)


def test_body_without_a_length_is_cut_off_at_the_limit(site: Site) -> None:
    with site.http() as client:
        answer = client.post("/v2/models/enhance/infer", content=(bytes(50_000) for _ in range(10)))
    assert answer.status_code == 413


@BOTH
def test_too_many_requests_are_told_to_come_later_and_others_are_served(site: Site, protocol: str) -> None:
    other = Site(site.proxy, keys.add("other", site.proxy.keys))
    with site.enhancer(protocol) as enhancer, pytest.raises(BusyError, match="too many requests"):
        for _ in range(LIMITS.burst + 10):
            enhancer.check()
    with other.enhancer(protocol) as enhancer:
        enhancer.enhance(PHOTO, mode="fast")


@pytest.mark.parametrize("spelling", ["basic {}", "BASIC {}", "Basic   {}"])
def test_other_spellings_of_a_key_share_its_limit(site: Site, spelling: str) -> None:
    with site.http() as client:
        while client.get("/v2").status_code == 200:
            pass
        spelt = spelling.format(api_key(site.key)["authorization"].split()[1])
        assert client.get("/v2", headers={"authorization": spelt}).status_code == 429


def test_nobody_uses_up_the_limit_of_a_holder_by_its_name(site: Site) -> None:
    with site.http(key="studio:guess") as stranger:
        assert {stranger.get("/v2").status_code for _ in range(LIMITS.burst + 3)} == {401, 429}
    with site.http() as client:
        assert client.get("/v2").status_code == 200


def test_requests_at_a_time_are_limited(site: Site) -> None:
    """Two uploads are begun and not ended; a third finds no room until one of them ends."""
    uploads = [half_an_upload(site) for _ in range(LIMITS.in_flight)]
    with site.http() as client:
        wait_for(client, 429)
        for upload in uploads:
            upload.close()
        wait_for(client, 200)


def test_an_upload_on_which_nothing_moves_is_ended(
    restricted_server: TritonServer, certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After half a minute, or a second here; nginx itself would wait for a whole one."""
    text = settings.TEMPLATE.read_text()
    assert "client_body_timeout 30s" in text
    template = tmp_path / "nginx.conf.template"
    template.write_text(text.replace("client_body_timeout 30s", "client_body_timeout 1s"))
    monkeypatch.setattr(settings, "TEMPLATE", template)
    key = keys.add("studio", tmp_path / "api-keys")
    with start(restricted_server, certificates, tmp_path) as proxy:
        upload = half_an_upload(Site(proxy, key))
        upload.sock.settimeout(30)
        while upload.sock.recv(1 << 16):
            pass


def half_an_upload(site: Site) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=site.proxy.certificates.authority)
    connection = http.client.HTTPSConnection("127.0.0.1", site.proxy.port, context=context)
    connection.putrequest("POST", "/v2/models/enhance/infer")
    for name, value in {**api_key(site.key), "content-length": "1000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"half")
    return connection


def wait_for(client: httpx.Client, status: int) -> None:
    """Until the proxy has noticed what other connections do; each look costs one of the requests."""
    for _ in range(LIMITS.burst):
        if client.get("/v2").status_code == status:
            return
        time.sleep(0.3)
    pytest.fail(f"no status {status}")


def test_commands_end_with_a_sentence_and_a_code_of_their_own(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    (tmp_path / "large.jpg").write_bytes(TOO_LARGE)
    monkeypatch.setenv("ENHANCE_URL", site.proxy.grpcs_url)
    trust = ["--root-certificates", str(site.proxy.certificates.authority), "--patience-s", "0.2", "--overwrite", "-o"]

    def code(name: str, key: str) -> int:
        monkeypatch.setenv("ENHANCE_API_KEY", key)
        return main([str(tmp_path / name), *trust, str(tmp_path / "out.jpg")])

    assert code("photo.jpg", "studio-00000000:wrong") == 3
    assert "API key is missing, unknown or revoked" in capsys.readouterr().err
    assert code("large.jpg", site.key) == 1
    assert "larger than 200k" in capsys.readouterr().err
    assert code("photo.jpg", site.key) == 0
    with site.http() as client:
        while client.get("/v2").status_code == 200:
            pass
    assert code("photo.jpg", site.key) == 3
    assert "too many requests" in capsys.readouterr().err


def test_keys_do_not_travel_readable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text("studio-1:secret\n")
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    for url in ("grpc://spark.local", "http://10.0.0.1"):
        command = [str(tmp_path / "photo.jpg"), "--url", url, "--api-key", f"@{tmp_path / 'key'}"]
        assert main(command) == 2
        assert "use grpcs:// or https://" in capsys.readouterr().err


@pytest.mark.parametrize("key", ["secret", ":", "id:", ":secret", "id:se\ncret"])
def test_text_that_is_no_key_is_found_before_anything_is_sent(key: str) -> None:
    with pytest.raises(ValueError, match="ID:SECRET"):
        api_key(key)


FLOOD = 2500
"""More connections than nginx holds by default with two workers."""


@pytest.fixture
def half_open(site: Site) -> Iterator[list[socket.socket]]:
    """Strangers who connect, say half of a request, and no more."""
    context = ssl.create_default_context(cafile=site.proxy.certificates.authority)
    with contextlib.ExitStack() as stack:
        connections = []
        for number in range(FLOOD):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", site.proxy.port)))
            if number % 25 == 0:  # most stop within the handshake, some within the request
                plain = stack.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            plain.sendall(b"GET /v2 HTTP/1.1\r\nHost: half" if number % 25 == 0 else b"\x16\x03\x01")
            connections.append(plain)
        yield connections


@BOTH
def test_half_open_requests_of_strangers_shut_nobody_out(
    site: Site, half_open: list[socket.socket], protocol: str
) -> None:
    with site.enhancer(protocol) as enhancer:
        enhancer.enhance(PHOTO, mode="fast")
    for connection in (half_open[0], half_open[-1]):  # and none stays for long
        connection.settimeout(30)
        with contextlib.suppress(ConnectionResetError):
            while connection.recv(1 << 16):
                pass


@pytest.mark.parametrize("key", [None, "studio-00000000:guess"])
def test_a_flood_of_strangers_behind_a_holders_address_takes_none_of_its_room(site: Site, key: str | None) -> None:
    headers = api_key(key) if key else {}
    with site.http() as stranger, ThreadPoolExecutor(4) as pool:
        del stranger.headers["authorization"]

        def refused(_: int) -> int:
            return stranger.get("/v2", headers=headers).status_code

        assert set(pool.map(refused, range(600))) <= {401, 429}
    with site.http() as client:
        assert client.get("/v2").status_code == 200


def test_started_by_root_the_workers_are_nobody(site: Site) -> None:
    if os.geteuid():
        pytest.skip("nginx is root's only where root starts it")
    workers = Path(f"/proc/{site.proxy.process.pid}/task/{site.proxy.process.pid}/children").read_text().split()
    assert workers
    assert {Path("/proc", worker).stat().st_uid for worker in workers} == {pwd.getpwnam("nobody").pw_uid}
