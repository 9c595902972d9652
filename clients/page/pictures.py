"""The pictures of the demo page, and the files of them that a browser can show."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageOps

from clients.batch.naming import candidates
from clients.batch.order import Order
from clients.brackets.scenes import scenes
from clients.brackets.shots import read_shot

SAMPLES = Path(__file__).parents[2] / "docs/samples"
SINGLE, SCENE, SORT = "single", "scene", "sort"

THUMBNAIL_PX = 160
SMALL_PX = 1600
QUALITY = 90
SHOWN_BY_BROWSERS = ("JPEG", "MPO", "PNG", "WEBP")


@dataclass(frozen=True)
class View:
    """One photo, upright, in the sizes that the page shows."""

    size_px: tuple[int, int]
    """Width and height of the photo itself."""
    thumbnail: Path
    """JPEG, up to `THUMBNAIL_PX`."""
    small: Path
    """JPEG, up to `SMALL_PX`."""
    full: Path
    """Every pixel."""

    @classmethod
    def of(cls, content: bytes, folder: Path, path: Path | None = None) -> View:
        """Makes the files of a view.

        Args:
            content: The photo's file.
            folder: Where new files go.
            path: Where `content` lies already, if it does.

        Raises:
            OSError: it is not a photo that Pillow reads, or the disk is full.
        """
        own = Path(tempfile.mkdtemp(dir=folder))
        with Image.open(io.BytesIO(content)) as photo:
            kind, size_px, turned = photo.format, photo.size, photo.getexif().get(0x0112, 1) >= 5
            shown = kind in SHOWN_BY_BROWSERS and photo.mode != "CMYK"
            if shown:
                photo.draft("RGB", (SMALL_PX, SMALL_PX))
            profile = photo.info.get("icc_profile") if photo.mode in ("RGB", "RGBA") else None
            upright = ImageOps.exif_transpose(photo).convert("RGB")
        full = path if shown and path else own / "full.jpg"
        if not shown:
            upright.save(full, quality=QUALITY, icc_profile=profile)
        elif not path:
            full.write_bytes(content)
        for name, side_px in (("small.jpg", SMALL_PX), ("thumbnail.jpg", THUMBNAIL_PX)):
            upright.thumbnail((side_px, side_px))
            upright.save(own / name, quality=QUALITY, icc_profile=profile, exif=upright.getexif())
        return cls(size_px[::-1] if turned else size_px, own / "thumbnail.jpg", own / "small.jpg", full)


@dataclass
class Picture:
    """One picture to make, from one photo or from the brackets of a scene, and what became of it."""

    frames: tuple[Path, ...]
    anchor: int = 0
    """Index of the frame that gives the picture its name, and stands for it before the merge."""
    before: View | None = None
    """Of the anchor."""
    frame_views: tuple[View, ...] = ()
    after: View | None = None
    preview: View | None = None
    """What the settings of this moment make of it, small and fast."""
    output: Path | None = None
    """The file to download."""
    facts: str = ""
    trouble: str = ""
    """Why there is no output."""

    @property
    def name(self) -> str:
        """The name that people know it by."""
        name, count = self.frames[self.anchor].name, len(self.frames)
        return name if count == 1 else f"{name}, {count} brackets"

    @property
    def is_finished(self) -> bool:
        """Whether its fate is known."""
        return bool(self.output or self.trouble)


@dataclass
class Work:
    """What one visitor has on the page."""

    photos: list[Path] = field(default_factory=list)
    """What was dropped."""
    pictures: list[Picture] = field(default_factory=list)
    selected: int | None = None
    order: Order = field(default_factory=Order)
    """The settings that the results were made with."""

    @property
    def picture(self) -> Picture | None:
        """The one that is compared."""
        return None if self.selected is None else self.pictures[self.selected]

    @property
    def outputs(self) -> list[Path]:
        """The files to download."""
        return [picture.output for picture in self.pictures if picture.output]


def gathered(photos: Iterable[Path], folder: Path) -> list[Path]:
    """The photos in one folder, as they lay where they come from; of equal names the second gets a number."""
    found: list[Path] = []
    for photo in photos:
        place = next(path for path in candidates(Path(photo.name), folder / photo.name) if not path.exists())
        try:
            os.link(photo, place)
        except OSError:  # another file system
            shutil.copyfile(photo, place)
        found.append(place)
    return found


def pictures_of(photos: list[Path], grouping: str) -> list[Picture]:
    """The pictures to make of these photos."""
    if grouping == SCENE:
        return [Picture(tuple(photos), len(photos) // 2)]
    if grouping == SORT:
        return [Picture(scene.paths, scene.anchor) for scene in scenes(map(read_shot, photos))]
    return [Picture((photo,)) for photo in photos]


def sample_files() -> list[Path]:
    """The photos that ship with the project; an installed package comes without them."""
    return sorted(SAMPLES.glob("*.jpg"))
