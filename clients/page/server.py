"""Serves the demo page so that nothing on it comes from, or goes to, anywhere else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when Gradio is imported

import gradio as gr
import uvicorn
from fastapi import FastAPI, Request, Response

from clients.connection import Connection
from clients.page.handlers import Page
from clients.page.layout import blocks
from clients.page.markup import TITLE
from clients.page.pictures import SAMPLES

# The browser itself refuses whatever would come from another address.
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:"
)
SYSTEM_FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]

LIGHT = {
    "body_background_fill": "*neutral_50",
    "block_title_background_fill": "none",
    "block_title_text_color": "*body_text_color",
    "block_label_background_fill": "*background_fill_primary",
    "block_label_text_color": "*body_text_color_subdued",
    "body_text_color_subdued": "*neutral_600",
    "block_info_text_color": "*body_text_color_subdued",
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_text_color": "white",
    "checkbox_label_background_fill_selected": "*primary_700",
    "checkbox_label_text_color_selected": "white",
    "link_text_color": "*primary_700",
}
DARK = {
    "body_background_fill": "*neutral_900",
    "block_label_background_fill": "*background_fill_secondary",
    "body_text_color_subdued": "*neutral_300",
    "link_text_color": "*primary_400",
}
"""Where the dark page differs."""


async def _keep_inside(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Lets no page load anything from outside."""
    response = await call_next(request)
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def application(connection: Connection, outputs: Path) -> FastAPI:
    """The page as an ASGI application."""
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    application.middleware("http")(_keep_inside)
    return gr.mount_gradio_app(
        application,
        blocks(Page(connection, outputs)),
        path="/",
        footer_links=[],
        run_history=False,
        theme=_theme(),
        pwa=False,
        css_paths=Path(__file__).with_name("page.css"),
        allowed_paths=[str(SAMPLES), str(outputs)],
        ssr_mode=False,
    )


def _theme() -> gr.themes.Base:
    theme = gr.themes.Soft(primary_hue="teal", neutral_hue="slate", font=SYSTEM_FONTS, font_mono=["monospace"])
    dark = {f"{name}_dark": value for name, value in (LIGHT | DARK).items()}
    return theme.set(block_title_padding="0", **LIGHT, **dark)


def serve(connection: Connection, host: str, port: int) -> None:
    """Serves the page until Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="enhance-page-") as outputs:
        os.environ["GRADIO_TEMP_DIR"] = outputs
        print(f"{TITLE}: http://{host}:{port} (Ctrl-C stops)", flush=True)
        uvicorn.run(application(connection, Path(outputs)), host=host, port=port, log_level="warning")
