"""Which photos are found, and what their outputs are called."""

import errno
import os
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from clients.batch.folders import Plan, Search
from clients.batch.naming import Naming, candidates
from clients.errors import OptionError
from files.writing import write_whole


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
        tmp_path / "in",
        "b.JPG",
        "a/z.tiff",
        "a/b/c.png",
        ".hidden.jpg",
        ".git/x.jpg",
        "notes.txt",
        "a/._z.jpg",
        "d.jfif",
    )
    assert mirrored(sources) == {name: name for name in ("a/b/c.png", "a/z.tiff", "b.JPG", "d.jfif")}


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


def troubles(sources: Path) -> dict[str, str]:
    jobs = plan().mirror(sources, sources.parent / "out")
    return {job.source.as_posix(): job.trouble for job in jobs}


def test_links_that_lead_nowhere_are_told_and_stop_nothing(tmp_path: Path) -> None:
    sources = tree(tmp_path / "in", "a.jpg", "z/b.jpg")
    (sources / "loop.jpg").symlink_to("loop.jpg")
    (sources / "other-loop").symlink_to("other-loop")  # no photo by its name
    (sources / "gone.jpg").symlink_to("nowhere.jpg")
    (sources / "good.jpg").symlink_to("a.jpg")
    os.mkfifo(sources / "pipe.jpg")
    found = troubles(sources)
    assert found.pop("gone.jpg") == "this link leads nowhere"
    assert found.pop("loop.jpg").startswith("cannot be read: Too many levels of symbolic links")
    assert found == {"a.jpg": "", "good.jpg": "", "z/b.jpg": ""}


def test_a_folder_that_cannot_be_read_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = tree(tmp_path / "in", "a.jpg", "locked/b.jpg", "vanishing/c.jpg", "z.jpg")
    scandir = os.scandir

    def careful(folder: Path) -> object:
        if folder.name == "locked":  # permissions do not bind root
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        if folder.name == "vanishing":
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", careful)
    assert troubles(sources) == {"a.jpg": "", "locked": "cannot be read: Permission denied", "z.jpg": ""}


def test_a_photo_that_vanishes_during_the_search_is_passed_over(tmp_path: Path) -> None:
    sources = tree(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg")
    jobs = plan().mirror(sources, tmp_path / "out")
    assert next(jobs).source.name == "a.jpg"
    (sources / "b.jpg").unlink()
    assert [job.source.name for job in jobs] == ["c.jpg"]


def test_folders_deeper_than_pythons_stack(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
        Path("a.jpg").write_bytes(b"photo")
        found = troubles(tmp_path)
    finally:
        os.chdir(here)
        subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # Python's own rmtree would need a deeper stack
    assert list(found.values()) == [""] and next(iter(found)).count("/") == 1200


@pytest.mark.parametrize("length", [249, 250, 255])
@pytest.mark.parametrize("letter", ["x", "ü"])
def test_names_as_long_as_they_can_be(tmp_path: Path, length: int, letter: str) -> None:
    stem = (letter * 255).encode()[: length - 4].decode(errors="ignore")
    sources = tree(tmp_path / "in", f"{stem}.jpg", f"{stem[:-1]}~.jpg")
    for naming in (Naming(), Naming("_enhanced"), Naming("", "webp"), Naming("_enhanced", "webp")):
        targets = {naming.name(Path(path.name)) for path in sources.iterdir()}
        names = [name for target in targets for name in islice(candidates(Path("a.png"), target), 4)]
        assert len(set(names)) == 8
        for name in names:
            write_whole(tmp_path / "out" / name, b"whole")


def test_names_for_photos_that_would_have_the_same() -> None:
    names = islice(candidates(Path("in/hall.PNG"), Path("in/hall.jpg")), 4)
    assert [name.as_posix() for name in names] == ["in/hall.jpg", "in/hall_PNG.jpg", "in/hall_2.jpg", "in/hall_3.jpg"]
    names = islice(candidates(Path("b/hall.jpg"), Path("out/hall.jpg")), 2)
    assert [name.as_posix() for name in names] == ["out/hall.jpg", "out/hall_2.jpg"]
