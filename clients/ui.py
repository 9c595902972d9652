"""The demo page: drop photos, compare before and after, download."""

from __future__ import annotations

import asyncio
import html
import shutil
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image, ImageOps

from clients.commands import Connection
from clients.enhancer import AsyncEnhancer
from clients.errors import EnhanceError
from clients.folders import PATTERNS
from clients.naming import Naming
from clients.order import Order
from clients.presets import presets
from clients.request import EXTENSIONS, FORMATS, MAX_STRENGTH, Enhanced

TITLE = "Photo Enhancer"
SAMPLES = Path(__file__).parents[1] / "docs/samples"
PREVIEW_PX = 1600
STATUS_EVERY_S = 5
OUTPUTS_KEPT_S = 3600
FOLDER_PREFIX = "output-"
KINDS = [pattern.removeprefix("*") for pattern in PATTERNS]
AS_IT_IS = "As it is"
MODES = [("Full quality", "full"), ("Fast", "fast")]
EMPTY = '<div class="empty">Drop a photo, or choose a sample:<br>before and after appear here.</div>'
SHOW_RESULT = """() => {
    const result = document.querySelector("#comparison") || document.querySelector("#note .bad");
    if (result && window.innerWidth < 700) result.scrollIntoView({behavior: "smooth", block: "start"});
}"""  # on a phone the result lies below the options


class Page:
    """The page's handlers: they send photos to the server and show what comes back.

    Args:
        connection: How to reach the server.
        outputs: Where enhanced photos are kept for download.
    """

    def __init__(self, connection: Connection, outputs: Path) -> None:
        self._connection = connection
        self._outputs = outputs
        self._enhancer: AsyncEnhancer | None = None
        self._room = asyncio.Semaphore(connection.in_flight)

    @property
    def enhancer(self) -> AsyncEnhancer:
        """The one client of the page, made inside its event loop."""
        if self._enhancer is None:
            self._enhancer = AsyncEnhancer(**self._connection.settings())
        return self._enhancer

    async def status(self) -> str:
        """The page's head, with whether the server is there."""
        try:
            await self.enhancer.check()
            badge = f'<span class="status">Server ready · {html.escape(", ".join(self._connection.urls))}</span>'
        except EnhanceError as error:
            badge = f'<span class="status down">Server not available: {html.escape(str(error))}</span>'
        lines = f"<div><h1>{TITLE}</h1><p>Your photos stay between this page and your own server.</p></div>"
        return f'<div class="bar">{lines}{badge}</div>'

    async def one(
        self, photo: str | None, mode: str, strength: float, kind: str, preset: str
    ) -> tuple[Any, Any, Any, Any]:
        """Enhances one photo: the comparison, the note, the download, and what to show while there is nothing."""
        nothing = gr.update(visible=False), gr.update(visible=False)
        if photo is None:
            return nothing[0], "", nothing[1], gr.update(visible=True)
        try:
            enhanced, target = await self._enhance(Path(photo), mode, strength, kind, preset)
            comparison = await asyncio.to_thread(_previews, Path(photo), target)
        except Exception as error:  # whatever it is, the page goes on
            return nothing[0], _bad(Path(photo), error), nothing[1], gr.update(visible=False)
        width, height = enhanced.size_px
        facts = f"{width} x {height} pixels · {len(enhanced.data) / 1e6:.1f} MB · {enhanced.seconds:.1f} s"
        note = f'<div class="note">{html.escape(target.name)} · {facts}</div>'
        shown = gr.update(value=comparison, visible=True)
        return shown, note, gr.update(value=str(target), visible=True), gr.update(visible=False)

    async def many(
        self, photos: list[str] | None, mode: str, strength: float, kind: str, preset: str
    ) -> AsyncIterator[tuple[Any, Any]]:
        """Enhances many photos: the table as it fills, and the zip at its end."""
        if not photos:
            yield '<div class="note">Drop some photos first.</div>', gr.update(visible=False)
            return
        results: dict[Path, Enhanced | str | None] = dict.fromkeys(map(Path, photos))
        targets: list[Path] = []

        async def run(photo: Path) -> None:
            async with self._room:
                try:
                    results[photo], target = await self._enhance(photo, mode, strength, kind, preset)
                    targets.append(target)
                except Exception as error:  # one photo never ends the others
                    results[photo] = str(error) or type(error).__name__

        tasks = [asyncio.create_task(run(photo)) for photo in results]
        for task in asyncio.as_completed(tasks):
            yield _table(results), gr.update(visible=False)
            await task
        archive = await asyncio.to_thread(_zip, targets, self._folder()) if targets else None
        yield _table(results), gr.update(value=archive and str(archive), visible=archive is not None)

    async def _enhance(self, photo: Path, mode: str, strength: float, kind: str, preset: str) -> tuple[Enhanced, Path]:
        order = _order(mode, strength, kind, preset)
        name = Naming("_enhanced", order.options.format).name(Path(photo.name))
        enhanced = await self.enhancer.enhance(photo, **vars(order.request(name)))
        enhanced = await asyncio.to_thread(order.finished, enhanced, name)
        target = self._folder() / name
        await asyncio.to_thread(enhanced.save, target)
        return enhanced, target

    def _folder(self) -> Path:
        """A new folder for an output; old ones go, so that a page that is never stopped does not fill the disk."""
        for folder in self._outputs.glob(f"{FOLDER_PREFIX}*"):
            if folder.stat().st_mtime < time.time() - OUTPUTS_KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=self._outputs))

    def blocks(self) -> gr.Blocks:
        """The page itself."""
        with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(OUTPUTS_KEPT_S, OUTPUTS_KEPT_S)) as page:
            head = gr.HTML(elem_id="header", show_label=False)
            with gr.Tab("One photo"):
                self._one_tab()
            with gr.Tab("Many photos"):
                self._many_tab()
            for happens in (page.load, gr.Timer(STATUS_EVERY_S).tick):
                happens(self.status, outputs=head, show_progress="hidden")
        return page

    def _one_tab(self) -> None:
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                photo = gr.File(label="Photo", file_types=KINDS, height=150, elem_id="photo")
                samples = _samples()
                options = _options()
                again = gr.Button("Enhance", variant="primary", elem_id="enhance")
            with gr.Column(scale=2, min_width=260):
                empty = gr.HTML(EMPTY, show_label=False)
                comparison = gr.ImageSlider(
                    label="Before | After",
                    visible=False,
                    interactive=False,
                    elem_id="comparison",
                    buttons=["fullscreen"],
                    max_height=620,
                )
                note = gr.HTML(show_label=False, elem_id="note")
                download = gr.DownloadButton(
                    "Download the enhanced photo", visible=False, variant="primary", elem_id="download"
                )
        shown = [comparison, note, download, empty]
        for happens in (photo.change, again.click):
            happens(self.one, [photo, *options], shown, show_progress_on=[comparison, empty]).then(js=SHOW_RESULT)
        if samples is not None:
            samples.select(_chosen_sample, outputs=photo, show_progress="hidden")

    def _many_tab(self) -> None:
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                photos = gr.File(label="Photos", file_count="multiple", file_types=KINDS, height=190, elem_id="photos")
                options = _options()
                start = gr.Button("Enhance all", variant="primary", elem_id="enhance-all")
            with gr.Column(scale=2, min_width=260):
                table = gr.HTML(
                    '<div class="empty">The photos\' progress appears here.</div>', show_label=False, elem_id="results"
                )
                archive = gr.DownloadButton("Download all as a zip", visible=False, variant="primary", elem_id="zip")
        start.click(self.many, [photos, *options], [table, archive], show_progress="hidden")


