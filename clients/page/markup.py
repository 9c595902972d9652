"""The parts of the demo page that are HTML of its own: the comparison, the list of pictures, the notes."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import quote

from clients.batch.gallery import escaped
from clients.page.pictures import Picture, View, Work

TITLE = "Photo Enhancer"
EMPTY = '<div class="empty">Drop photos, or choose a sample:<br>before and after appear here.</div>'
HINT = '<p class="note">Or drop them anywhere on this page. Several are one batch. Or try a sample:</p>'
STALE = "The settings have changed: this is a fast preview. Press Enhance for the result."
STATUS_TEMPLATE = '<div role="status">${value}</div>'


def bar(urls: tuple[str, ...], trouble: str = "") -> str:
    """The page's head, with whether the server is there."""
    state = f"Server not available: {html.escape(trouble)}" if trouble else f"Server ready · {escaped(', '.join(urls))}"
    badge = f'<span class="status{" down" if trouble else ""}">{state}</span>'
    lines = f"<div><h1>{TITLE}</h1><p>Your photos stay between this page and your own server.</p></div>"
    return f'<div class="bar">{lines}{badge}</div>'


def comparison(work: Work) -> str:
    """Before and after of the selected picture, one over the other; `compare.js` moves the divider and the zoom."""
    picture = work.picture
    if picture is None:
        return EMPTY
    after = picture.preview or picture.after
    if picture.before is None or after is None:
        return ""
    width_px, height_px = (picture.after or after).size_px
    name = escaped(picture.name)
    return (
        f'<div class="stage" role="group" aria-label="{name}, before and after" data-width="{width_px}"'
        f' style="--ratio: {width_px / height_px:.5f}"><div class="sizer">'
        f"{_picture(picture.before, f'{name}, before', 'before')}{_picture(after, f'{name}, after', 'after')}"
        '<span class="divider"></span></div></div>'
        '<div class="tools"><label><span>Before</span><input type="range" min="0" max="100" value="50"'
        ' aria-label="Divider between before and after"><span>After</span></label>'
        '<button type="button" class="zoom" aria-pressed="false">100 %</button></div>'
    )


def listed(work: Work) -> str:
    """All pictures with their names and thumbnails, where there is more than one."""
    if len(work.pictures) < 2:
        return ""
    finished = sum(picture.is_finished for picture in work.pictures)
    items = "".join(_item(index, picture, index == work.selected) for index, picture in enumerate(work.pictures))
    return f'<h2>{finished} of {len(work.pictures)} pictures</h2><ul class="pictures">{items}</ul>'


def thumbnails(samples: list[Path]) -> str:
    """Photos to choose from."""
    pictures = [f'<img src="{_url(path)}" alt="Sample: {escaped(path.stem)}">' for path in samples]
    return "".join(f'<button type="button" data-index="{i}">{each}</button>' for i, each in enumerate(pictures))


def note(work: Work, is_stale: bool = False) -> str:
    """One line about the selected picture."""
    picture = work.picture
    if picture is None:
        return ""
    if picture.trouble:
        return bad(f"<b>{escaped(picture.name)}</b>: {escaped(picture.trouble)}")
    if is_stale:
        return f'<div class="note stale">{STALE}</div>'
    return plain(picture.facts)


def plain(text: str) -> str:
    """A note."""
    return f'<div class="note">{escaped(text)}</div>'


def bad(markup: str) -> str:
    """A note that something is wrong."""
    return f'<div class="note bad">{markup}</div>'


def _item(index: int, picture: Picture, is_selected: bool) -> str:
    if picture.trouble:
        state = f'<span class="bad">{escaped(picture.trouble)}</span>'
    else:
        state = f"<span>{escaped(picture.facts) if picture.output else 'waiting'}</span>"
    views = ((picture.before, "before"), (picture.after, "after"))
    thumbnails = "".join(f'<img src="{_url(view.thumbnail)}" alt="{when}">' for view, when in views if view)
    inside = f'<span class="pair">{thumbnails}</span><span class="words"><b>{escaped(picture.name)}</b>{state}</span>'
    if not picture.is_finished:
        return f"<li><div>{inside}</div></li>"
    current = ' aria-current="true"' if is_selected else ""
    return f'<li><button type="button" data-index="{index}"{current}>{inside}</button></li>'


def _picture(view: View, alternative: str, when: str) -> str:
    small, full = _url(view.small), _url(view.full)
    return f'<img class="{when}" src="{small}" data-full="{full}" alt="{alternative}" draggable="false">'


def _url(path: Path) -> str:
    return f"gradio_api/file={quote(str(path))}"
