"""What stands where on the demo page, and which handler each control calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from clients.batch.folders import PATTERNS
from clients.batch.presets import presets
from clients.camera import DEVELOPED
from clients.page.handlers import OUTPUTS_KEPT_S, Page
from clients.page.markup import EMPTY, HINT, STATUS_TEMPLATE, TITLE, thumbnails
from clients.page.pictures import SCENE, SINGLE, SORT, Work, sample_files
from codec.options import EXTENSIONS, MAX_STRENGTH

COMPARE, DROP = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("compare.js", "drop.js"))
STATUS_EVERY_S = 5
KINDS = [*(pattern.removeprefix("*") for pattern in PATTERNS), *DEVELOPED]
MODES = [("Full quality", "full"), ("Fast", "fast")]
GROUPINGS = [("Single photos", SINGLE), ("Brackets of one scene", SCENE), ("Sort them for me", SORT)]
SELECT = "element.addEventListener('click', event => { const button = event.target.closest('button[data-index]');" + (
    " if (button) trigger('select', {index: Number(button.dataset.index)}); });"
)
SHOW_RESULT = """() => {
    const result = document.querySelector("#result .stage, #note .bad");
    if (result && window.innerWidth < 700) result.scrollIntoView({block: "start"});
}"""  # on a phone the result lies above the controls


def blocks(page: Page) -> gr.Blocks:
    """The page itself: results first, so that they stand above the controls on a phone."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(OUTPUTS_KEPT_S, OUTPUTS_KEPT_S)) as built:
        head = _html(elem_id="header")
        work = gr.State(Work())
        with gr.Row():
            with gr.Column(scale=2, min_width=280):
                result = _html(EMPTY, elem_id="result", js_on_load=COMPARE)
                said = _html(elem_id="note", html_template=STATUS_TEMPLATE)
                download = gr.DownloadButton("Download", visible=False, variant="primary", elem_id="download")
                pictures = _html(elem_id="pictures", js_on_load=SELECT)
            with gr.Column(scale=1, min_width=280):
                photos = gr.UploadButton(
                    "Choose photos", file_count="multiple", file_types=KINDS, variant="primary", elem_id="photos"
                )
                _html(HINT, js_on_load=DROP)
                samples = _html(thumbnails(sample_files()), elem_id="samples", js_on_load=SELECT)
                grouping = gr.Radio(
                    GROUPINGS, value=SINGLE, label="These photos are", visible=False, elem_id="grouping"
                )
                options = _options()
                start = gr.Button("Enhance", variant="primary", elem_id="enhance")
        asked, shown = [work, grouping, *options], [result, said, pictures, download]
        for happens, handler, inputs in (
            (photos.upload, page.dropped, [work, photos, grouping, *options]),
            (samples.select, page.sample, asked),
        ):
            happens(handler, inputs, [grouping, *shown], show_progress="hidden").then(js=SHOW_RESULT)
        start.click(page.enhance, asked, shown, show_progress="hidden").then(js=SHOW_RESULT)
        pictures.select(page.selected, work, [result, said, pictures], show_progress="hidden")
        for option in options:
            option.change(
                page.changed, [work, *options], [result, said], show_progress="hidden", trigger_mode="always_last"
            )
        built.load(page.styles, outputs=options[-1], show_progress="hidden")
        for happens in (built.load, gr.Timer(STATUS_EVERY_S).tick):
            happens(page.status, outputs=head, show_progress="hidden")
    return built


def _html(value: str = "", **options: Any) -> gr.HTML:  # noqa: ANN401
    """HTML with the page's own look alone."""
    return gr.HTML(value, apply_default_css=False, **options)


def _options() -> list[gr.components.Component]:
    """Mode, strength, format, delivery and style."""
    mode = gr.Radio(MODES, value="full", label="Mode")
    strength = gr.Slider(
        0, MAX_STRENGTH, 1, step=0.05, label="Strength", info="0 leaves the photo as it is", elem_id="strength"
    )
    kinds = [("As the photo", "same"), *((kind.upper(), kind) for kind in EXTENSIONS)]
    deliveries = gr.Dropdown([("As it is", ""), *presets()], value="", label="Delivery")
    style = gr.Dropdown([("Default", "")], value="", label="Style", visible=False, elem_id="style")
    return [mode, strength, gr.Dropdown(kinds, value="same", label="File format"), deliveries, style]
