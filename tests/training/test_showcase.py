"""The showcase's photos: taken from views and a panorama, as a camera would leave them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.conftest import room
from training.data import showcase
from training.data.radiance import write_radiance
from training.data.scenes.catalogue import BY_NAME
from training.data.showcase import PICTURES, main
from training.data.views import shown


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small view or panorama for every picture."""
    for number, picture in enumerate(PICTURES):
        size = (120, 180) if picture.yaw_deg is None else (64, 128)
        write_radiance(tmp_path / f"{picture.source}.hdr", room(number, *size))
    return tmp_path


def test_every_picture_is_taken(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showcase, "LONG_EDGE_PX", 180)
    assert main([str(sources), str(tmp_path / "out"), "--panoramas", str(sources)]) == 0
    photos = {path.stem: cv2.imread(str(path)) for path in (tmp_path / "out").glob("*.jpg")}
    assert set(photos) == {picture.name for picture in PICTURES}
    assert all(photo.shape == (120, 180, 3) for photo in photos.values())
    assert np.mean(photos["bathroom-evening"]) < 110  # unedited: the dark one is dark


def test_a_missing_view_is_an_error_that_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "out"), "--panoramas", str(tmp_path)]) == 1
    assert f"{PICTURES[0].source}.hdr" in capsys.readouterr().err


def test_ten_pictures_show_rooms_of_the_catalogue_and_an_exterior() -> None:
    rooms = [picture for picture in PICTURES if picture.yaw_deg is None]
    assert len(PICTURES) == 10 and len(rooms) == 9
    assert all((place := shown(picture.source)) and place[0] in BY_NAME for picture in rooms)
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)
