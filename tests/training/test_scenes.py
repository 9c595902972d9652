"""Modelled interiors: what is edited in their files, what is unpacked, what is rendered, and whose they are."""

import json
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.scenes.__main__ import main
from training.data.scenes.archives import SceneError, scene_file, unpack
from training.data.scenes.catalogue import BY_NAME, CC_BY, INTERIORS, LICENCE_URLS
from training.data.scenes.description import LAMP, LEAST_DAYLIGHT, WINDOW, authors_eye, prepare, vary
from training.data.scenes.loading import opening

ROOM = """
<scene version="3.0.0">
  <integrator type="path"/>
  <sensor type="perspective">
    <transform name="to_world"><matrix value="-1 0 0 0.4 0 1 0 1.3 0 0 -1 0.8 0 0 0 1"/></transform>
  </sensor>
  <bsdf type="twosided" id="Walls"><bsdf type="diffuse"><rgb name="reflectance" value="0.6"/></bsdf></bsdf>
  <bsdf type="twosided" id="LampEmitter">
    <bsdf type="diffuse"><rgb name="reflectance" value="0.1, 0.2, 0.9"/></bsdf>
  </bsdf>
  <bsdf type="dielectric" id="LampGlass"/>
  <shape type="cube">
    <transform name="to_world"><scale x="3" y="1.4" z="2.5"/><translate y="1.4"/></transform>
    <ref id="Walls"/>
  </shape>
  <shape type="cube">
    <transform name="to_world"><scale value="0.3"/><translate x="-1.5" y="0.3" z="-1.5"/></transform>
    <ref id="LampEmitter"/>
  </shape>
  <shape type="sphere"><ref id="LampGlass"/></shape>
  <shape type="rectangle">
    <transform name="to_world"><scale value="0.8"/><translate y="1.4" z="-2.49"/></transform>
    <emitter type="area"><rgb name="radiance" value="17"/></emitter>
  </shape>
  <shape type="rectangle">
    <transform name="to_world"><translate y="1.4" z="2.4"/></transform>
    <emitter type="area"><rgb name="radiance" value="1 1 1"/></emitter>
  </shape>
  <emitter type="constant"/>
</scene>
"""
BEDROOM = BY_NAME["bedroom"]


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """A folder with one archive: a bare room by the name of the bedroom."""
    folder = tmp_path / "archives"
    (folder / "bedroom").mkdir(parents=True)
    (folder / "bedroom" / "scene.xml").write_text(ROOM)
    with tarfile.open(folder / "bedroom.tar.xz", "w:xz") as archive:
        archive.add(folder / "bedroom", "bedroom")
    return folder


def prepared() -> ET.Element:
    scene = ET.fromstring(ROOM)
    prepare(scene, BEDROOM)
    return scene


def test_the_authors_camera_stands_upright_in_z() -> None:
    assert authors_eye(ET.fromstring(ROOM)) == (0.4, -0.8, 1.3)


def test_windows_and_lamps_are_named_and_glass_and_fill_lights_left_out() -> None:
    shapes = prepared().findall("shape")
    assert [shape.get("id", "-")[:5] for shape in shapes] == ["-", LAMP, WINDOW[:5]]
    assert LEAST_DAYLIGHT > 1


def test_own_cameras_and_skies_are_gone_and_everything_is_turned() -> None:
    scene = prepared()
    assert not scene.findall("sensor") + scene.findall("integrator") + scene.findall("emitter")
    for shape in scene.findall("shape"):
        last = list(shape.find("transform"))[-1]
        assert (last.tag, last.attrib) == ("rotate", {"x": "1", "angle": "90"})


