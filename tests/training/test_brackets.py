"""Brackets to pairs: stacks are found, edited, or refused with a reason."""

from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from pixels.brackets.alignment import MisalignedError, align, moved
from pixels.brackets.merging import merge
from tests.training.conftest import photograph, room
from training.__main__ import main
from training.data.brackets import Made, make_pairs_from_brackets
from training.data.fusion import standard_edit
from training.data.pairs import PairsError, read_pairs, read_photo

COMPENSATIONS = (-2, 0, 2)


def textured(seed: int) -> np.ndarray:
    """A room with enough structure to align."""
    rng = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(rng.uniform(0.2, 1.8, (192, 256, 1)), (0, 0), 2)[..., None]
    return (room(seed, 192, 256) * (texture - texture.min() + 0.1)).astype(np.float32)


def write_stack(folder: Path, seed: int = 0) -> None:
    folder.mkdir(parents=True)
    for number, ev in enumerate(COMPENSATIONS):
        Image.fromarray(photograph(textured(seed), ev)).save(folder / f"{number}.png")


def write_with_exif(path: Path, ev: int, time: datetime) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: time.strftime("%Y:%m:%d %H:%M:%S"), 0x9204: TiffImagePlugin.IFDRational(ev)})
    Image.fromarray(photograph(textured(0), ev)).save(path, exif=exif, quality=98)


def test_frames_are_shifted_back() -> None:
    frames = [photograph(textured(1), ev) for ev in COMPENSATIONS]
    motions = [np.array([[1.0, 0, x], [0, 1, y]]) for x, y in ((-3, 2), (0, 0), (4, -1))]
    aligned = align([moved(*each) for each in zip(frames, motions, strict=True)], anchor=1)
    for before, after in zip(frames, aligned, strict=True):
        assert np.abs(before[8:-8, 8:-8].astype(int) - after[8:-8, 8:-8]).mean() < 1


def test_turned_camera_and_other_scene_are_refused() -> None:
    dark, bright = (photograph(textured(1), ev) for ev in (-1, 1))
    turn = cv2.getRotationMatrix2D((128, 96), 20, 1)
    turned = cv2.warpAffine(bright, turn, (256, 192), borderMode=cv2.BORDER_REFLECT)
    for other in (turned, photograph(textured(2), 1)):
        with pytest.raises(
            MisalignedError, match=r"shifted by|turned by|differs from the others in \d+% of its structure"
        ):
            align([dark, np.asarray(other, np.uint8)], anchor=0)


def test_folders_become_pairs_of_the_middle_frame_and_the_edited_stack(tmp_path: Path) -> None:
    for number in range(2):
        write_stack(tmp_path / "in" / f"kitchen{number}", number)
    assert make_pairs_from_brackets(tmp_path / "in", tmp_path / "out") == Made(2, 0, [])
    first, _ = read_pairs(tmp_path / "out" / "train.jsonl")
    frames = [photograph(textured(0), ev) for ev in COMPENSATIONS]
    assert np.abs(read_photo(first.source).astype(int) - frames[1]).mean() < 2  # JPEG
    assert np.abs(read_photo(first.target).astype(int) - standard_edit(merge(frames))).mean() < 2


def test_photos_side_by_side_are_grouped_by_exif(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1, 12)
    seconds = {"a0": (0, 0), "a1": (1, -2), "a2": (2, 2), "b0": (3, 0), "b1": (4, -2), "c0": (60, 0), "c1": (61, 2)}
    for name, (second, ev) in seconds.items():
        write_with_exif(tmp_path / f"{name}.jpg", ev, start + timedelta(seconds=second))
    write_with_exif(tmp_path / "single.jpg", 0, start + timedelta(minutes=5))
    assert make_pairs_from_brackets(tmp_path, tmp_path / "out") == Made(2, 1, [])
    pairs = [pair for name in ("train", "held-out") for pair in read_pairs(tmp_path / "out" / f"{name}.jsonl")]
    assert sorted(pair.source.stem for pair in pairs) == ["a0", "b0", "c0"]  # repeated compensation, then a pause
    source = read_photo(tmp_path / "out" / "photos" / "a0.jpg")
    assert np.abs(source.astype(int) - photograph(textured(0), 0)).mean() < 3  # the frame without compensation


def test_bad_stacks_are_refused_by_name_and_good_ones_kept(tmp_path: Path) -> None:
    for number, name in enumerate(("good", "damaged", "sizes", "moved")):
        write_stack(tmp_path / "in" / name, number)
    damaged = tmp_path / "in" / "damaged" / "1.png"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    Image.new("RGB", (20, 20)).save(tmp_path / "in" / "sizes" / "1.png")
    Image.fromarray(photograph(textured(9), 2)).save(tmp_path / "in" / "moved" / "2.png")
    made = make_pairs_from_brackets(tmp_path / "in", tmp_path / "out")
    assert made.training == 1
    for name, reason in (("damaged", "1.png"), ("sizes", "differ in size"), ("moved", "misaligned")):
        assert any(line.startswith(f"{name}: ") and reason in line for line in made.refused)


def test_a_folder_without_stacks_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (20, 20)).save(tmp_path / "a.jpg")
    with pytest.raises(PairsError, match="folder of its own, or keep the photos' EXIF"):
        make_pairs_from_brackets(tmp_path, tmp_path / "out")
    assert main(["pairs-from-brackets", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "out").exists()
