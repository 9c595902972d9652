"""The report of a batch for people: every photo before and after, in one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from PIL import Image, ImageOps

from clients.batch.worklist import Entry
from files.writing import write_whole

THUMBNAIL_PX = 420
QUALITY = 75
STYLE = """
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: #1b2429;
       background: #fff }
section { border-top: 1px solid #ccd4d8; padding: 1rem 0 }
h2 { font-size: 1rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem }
figure { margin: 0 } img { width: 100%; height: auto; display: block } figcaption { color: #4a565c; font-size: .875rem }
.failed h2 { color: #a3160e } @media (max-width: 34rem) { .pair { grid-template-columns: 1fr } }
"""


def write_gallery(path: Path, title: str, photos: Iterable[Entry]) -> None:
    """Writes the report.

    Args:
        path: The HTML file.
        title: Its heading.
        photos: What became of each.

    Raises:
        OSError: it cannot be written.
    """
    listed = list(photos)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(Counter(each.state for each in listed).items()))
    sections = "".join(_section(each) for each in listed)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escaped(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>{escaped(title)}</h1><p>{counts}</p>{sections}</body></html>\n"
    )
    write_whole(path, page.encode(errors="replace"))


def _section(entry: Entry) -> str:
    name, output = entry.source.name, entry.target.name
    frames = f", merged from {len(entry.job.frames)} frames" if entry.job.frames else ""
    reason = f"<p>{escaped(entry.state)}: {escaped(entry.reason)}</p>" if entry.reason else ""
    pair = ""
    if entry.state in ("done", "skipped"):
        before = _figure(entry.source, f"{name}, before", "Before")
        after = _figure(entry.target, f"{name}, after", f"After: {output}")
        pair = f'<div class="pair">{before}{after}</div>'
    return f'<section class="{entry.state}"><h2>{escaped(name)}{frames}</h2>{reason}{pair}</section>'


def _figure(path: Path, alternative: str, caption: str) -> str:
    try:
        picture = f'<img src="{_thumbnail(path)}" alt="{escaped(alternative)}">'
    except Exception as error:  # Pillow's readers raise nearly anything; a report is never worth a run
        picture = f"<p>no preview ({escaped(type(error).__name__)})</p>"
    return f"<figure>{picture}<figcaption>{escaped(caption)}</figcaption></figure>"


def _thumbnail(path: Path) -> str:
    """The photo as a data URL, upright and in sRGB's channels."""
    file = io.BytesIO()
    with Image.open(path) as photo:
        photo.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
        upright = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    upright.save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def escaped(text: str) -> str:
    """A text as HTML; characters that do not exist are shown as their numbers."""
    return html.escape(text.encode(errors="backslashreplace").decode())
