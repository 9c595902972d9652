"""The report of a batch: complete, in one file, and safe whatever photos are called."""

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from clients.batch.gallery import THUMBNAIL_PX, write_gallery
from clients.batch.job import Job
from clients.batch.worklist import Entry
from clients.commands.cli import main
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo

NAME = '<b>&"hall\udcfc.jpg'


def test_every_photo_is_there_and_nothing_comes_from_elsewhere(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / NAME).write_bytes(encoded(photo(900, 600), exif=exif))
    (tmp_path / "after.jpg").write_bytes(encoded(photo(600, 900)))
    (tmp_path / "deep.tif").write_bytes(b"a kind that no preview can be made of")
    job = Job(Path(), Path(), 0, 0, "")
    photos = [
        Entry(job, tmp_path / NAME, tmp_path / "after.jpg", "done"),
        Entry(job, tmp_path / "deep.tif", tmp_path / "gone.jpg", "skipped", "done before"),
        Entry(job, tmp_path / "bad.jpg", tmp_path / "bad.jpg", "failed", "<no photo>"),
    ]
    write_gallery(tmp_path / "report.html", "Shoot & more", photos)
    page = (tmp_path / "report.html").read_text()
    pictures = re.findall(r'<img src="data:image/jpeg;base64,([^"]+)" alt="[^"]+">', page)
    sizes = [Image.open(io.BytesIO(base64.b64decode(each))).size for each in pictures]
    assert sizes == [(THUMBNAIL_PX * 2 // 3, THUMBNAIL_PX)] * 2  # both upright
    assert page.count("no preview") == 2 and "1 done, 1 failed, 1 skipped" in page
    assert "failed: &lt;no photo&gt;" in page and "&lt;b&gt;&amp;&quot;hall\\udcfc.jpg" in page
    assert not re.findall(r"(?:src|href)=.(?!data:)|https?:|<script|@import|url\(", page)
    HTMLParser().feed(page)


def test_a_preset_and_a_report_of_a_batch(
    tmp_path: Path, identity_server: TritonServer, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    gps = Image.Exif()
    gps.get_ifd(0x8825)[1] = "N"
    for name in ("a.jpg", "b.png"):
        (tmp_path / "in" / name).write_bytes(encoded(photo(300, 200), "PNG" if name == "b.png" else "JPEG", exif=gps))
    (tmp_path / "own.toml").write_text(
        "[portal]\nformat = 'jpeg'\nmax-size = 150\nmax-bytes = 20_000\nstrip-gps = true\n"
    )
    preset = ["--preset", "portal", "--presets", str(tmp_path / "own.toml")]
    command = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--url", identity_server.grpc_url, *preset]
    assert main([*command, "--report", str(tmp_path / "out/report.html"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [Path(each["target"]).name for each in report["photos"]] == ["a.jpg", "b.jpg"]
    for each in report["photos"]:
        with Image.open(each["target"]) as image:
            assert (image.format, image.size) == ("JPEG", (150, 100)) and 0x8825 not in image.getexif()
        assert Path(each["target"]).stat().st_size <= 20_000
    assert (tmp_path / "out/report.html").read_text().count("<img") == 4
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == 2
    assert main([*command, "--max-size", "100", "--json"]) == 0  # what the command line says comes first
    assert json.loads(capsys.readouterr().out)["done"] == 2
    assert main(["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--preset", "prnit"]) == 2
    assert "no preset 'prnit': choose one of mls, web, print" in capsys.readouterr().err