def test_materials_vary_within_bounds_and_with_the_stream_alone() -> None:
    scenes = [prepared() for _ in range(3)]
    for scene, seed in zip(scenes, (5, 5, 6), strict=True):
        for _ in range(4):
            vary(scene, np.random.default_rng(seed))
    texts = [ET.tostring(scene) for scene in scenes]
    assert texts[0] == texts[1]
    colours = [[float(x) for x in rgb.attrib["value"].replace(",", " ").split()] for rgb in scenes[0].iter("rgb")]
    assert all(0 <= value <= 1 for colour in colours[:2] for value in colour)
    assert scenes[0].find("shape/emitter/rgb").get("value") == "1 1 1"  # light is not paint


def test_an_opening_is_found_from_its_corners_in_any_order() -> None:
    points = np.array([[1, 3, 0], [1, 1, 2], [1, 1, 0], [1, 3, 2], [1, 2, 1]], float)
    corner, along, up, inward = opening(points, np.array([0.0, 2.0, 1.0]))
    assert np.linalg.norm(along) == pytest.approx(2) and np.linalg.norm(up) == pytest.approx(2)
    assert along @ up == pytest.approx(0)
    np.testing.assert_allclose(corner + along / 2 + up / 2, [1, 2, 1])
    np.testing.assert_allclose(inward, [-1, 0, 0], atol=1e-9)


def test_archives_are_unpacked_once(archives: Path, tmp_path: Path) -> None:
    assert unpack(archives, tmp_path / "geometry") == (BEDROOM,)
    path = scene_file(tmp_path / "geometry", BEDROOM)
    path.write_text("kept")
    unpack(archives, tmp_path / "geometry")
    assert path.read_text() == "kept"


def test_missing_and_damaged_archives_are_named(archives: Path, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"holds none of bathroom\.tar\.xz"):
        unpack(tmp_path, tmp_path / "geometry")
    (archives / "bedroom.tar.xz").write_bytes((archives / "bedroom.tar.xz").read_bytes()[:80])
    with pytest.raises(SceneError, match=r"bedroom\.tar\.xz: does not unpack"):
        unpack(archives, tmp_path / "geometry")


def test_an_archive_cannot_write_outside_its_folder(archives: Path, tmp_path: Path) -> None:
    with tarfile.open(archives / "bedroom.tar.xz", "w:xz") as archive:
        archive.add(archives / "bedroom" / "scene.xml", "../../escaped.xml")
    with pytest.raises(SceneError, match="does not unpack"):
        unpack(archives, tmp_path / "deep" / "geometry")
    assert not list(tmp_path.rglob("escaped.xml"))


def test_pictures_of_the_rooms_credit_their_authors() -> None:
    notices = Path("THIRD_PARTY_NOTICES.md").read_text(encoding="utf-8")
    for interior in INTERIORS:
        assert interior.title in notices and interior.author in notices
    assert LICENCE_URLS[CC_BY] in notices


def test_one_room_is_held_out() -> None:
    assert [interior.name for interior in INTERIORS if interior.held_out] == ["country_kitchen"]


def test_views_are_written_once_with_their_provenance(archives: Path, tmp_path: Path) -> None:
    pytest.importorskip("mitsuba", reason="rendering needs the 'rooms' extra")
    out = tmp_path / "views"
    command = [str(out), "--archives", str(archives), "--width", "48", "--height", "32", "--samples", "4"]
    command += ["--variants", "1", "--views", "1"]
    assert main(command) == 0
    (row,) = [json.loads(line) for line in (out / "scenes.jsonl").read_text().splitlines()]
    assert (row["author"], row["licence"], row["room"]) == ("SlykDrako", "CC0 1.0", "bedroom")
    view = cv2.imread(str(out / row["file"]), cv2.IMREAD_UNCHANGED)
    assert view.shape == (32, 48, 3) and np.isfinite(view).all() and view.mean() > 0
    written = (out / row["file"]).stat().st_mtime_ns
    assert main(command) == 0
    assert (out / row["file"]).stat().st_mtime_ns == written


def test_a_wrong_folder_is_an_error_that_names_the_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), "--archives", str(tmp_path)]) == 1
    assert "pass the folder that has them" in capsys.readouterr().err
