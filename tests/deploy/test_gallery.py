"""The gallery: every picture is there, says whose it is, and the repository stays light."""

from pathlib import Path

import pytest
from PIL import Image

from deploy.gallery import DOCS, SAMPLES, credit, make_gallery
from training.data.showcase import LONG_EDGE_PX, PICTURES

LIGHT_BYTES = 6e6


def test_every_picture_is_shown_with_its_credit() -> None:
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    for picture in PICTURES:
        path = f"images/gallery/{picture.name}.jpg"
        assert path in page and credit(picture) in page
        assert Image.open(DOCS / path).size[0] >= LONG_EDGE_PX


def test_samples_are_large_photos_in_small_files() -> None:
    for name in SAMPLES:
        path = DOCS / "samples" / f"{name}.jpg"
        assert max(Image.open(path).size) == LONG_EDGE_PX
        assert path.stat().st_size < 700e3


def test_all_pictures_together_stay_light() -> None:
    pictures = [*(DOCS / "samples").glob("*.jpg"), *(DOCS / "images").rglob("*.jpg")]
    assert sum(path.stat().st_size for path in pictures) < LIGHT_BYTES


def test_a_missing_photo_is_said_before_a_server_starts(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"living-room\.jpg"):
        make_gallery(tmp_path, tmp_path)
