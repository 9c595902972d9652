"""The demo page in a real Chromium: photos in, comparison and downloads out, plain messages, and no word to anyone."""

import io
import os
import shutil
import socket
import subprocess
import threading
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.server import ROOT, Ports, TritonServer
from tests.photos import encoded, photo

PYTHON = ROOT / ".venv-ui/bin/python"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LAPTOP, PHONE = (1366, 768), (390, 844)
PATIENCE_MS = 60_000

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="the demo page is not installed: make setup-ui"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]


@contextmanager
def served(server_url: str, proxy: str = "") -> Iterator[str]:
    """The page as a process of its own; yields its address."""
    port = Ports.free().http
    environment = os.environ | {name: proxy for name in ("http_proxy", "https_proxy", "all_proxy") if proxy}
    command = [PYTHON, "-m", "clients", "ui", "--port", port, "--url", server_url]
    process = subprocess.Popen(list(map(str, command)), cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and b"Photo Enhancer" in process.stdout.readline()
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for_port(port: int) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except OSError:
            threading.Event().wait(0.1)
    raise TimeoutError(f"no page on port {port}")


class Listener:
    """A proxy that counts who asks for the outside world, and takes nobody there."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            caller, _ = self._socket.accept()
            self.asked.append(caller.recv(4096))
            caller.close()


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def address(identity_server: TritonServer, listener: Listener) -> Iterator[str]:
    """The page in front of a real server."""
    with served(identity_server.grpc_url, listener.url) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens an address; at the end nothing outside of it was asked for."""
    pages: list[tuple[Page, list[str]]] = []

    def visit(address: str, size: tuple[int, int] = LAPTOP) -> Page:
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, accept_downloads=True)
        page.set_default_timeout(PATIENCE_MS)
        foreign: list[str] = []
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((address, "data:", "blob:")) else foreign.append(request.url)
            ),
        )
        page.goto(address)
        pages.append((page, foreign))
        return page

    yield visit
    for page, foreign in pages:
        page.close()
        assert foreign == []


def upload(page: Page, field: str, files: list[dict[str, object]]) -> None:
    page.locator(f"#{field} input[type=file]").set_input_files(files)


def file(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.locator(f"#{button}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_upload_compare_and_download(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".status")).to_contain_text("Server ready")
    upload(page, "photo", [file("kitchen.jpg", encoded(photo(900, 600)))])
    expect(page.locator("#comparison img")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator("#note")).to_contain_text("900 x 600 pixels")
    name, content = downloaded(page, "download")
    assert name == "kitchen_enhanced.jpg" and Image.open(io.BytesIO(content)).size == (900, 600)


def test_slider_moves(visit: Visit, address: str) -> None:
    page = visit(address)
    upload(page, "photo", [file("kitchen.jpg", encoded(photo(900, 600)))])
    handle = page.locator("#comparison .inner")
    expect(handle).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_timeout(500)  # the picture settles into its place
    box = page.locator("#comparison img").first.bounding_box()
    start = handle.bounding_box()
    assert box is not None and start is not None
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    end = handle.bounding_box()
    assert end is not None and end["x"] - start["x"] > 0.2 * box["width"]


def test_samples_and_options(visit: Visit, address: str) -> None:
    page = visit(address)
    page.get_by_label("Fast").first.check()
    page.locator("#samples button").nth(1).click()
    expect(page.locator("#note")).to_contain_text("_enhanced.jpg", timeout=PATIENCE_MS)
    page.get_by_label("File format").first.click()
    page.get_by_role("option", name="PNG").click()
    page.locator("#enhance").click()
    expect(page.locator("#note")).to_contain_text("_enhanced.png", timeout=PATIENCE_MS)


def test_unreadable_file_gets_one_plain_message_and_the_next_photo_works(visit: Visit, address: str) -> None:
    page = visit(address)
    upload(page, "photo", [file("notes.jpg", b"call the agent")])
    expect(page.locator("#note .bad")).to_contain_text("notes.jpg: this is not a photo", timeout=PATIENCE_MS)
    expect(page.locator("#download")).to_be_hidden()
    page.locator("#samples button").first.click()
    expect(page.locator("#comparison img")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator("#note .bad")).to_have_count(0)


def test_many_photos_come_back_in_one_zip(visit: Visit, address: str) -> None:
    page = visit(address)
    page.get_by_role("tab", name="Many photos").click()
    photos = [file(f"{number}.jpg", encoded(photo(200, 100, number))) for number in range(3)]
    upload(page, "photos", [*photos, file("notes.jpg", b"call the agent")])
    expect(page.locator("#photos")).to_contain_text("notes")
    page.locator("#enhance-all").click()
    expect(page.locator("#results")).to_contain_text("4 of 4 photos", timeout=PATIENCE_MS)
    expect(page.locator("#results td.done")).to_have_count(3)
    expect(page.locator("#results td.bad")).to_contain_text("not a photo")
    name, content = downloaded(page, "zip")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == [f"{number}_enhanced.jpg" for number in range(3)]
        assert archive.testzip() is None and name == "enhanced.zip"


def test_stopped_server_is_told_in_plain_words(visit: Visit) -> None:
    with served(f"grpc://127.0.0.1:{Ports.free().grpc}") as address:
        page = visit(address)
        expect(page.locator(".status.down")).to_contain_text("Server not available", timeout=PATIENCE_MS)
        page.locator("#samples button").first.click()
        expect(page.locator("#note .bad")).to_contain_text("is the server running there?", timeout=PATIENCE_MS)
        page.close()


@pytest.mark.parametrize("size", [LAPTOP, PHONE])
def test_page_fits_its_screen(visit: Visit, address: str, size: tuple[int, int]) -> None:
    page = visit(address, size)
    page.locator("#samples button").first.click()
    expect(page.locator("#comparison img")).to_have_count(2, timeout=PATIENCE_MS)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    expect(page.locator("#comparison")).to_be_in_viewport()


def test_the_server_side_of_the_page_asks_nobody(address: str, listener: Listener) -> None:
    assert listener.asked == []
    with urllib.request.urlopen(address, timeout=5) as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "http" not in policy
