"""The demo page as a process of its own, and what visitors do with it."""

import os
import shutil
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from deploy.server.ports import Ports
from files.checkout import ROOT

PYTHON = ROOT / ".venv-ui/bin/python"
AXE = ROOT / ".tools/node_modules/axe-core/axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The system's, or the one that was fetched for the tests."""
LAPTOP, PHONE = (1400, 900), (390, 844)
PATIENCE_MS = 60_000


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


def upload(page: Page, *files: dict[str, object]) -> None:
    page.locator("input[type=file]").set_input_files(list(files))


def file(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": content}


def downloaded(page: Page, button: str) -> tuple[str, bytes]:
    with page.expect_download() as download:
        page.locator(f"#{button}").click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def serious(page: Page) -> list[str]:
    """What axe-core finds on the page that keeps people out: rule, and the first element that breaks it."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]
