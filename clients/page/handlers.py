"""What the demo page does: photos are dropped, enhanced, compared with what they were, and downloaded."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.presets import presets
from clients.connection import Connection
from clients.enhancer import AsyncEnhancer
from clients.errors import EnhanceError
from clients.page.markup import EMPTY, bar, comparison, listed, note, plain
from clients.page.pictures import Picture, View, Work, gathered, pictures_of, sample_files
from clients.request import Enhanced, Options, read_photo

OUTPUTS_KEPT_S = 3600
FOLDER_PREFIX = "output-"


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
        except EnhanceError as error:
            return bar(self._connection.urls, str(error))
        return bar(self._connection.urls)

    async def styles(self) -> Any:  # noqa: ANN401
        """The menu of styles, where the server has more than one."""
        try:
            names = [style.name for style in await self.enhancer.styles()]
        except EnhanceError:
            names = []
        return gr.update(choices=[("Default", ""), *names[1:]], visible=len(names) > 1)

    async def dropped(self, work: Work, photos: list[str] | None, grouping: str, *options: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Photos came: a single one is enhanced, several wait until it is said what they are."""
        work.photos = await asyncio.to_thread(gathered, map(Path, photos or []), self._folder())
        several = len(work.photos) > 1
        if not several:
            async for update in self.enhance(work, grouping, *options):
                yield gr.update(visible=False), *update
            return
        work.pictures, work.selected = [Picture((photo,)) for photo in work.photos], None
        yield gr.update(visible=True), EMPTY, _question(work), listed(work), gr.update(visible=False)

    async def sample(self, event: gr.EventData, work: Work, grouping: str, *options: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """A sample was chosen."""
        async for update in self.dropped(work, [str(sample_files()[event.index])], grouping, *options):
            yield update

    async def enhance(self, work: Work, grouping: str, *options: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Enhances what was dropped: comparison, note, list and download, as the pictures come."""
        if not work.photos:
            yield EMPTY, plain("Drop some photos first."), "", gr.update(visible=False)
            return
        pictures = work.pictures = await asyncio.to_thread(pictures_of, work.photos, grouping)
        work.selected = None
        order = work.order = _order(*options)
        yield gr.skip(), plain("Editing …"), listed(work), gr.update(visible=False)
        tasks = [asyncio.create_task(self._make(index, work)) for index in range(len(pictures))]
        try:
            for task in asyncio.as_completed(tasks):
                index = await task
                if work.pictures is not pictures:  # others were dropped meanwhile
                    if work.order is order:  # and wait
                        yield gr.skip(), _question(work), gr.skip(), gr.skip()
                    return
                if work.selected is None:
                    work.selected = index
                seen = comparison(work) if work.selected == index else gr.skip()
                yield seen, note(work), listed(work), gr.skip()
        finally:
            for task in tasks:
                task.cancel()
        yield gr.skip(), gr.skip(), gr.skip(), await asyncio.to_thread(_download, work.outputs, self._folder())

    async def changed(self, work: Work, *options: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """A control moved: says that the result is stale, and shows a fast preview in its place."""
        picture = work.picture
        if picture is None or not picture.output:
            return gr.skip(), gr.skip()
        order = _order(*options)
        picture.preview, is_stale = None, order != work.order
        if is_stale:
            try:
                frames = [view.small.read_bytes() for view in picture.frame_views]
                fast = replace(order.options, mode="fast", format="jpeg", quality=None)
                enhanced = await self._ask(frames, fast)
                picture.preview = await asyncio.to_thread(View.of, enhanced.data, self._folder())
            except (EnhanceError, OSError):
                pass  # the note says that the result is stale, with or without a preview
        return comparison(work), note(work, is_stale)

    def selected(self, work: Work, event: gr.EventData) -> tuple[str, str, str]:
        """Another picture of the list is looked at."""
        if event.index < len(work.pictures):
            work.selected = event.index
        return comparison(work), note(work), listed(work)

    async def _make(self, index: int, work: Work) -> int:
        """Makes one picture; returns its index."""
        picture = work.pictures[index]
        async with self._room:
            try:
                await self._edit(picture, work.order)
            except Exception as error:  # one picture never ends the others, and the page goes on
                picture.trouble = " ".join(str(error).split()) or type(error).__name__
        return index

    async def _edit(self, picture: Picture, order: Order) -> None:
        folder = self._folder()
        of_scene = len(picture.frames) > 1
        contents = [await asyncio.to_thread(read_photo, frame, of_scene) for frame in picture.frames]
        name = Naming("_enhanced", order.options.format).name(Path(picture.frames[picture.anchor].name))
        enhanced = await self._ask(contents, order.request(name))
        enhanced = await asyncio.to_thread(order.finished, enhanced, name)
        output = folder / name
        await asyncio.to_thread(enhanced.save, output)
        views = [
            await asyncio.to_thread(View.of, content, folder, frame)
            for content, frame in zip(contents, picture.frames, strict=True)
        ]
        picture.frame_views, picture.before = tuple(views), views[picture.anchor]
        picture.after = await asyncio.to_thread(View.of, enhanced.data, folder, output)
        width_px, height_px = enhanced.size_px
        size = f"{width_px} x {height_px} pixels · {len(enhanced.data) / 1e6:.1f} MB · {enhanced.seconds:.1f} s"
        picture.facts, picture.output = f"{name} · {size}", output

    async def _ask(self, frames: list[bytes], options: Options) -> Enhanced:
        if len(frames) > 1:
            return await self.enhancer.merge(frames, **vars(options))
        return await self.enhancer.enhance(frames[0], **vars(options))

    def _folder(self) -> Path:
        """A new folder for an output; old ones go, so that a page that is never stopped does not fill the disk."""
        for folder in self._outputs.glob(f"{FOLDER_PREFIX}*"):
            if folder.stat().st_mtime < time.time() - OUTPUTS_KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=self._outputs))


def _question(work: Work) -> str:
    """What is asked when several photos were dropped."""
    return plain(f"{len(work.photos)} photos: say what they are, and press Enhance.")


def _order(mode: str, strength: float, kind: str, preset: str, style: str) -> Order:
    """What the page's controls say; a delivery's own format and style hold where none is chosen."""
    given = {**presets().get(preset, {}), "mode": mode, "strength": strength}
    given |= {name: value for name, value in (("format", kind), ("style", style)) if value not in ("same", "")}
    return Order.of(given)


def _download(outputs: list[Path], folder: Path) -> Any:  # noqa: ANN401
    """The button for what is done: a file, or a zip of several."""
    if not outputs:
        return gr.update(visible=False)
    if len(outputs) == 1:
        return gr.update(value=str(outputs[0]), label=f"Download {outputs[0].name}", visible=True)
    archive = folder / "enhanced.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:  # they are compressed already
        for photo in outputs:
            file.write(photo, photo.name)
    return gr.update(value=str(archive), label=f"Download all {len(outputs)} as a zip", visible=True)
