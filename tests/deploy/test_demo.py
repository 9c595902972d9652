"""The demo is the README's first command."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from deploy.demo import SAMPLE, demonstrate, side_by_side
from files.checkout import ROOT


def test_a_sample_photo_is_enhanced_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = Image.open(SAMPLE).size
    named_wrongly = tmp_path / "kitchen.png"  # a JPEG inside: results are what their names say
    shutil.copy(SAMPLE, named_wrongly)
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    demonstrate(named_wrongly, outputs)
    found = {path.name: Image.open(path) for path in outputs.iterdir()}
    sizes = {name: image.size for name, image in found.items()}
    assert {image.format for image in found.values()} == {"PNG"}
    assert sizes.pop("kitchen-before-after.png")[0] > 1000
    assert set(sizes.values()) == {original}
    assert len(sizes) == 2
    assert f"{original[0]} x {original[1]} pixels" in capsys.readouterr().out


def test_panels_keep_their_shape() -> None:
    sheet = side_by_side(Image.new("RGB", (400, 900)), Image.new("RGB", (400, 900)))
    assert sheet.size == (900, 1000)


def test_a_photo_that_is_not_there_is_one_line() -> None:
    command = [sys.executable, "-m", "deploy.demo", "no-such-photo.jpg"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert "no-such-photo.jpg" in answer.stderr
