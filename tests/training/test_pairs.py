"""The dataset format: everything wrong with it is said at once, by line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data.cache import cached_squares
from training.data.pairs import PairsError, read_pairs, read_photo, split_pairs, write_photo


def test_good_pairs_are_read(pairs_jsonl: Path) -> None:
    pairs = read_pairs(pairs_jsonl)
    assert len(pairs) == 12
    assert pairs[3].source == pairs_jsonl.parent / "3.jpg" and pairs[3].target.name == "3.edit.jpg"


@pytest.mark.parametrize(("source", "target"), [("src", "tgt"), ("input", "output")])
def test_other_projects_keys_and_roots_are_read(pairs_jsonl: Path, tmp_path: Path, source: str, target: str) -> None:
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_text(json.dumps({source: "3.jpg", target: "3.edit.jpg"}))
    assert read_pairs(elsewhere, pairs_jsonl.parent) == [read_pairs(pairs_jsonl)[3]]
    with pytest.raises(PairsError, match="no such file"):
        read_pairs(elsewhere)


def test_every_bad_line_is_named_with_its_reason(pairs_jsonl: Path) -> None:
    folder = pairs_jsonl.parent
    (folder / "text.jpg").write_text("not a photo")
    write_photo(folder / "small.jpg", np.zeros((10, 10, 3), np.uint8))
    bad = ["{", "[1]", '{"source": "0.jpg"}', row("none.jpg"), row("text.jpg"), row("small.jpg"), row("0.jpg")]
    pairs_jsonl.write_text(pairs_jsonl.read_text() + "\n".join(bad))
    with pytest.raises(PairsError) as caught:
        read_pairs(pairs_jsonl)
    report = str(caught.value).splitlines()
    expected = ["not JSON", "must be paths", "must be paths", "no such file", "not a readable image", "sizes differ",
                "same source as line 1"]  # fmt: skip
    assert len(report) == 1 + len(bad)
    for number, (line, reason) in enumerate(zip(report[1:], expected, strict=True), start=13):
        assert f"line {number}:" in line and reason in line


def row(source: str) -> str:
    return json.dumps({"source": source, "target": "0.edit.jpg", "note": "extra keys are allowed"})


@pytest.mark.parametrize("content", [None, "", "\n\n"])
def test_missing_or_empty_list_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "train.jsonl").write_text(content)
    with pytest.raises(PairsError, match=r"cannot be read|lists no pairs"):
        read_pairs(tmp_path / "train.jsonl")


def test_sizes_are_compared_as_photos_look_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.new("RGB", (40, 20)).save(tmp_path / "source.jpg", exif=exif)
    Image.new("RGB", (20, 40)).save(tmp_path / "target.jpg")
    (tmp_path / "train.jsonl").write_text('{"source": "source.jpg", "target": "target.jpg"}')
    (pair,) = read_pairs(tmp_path / "train.jsonl")
    assert read_photo(pair.source).shape == read_photo(pair.target).shape == (40, 20, 3)


def test_truncated_photos_are_all_named_and_leave_no_cache(pairs_jsonl: Path, tmp_path: Path) -> None:
    for name in ("2.jpg", "5.edit.jpg"):
        path = pairs_jsonl.parent / name
        path.write_bytes(path.read_bytes()[:-300])
    pairs = read_pairs(pairs_jsonl)  # headers are whole
    with pytest.raises(PairsError, match=r"(?s)2 photos are damaged.*2\.jpg.*5\.edit\.jpg"):
        cached_squares(pairs, 32, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_cache_is_made_once_and_anew_when_a_photo_changes(pairs_jsonl: Path, tmp_path: Path) -> None:
    pairs, folder = read_pairs(pairs_jsonl), tmp_path / "cache"
    squares = cached_squares(pairs, 32, folder)
    assert squares.shape == (12, 2, 32, 32, 3)
    assert np.array_equal(cached_squares(pairs, 32, folder), squares) and len(list(folder.iterdir())) == 1
    write_photo(pairs[0].source, np.zeros((64, 96, 3), np.uint8))
    assert cached_squares(pairs, 32, folder)[0, 0].max() == 0


def test_a_scene_is_never_on_both_sides_of_the_split(pairs_jsonl: Path) -> None:
    lines = [json.dumps({"source": f"{n}.edit.jpg", "target": f"{n}.edit.jpg"}) for n in range(12)]  # second shots
    pairs_jsonl.write_text(pairs_jsonl.read_text() + "\n".join(lines))
    training, validation = split_pairs(read_pairs(pairs_jsonl))
    assert len(training) == 22 and len(validation) == 2
    assert {pair.target for pair in training}.isdisjoint(pair.target for pair in validation)