def _options() -> list[gr.components.Component]:
    """Mode, strength, format and delivery."""
    mode = gr.Radio(MODES, value="full", label="Mode")
    strength = gr.Slider(0, MAX_STRENGTH, 1, step=0.05, label="Strength", info="0 leaves the photo as it is")
    kinds = [("As the photo", "same"), *((kind.upper(), kind) for kind in EXTENSIONS)]
    assert {kind for _, kind in kinds} == set(FORMATS)
    deliveries = gr.Dropdown([(AS_IT_IS, ""), *presets()], value="", label="Delivery")
    return [mode, strength, gr.Dropdown(kinds, value="same", label="File format"), deliveries]


def _order(mode: str, strength: float, kind: str, preset: str) -> Order:
    """What the page's controls say; a delivery's own format holds where none is chosen."""
    given = {**presets().get(preset, {}), "mode": mode, "strength": strength}
    return Order.of(given if kind == "same" else {**given, "format": kind})


def _sample_files() -> list[Path]:
    return sorted(SAMPLES.glob("*.jpg"))


def _samples() -> gr.Gallery | None:
    """Thumbnails of the photos that ship with the project; an installed package comes without them."""
    files = _sample_files()
    if not files:
        return None
    return gr.Gallery(
        [str(path) for path in files],
        show_label=False,
        columns=len(files),
        rows=1,
        height=120,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        buttons=[],
        elem_id="samples",
    )


def _chosen_sample(chosen: gr.SelectData) -> str:
    return str(_sample_files()[chosen.index])


def _previews(before: Path, after: Path) -> tuple[Image.Image, Image.Image]:
    """Both photos upright and small enough for a browser, which could not show a TIFF at all."""
    previews = []
    for path in (before, after):
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            upright.thumbnail((PREVIEW_PX, PREVIEW_PX))
            previews.append(upright)
    return previews[0].resize(previews[1].size), previews[1]


def _bad(photo: Path, error: Exception) -> str:
    return f'<div class="note bad"><b>{html.escape(photo.name)}</b>: {html.escape(str(error))}</div>'


def _table(results: dict[Path, Enhanced | str | None]) -> str:
    rows = "".join(f"<tr><td>{html.escape(photo.name)}</td>{_cell(result)}</tr>" for photo, result in results.items())
    finished = sum(result is not None for result in results.values())
    head = f"<tr><th>{finished} of {len(results)} photos</th><th>Result</th></tr>"
    return f'<table class="results">{head}{rows}</table>'


def _cell(result: Enhanced | str | None) -> str:
    if result is None:
        return "<td>waiting</td>"
    if isinstance(result, str):
        return f'<td class="bad">{html.escape(result)}</td>'
    return f'<td class="done">done in {result.seconds:.1f} s</td>'


def _zip(photos: list[Path], folder: Path) -> Path:
    """All photos in one file, stored as they are: they are compressed already. Equal names get a number."""
    archive, names = folder / "enhanced.zip", set[str]()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        for number, photo in enumerate(sorted(photos, key=lambda path: path.name)):
            name = photo.name if photo.name not in names else f"{photo.stem}_{number}{photo.suffix}"
            names.add(name)
            file.write(photo, name)
    return archive
