"""The demo page in a real Chromium: photos in, comparison and downloads out, plain messages, and no word to anyone."""

import io
import urllib.request
import zipfile
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from tests.clients.page.pages import (
    AXE,
    CHROMIUM,
    LAPTOP,
    PATIENCE_MS,
    PHONE,
    PYTHON,
    Listener,
    downloaded,
    file,
    serious,
    served,
    upload,
)
from tests.clients.proxy import Proxy
from tests.photos import encoded, photo

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="the demo page is not installed: make setup PART=ui"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: make setup PART=tools"),
]
Visit = Callable[..., Page]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
KITCHEN = file("kitchen.jpg", encoded(photo(1800, 1200)))
PLACES = (
    "[...document.querySelectorAll('.stage img')].map(i => { const r = i.getBoundingClientRect(); return [r.x, r.y]; })"
)
NOTES = file("notes.jpg", b"call the agent")


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
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens an address; at the end nothing outside of it was asked for, and no script failed."""
    pages: list[tuple[Page, list[str]]] = []

    def visit(address: str) -> Page:
        page = browser.new_page(viewport={"width": LAPTOP[0], "height": LAPTOP[1]})
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        faults: list[str] = []
        own = (address, "data:", "blob:")
        page.on("request", lambda request: None if request.url.startswith(own) else faults.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        expect(page.locator(".status")).to_be_visible()
        pages.append((page, faults))
        return page

    yield visit
    for page, faults in pages:
        page.close()
        assert faults == []


def widths(page: Page) -> list[tuple[int, float]]:
    """Of both photos in the comparison: pixels of the file, pixels on the screen."""
    script = "[...document.querySelectorAll('.stage img')].map(i => [i.naturalWidth, i.getBoundingClientRect().width])"
    return [(file_px, screen_px) for file_px, screen_px in page.evaluate(script)]


def edge(page: Page) -> float:
    """Where the divider is, as a fraction of what is seen of the photo."""
    divider, stage = page.locator(".divider").bounding_box(), page.locator(".stage").bounding_box()
    assert divider is not None and stage is not None
    return (divider["x"] - stage["x"]) / stage["width"]


def test_one_photo_is_compared_and_downloaded(visit: Visit, address: str) -> None:
    page = visit(address)
    expect(page.locator(".status")).to_contain_text("Server ready")
    upload(page, KITCHEN)
    expect(page.get_by_alt_text("kitchen.jpg, after")).to_be_visible()
    expect(page.locator("#note")).to_contain_text("1800 x 1200 pixels")
    page.get_by_label("Divider between before and after").focus()
    page.keyboard.press("End")
    assert edge(page) > 0.95
    page.locator(".stage").click(position={"x": 30, "y": 30})
    assert edge(page) < 0.1
    name, content = downloaded(page, "download")
    assert name == "kitchen_enhanced.jpg" and Image.open(io.BytesIO(content)).size == (1800, 1200)


@pytest.mark.parametrize("mode", ["Full quality", "Fast"])
def test_every_pixel_at_100_percent_in_the_same_place(visit: Visit, address: str, mode: str) -> None:
    page = visit(address)
    page.get_by_label(mode).check()
    upload(page, KITCHEN)
    zoom = page.get_by_role("button", name="100 %")
    zoom.press("Enter")
    expect(zoom).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("[...document.querySelectorAll('.stage img')].every(i => i.naturalWidth == 1800)")
    assert widths(page) == [(1800, 1800), (1800, 1800)]
    page.locator(".stage").press("ArrowRight")
    page.wait_for_function("document.querySelector('.stage').scrollLeft > 0")
    first, second = page.evaluate(PLACES)  # both at once: scrolling goes on
    assert first == second and abs(edge(page) - 0.5) < 0.02


def test_a_batch_is_listed_with_names_and_thumbnails(visit: Visit, address: str) -> None:
    page = visit(address)
    hall = encoded(photo(200, 100, 1))
    upload(page, file("hall.jpg", hall), file("hall.jpg", hall), file("deep.png", encoded(photo(90, 60), "PNG")), NOTES)
    expect(page.locator("#note")).to_contain_text("4 photos: say what they are")
    page.locator("#enhance").click()
    expect(page.locator("#pictures h2")).to_have_text("4 of 4 pictures")
    expect(page.locator("#pictures img[alt=before]")).to_have_count(3)
    expect(page.locator("#pictures img[alt=after]")).to_have_count(3)
    expect(page.locator("#pictures .bad")).to_contain_text("this is not a photo")
    page.locator("#pictures").get_by_text("deep.png", exact=True).click()
    expect(page.get_by_alt_text("deep.png, before")).to_be_visible()
    page.locator("#pictures").get_by_text("notes.jpg").click()
    expect(page.locator("#note .bad")).to_contain_text("notes.jpg: this is not a photo")
    name, content = downloaded(page, "download")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert sorted(archive.namelist()) == ["deep_enhanced.png", "hall_2_enhanced.jpg", "hall_enhanced.jpg"]
        assert archive.testzip() is None and name == "enhanced.zip"


def test_brackets_become_one_picture(visit: Visit, address: str) -> None:
    page = visit(address)
    scene = photo(300, 200).astype(np.float32)
    upload(page, *(file(f"{ev}.jpg", encoded((scene * 2.0**-ev).clip(0, 255).astype(np.uint8))) for ev in range(3)))
    page.get_by_label("Brackets of one scene").check()
    page.locator("#enhance").click()
    expect(page.get_by_alt_text("1.jpg, 3 brackets, after")).to_be_visible()
    page.get_by_label("Fast").check()
    expect(page.locator("#note .stale")).to_be_visible()
    name, content = downloaded(page, "download")
    assert name == "1_enhanced.jpg" and Image.open(io.BytesIO(content)).size == (300, 200)


def test_a_moved_control_says_that_the_result_is_stale_and_previews(visit: Visit, address: str) -> None:
    page = visit(address)
    upload(page, KITCHEN)
    after = page.get_by_alt_text("kitchen.jpg, after")
    result = after.get_attribute("src")
    page.locator("#strength input[type=range]").press("ArrowLeft")
    expect(page.locator("#note")).to_contain_text("The settings have changed: this is a fast preview.")
    expect(after).not_to_have_attribute("src", str(result))
    page.locator("#strength input[type=range]").press("ArrowRight")
    expect(after).to_have_attribute("src", str(result))
    page.get_by_label("Delivery").click()
    page.get_by_role("option", name="web").click()
    expect(page.locator("#note .stale")).to_be_visible()
    page.locator("#enhance").click()
    expect(page.locator("#note")).to_contain_text("1600 x 1067 pixels")


def test_formats_and_camera_files(visit: Visit, address: str) -> None:
    page = visit(address)
    page.get_by_label("File format").click()
    page.get_by_role("option", name="TIFF").click()
    page.locator("#samples button").first.click()
    expect(page.locator("#note")).to_contain_text("_enhanced.tif")
    expect(page.locator(".stage img")).to_have_count(2)
    upload(page, file("phone.avif", encoded(photo(300, 200), "AVIF")))
    expect(page.locator("#note")).to_contain_text("phone")  # developed, or refused with what to install
    developed = page.get_by_alt_text("phone.avif, after").count()
    words = "phone_enhanced.tif" if developed else "camera files and HEIC need more packages: make setup PART=camera"
    expect(page.locator("#note")).to_contain_text(words)


def test_a_server_that_goes_and_comes_back(visit: Visit, identity_server: TritonServer) -> None:
    port = Ports.free().grpc
    with served(f"grpc://127.0.0.1:{port}") as address:
        page = visit(address)
        expect(page.locator(".status.down")).to_contain_text("Server not available")
        upload(page, file("hall.jpg", encoded(photo(200, 100))))
        expect(page.locator("#note .bad")).to_contain_text("is the server running there?")
        proxy = Proxy(identity_server.ports.grpc, port)
        expect(page.locator(".status")).to_contain_text("Server ready")
        page.locator("#enhance").click()
        expect(page.locator(".stage img")).to_have_count(2)
        page.close()
        proxy.close()


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core on this machine: make setup PART=tools")
def test_everyone_can_use_it_on_every_screen(visit: Visit, address: str) -> None:
    page = visit(address)

    def check() -> None:
        for width, height in (LAPTOP, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            assert serious(page) == []
            assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0

    check()
    upload(page, NOTES)
    expect(page.locator("#note .bad")).to_be_visible()
    check()
    upload(page, file("kitchen.jpg", encoded(photo(600, 400))), file("hall.jpg", encoded(photo(200, 100))))
    expect(page.locator("#note")).to_contain_text("2 photos")
    page.locator("#enhance").click()
    expect(page.locator("#download")).to_be_visible()
    page.get_by_role("button", name="100 %").click()
    page.locator("#strength input[type=range]").press("ArrowLeft")
    expect(page.locator("#note .stale")).to_be_visible()
    check()
    result, controls = (page.locator(each).bounding_box() for each in (".stage", "#photos"))
    assert result is not None and controls is not None
    assert result["y"] + result["height"] <= controls["y"]  # on a phone, the result comes first


def test_the_server_side_of_the_page_asks_nobody(address: str, listener: Listener) -> None:
    assert listener.asked == []
    with urllib.request.urlopen(address, timeout=5) as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "http" not in policy
