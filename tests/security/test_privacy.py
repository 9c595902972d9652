"""What is written down while photos are enhanced: never their pixels, their metadata, their names, or a key."""

import json
import logging
import re
import sqlite3
from pathlib import Path

import pytest
from PIL import Image

from clients import api_key
from clients.commands.cli import main
from clients.errors import DeniedError, PhotoError
from deploy.access import keys
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo
from tests.security.conftest import Site

NAME, METADATA, BODY, QUERY, PATH, HEADER, USER = (
    f"marker-{each}" for each in ("name", "metadata", "body", "query", "path", "header", "user")
)
LOGGED = {
    *("time", "address", "key", "endpoint", "status", "grpc_status", "bytes_in", "bytes_out", "seconds"),
    *("server", "server_status", "server_seconds"),
}


def tagged_photo(folder: Path) -> Path:
    """A photo with marks in its name and its metadata."""
    exif = Image.Exif()
    exif[0x010E] = METADATA
    path = folder / f"{NAME}.jpg"
    path.write_bytes(encoded(photo(1500, 1000), quality=95, exif=exif, comment=METADATA.encode()))
    return path


def test_neither_server_nor_proxy_write_down_what_they_are_sent(
    site: Site, restricted_server: TritonServer, tmp_path: Path
) -> None:
    path = tagged_photo(tmp_path)
    key_id, _, secret = site.key.partition(":")
    for protocol in ("grpc", "http"):
        with site.enhancer(protocol) as enhancer:
            assert METADATA.encode() in enhancer.enhance(path, mode="fast").data
            with pytest.raises(PhotoError):
                enhancer.enhance(f"{BODY} Dear server".encode())
        for wrong in (f"{key_id}:{secret}x", f"{USER}:{secret}"):
            with site.enhancer(protocol, headers=api_key(wrong)) as enhancer, pytest.raises(DeniedError):
                enhancer.enhance(path)
    with site.http() as client:
        client.get("/v2", params={"token": QUERY})
        client.get(f"/{PATH}", headers={"x-name": HEADER})
        client.get("/v2", auth=(USER, QUERY), params={"token": QUERY})
    logs = [path.read_text() for path in (restricted_server.log, *site.proxy.logs.iterdir())]
    for mark in (NAME, METADATA, BODY, QUERY, PATH, HEADER, USER, secret, api_key(site.key)["authorization"], "JFIF"):
        assert not [log for log in logs if mark in log], mark
    assert {frozenset(entry) for entry in site.access_log} == {frozenset(LOGGED)}
    assert key_id in {entry["key"] for entry in site.access_log}


def test_photos_pass_the_proxy_without_touching_its_disk(site: Site) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.proxy.state.rglob("*") if path.is_dir()}
    large = encoded(photo(3000, 2000), quality=95)
    for protocol in ("grpc", "http"):
        with site.enhancer(protocol) as enhancer:
            enhancer.enhance(large, mode="fast")
    assert before == {path: path.stat().st_mtime_ns for path in site.proxy.state.rglob("*") if path.is_dir()}


def test_the_client_names_photos_only_where_a_person_needs_it(
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A photo that fails is named on the screen and in the report; the ledger has names and hashes, no pixels."""
    shoot, edited = tmp_path / "shoot", tmp_path / "edited"
    shoot.mkdir()
    source = tagged_photo(shoot)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ENHANCE_API_KEY", site.key)
    connection = ["--url", site.proxy.https_url, "--root-certificates", str(site.proxy.certificates.authority)]
    assert main(["batch", str(shoot), str(edited), "--mode", "fast", *connection]) == 0
    told = "".join(capsys.readouterr()) + caplog.text
    secret = site.key.partition(":")[2]
    assert NAME not in told and METADATA not in told and secret not in told
    (shoot / "notes.jpg").write_text(BODY)
    assert main(["batch", str(shoot), str(edited), "--mode", "fast", *connection]) == 1
    told = "".join(capsys.readouterr()) + caplog.text
    assert "notes.jpg" in told and BODY not in told

    ledger = (edited / ".enhance.sqlite").read_bytes()
    assert NAME.encode() in ledger and METADATA.encode() not in ledger and secret.encode() not in ledger
    assert source.read_bytes()[1000:1100] not in ledger
    with sqlite3.connect(edited / ".enhance.sqlite") as database:
        rows = json.dumps(list(database.execute("SELECT * FROM photos")))
    assert re.search(r'"[0-9a-f]{64}"', rows)


def test_a_revoked_key_leaves_no_trace_of_its_secret(site: Site) -> None:
    key_id, _, secret = keys.add("guest", site.proxy.keys).partition(":")
    assert keys.revoke(key_id, site.proxy.keys) == [key_id]
    assert not [path for path in site.proxy.keys.parent.iterdir() if path.is_file() and secret in path.read_text()]
