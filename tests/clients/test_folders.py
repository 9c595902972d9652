"""Which photos are found, what their outputs are called, and that a file is whole or absent."""

import errno
import os
from pathlib import Path

import pytest

from clients.errors import OptionError
from clients.files import write_atomically
from clients.folders import Naming, Plan, Search


def tree(root: Path, *names: str) -> Path:
    """A folder with small files of the given names."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"photo")
    return root


def plan(**options: object) -> Plan:
    naming = Naming(options.pop("suffix", ""), options.pop("format", None))
    return Plan(naming, Search(**options), "")


def mirrored(sources: Path, **options: object) -> dict[str, str]:
    jobs = plan(**options).mirror(sources, sources.parent / "out")
    return {job.source.as_posix(): job.target.as_posix() for job in jobs}


def test_the_tree_is_mirrored_without_hidden_files_and_other_kinds(tmp_path: Path) -> None:
    sources = tree(
        tmp_path / "in", "b.JPG", "a/z.tiff", "a/b/c.png", ".hidden.jpg", ".git/x.jpg", "notes.txt", "a/._z.jpg"
    )
    assert mirrored(sources) == {name: name for name in ("a/b/c.png", "a/z.tiff", "b.JPG")}


def test_patterns_recursion_suffix_and_format(tmp_path: Path) -> None:
    sources = tree(tmp_path / "in", "b.JPG", "x.png", "a/z.jpg")
    assert mirrored(sources, patterns=("*.jpg",), recursive=False) == {"b.JPG": "b.JPG"}
    assert mirrored(sources, suffix="_e", format="webp")["a/z.jpg"] == "a/z_e.webp"
    assert mirrored(sources, suffix="_e", format="same")["b.JPG"] == "b_e.JPG"


def test_outputs_inside_the_sources_are_not_sources(tmp_path: Path) -> None:
    sources = tree(tmp_path, "a.jpg", "edited/a.jpg")
    assert [job.source.name for job in plan().mirror(sources, sources / "edited")] == ["a.jpg"]
    with pytest.raises(OptionError, match="among their sources"):
        list(plan().mirror(sources, tmp_path / "edited" / ".."))


def test_linked_folders_are_not_followed(tmp_path: Path) -> None:
    sources = tree(tmp_path / "in", "a.jpg")
    (sources / "loop").symlink_to(sources)
    assert list(mirrored(sources)) == ["a.jpg"]


def test_named_photos_go_where_the_output_says(tmp_path: Path) -> None:
    tree(tmp_path, "a.jpg", "in/b.jpg", "in/c/d.jpg")
    (tmp_path / "out").mkdir()
    photo, folder, out = tmp_path / "a.jpg", tmp_path / "in", tmp_path / "out"

    def targets(paths: list[Path], output: str | None, **options: object) -> list[Path]:
        return [job.target for job in plan(**options).each(paths, output)]

    assert targets([photo], None, suffix="_enhanced") == [tmp_path / "a_enhanced.jpg"]
    assert targets([photo], str(tmp_path / "x.png")) == [tmp_path / "x.png"]
    assert targets([photo], str(out)) == [out / "a.jpg"]
    assert targets([photo], f"{tmp_path}/new/") == [tmp_path / "new/a.jpg"]
    assert targets([folder], str(out)) == [out / "b.jpg", out / "c/d.jpg"]
    assert targets([photo, folder], str(out)) == [out / "a.jpg", out / "in/b.jpg", out / "in/c/d.jpg"]
    with pytest.raises(OptionError, match="name an output folder"):
        targets([folder], None)
    with pytest.raises(OptionError, match="would replace its source"):
        targets([photo], None)
    with pytest.raises(OptionError, match=r"no such photo or folder: .*typo\.jpg"):
        targets([tmp_path / "typo.jpg"], None)


def test_written_file_has_its_time_and_folders(tmp_path: Path) -> None:
    target = tmp_path / "a/b/photo.jpg"
    write_atomically(target, b"whole", modified_ns=1_600_000_000_123_456_789)
    assert target.read_bytes() == b"whole" and target.stat().st_mtime_ns == 1_600_000_000_123_456_789


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "photo.jpg"
    target.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]
