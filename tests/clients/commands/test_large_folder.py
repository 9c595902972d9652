"""A folder of 2,000 files with everything in it: each is done or told in one sentence, and the rest is done."""

import json
from pathlib import Path

import pytest

from clients.commands.cli import main
from tests.clients.brackets.shoots import exif, exposed, room
from tests.clients.strict_server import StrictServer, running
from tests.codec.files import empty_png, segment, with_segments
from tests.photos import encoded, photo

EVS = (0, -2, 2)
SCENES, SINGLES, PLAIN, JUNK = 400, 500, 100, 195
TOLD = {
    "bad/cut.jpg": "the JPEG file is damaged or incomplete",
    "bad/empty.jpg": "the photo is empty",
    "bad/gif.png": "this is not a photo that can be read; send the bytes of a JPEG, PNG, TIFF or WebP file",
    "bad/huge.png": "this server takes up to 120 megapixels, so send a smaller copy",
    "bad/loop.jpg": "cannot be read: Too many levels of symbolic links",
    "bad/text.jpg": "this is not a photo that can be read; send the bytes of a JPEG, PNG, TIFF or WebP file",
    "scenes/007_0.jpg": "007_2.jpg: the JPEG file is damaged or incomplete",
}
"""By source, what is told of it."""


def fill(folder: Path) -> None:
    """Brackets, singles, photos without EXIF, files that are no photos, and some that only look like one."""
    files = {ev: encoded(exposed(room(1), ev), quality=90) for ev in EVS}

    def taken(time_s: float, ev: float) -> bytes:
        return with_segments(files[ev], segment(0xE1, exif(time_s, ev, ev).tobytes()))

    for name in ("scenes", "singles", "plain", "junk", "bad"):
        (folder / name).mkdir(parents=True)
    for number in range(SCENES):
        for index, ev in enumerate(EVS):
            (folder / f"scenes/{number:03}_{index}.jpg").write_bytes(taken(8 * number + 0.3 * index, ev))
    for number in range(SINGLES):
        (folder / f"singles/{number:03}.jpg").write_bytes(taken(7 * number, 0))
    for number in range(PLAIN):
        (folder / f"plain/{number:03}.png").write_bytes(encoded(photo(60, 40, number), "PNG"))
    for number in range(JUNK):
        (folder / f"junk/{number:03}{('.txt', '.mov', '.db')[number % 3]}").write_bytes(b"no photo")
    (folder / "bad/cut.jpg").write_bytes(files[0][:-600])
    (folder / "bad/empty.jpg").touch()
    (folder / "bad/gif.png").write_bytes(encoded(photo(60, 40), "GIF"))
    (folder / "bad/huge.png").write_bytes(empty_png(13_000, 13_000))
    (folder / "bad/loop.jpg").symlink_to("loop.jpg")
    (folder / "bad/text.jpg").write_text("call the agent")
    damaged = folder / "scenes/007_2.jpg"
    damaged.write_bytes(damaged.read_bytes()[:-600])
    (folder / "scenes/009_1.jpg").write_bytes(encoded(photo(60, 40), exif=exif(8 * 9 + 0.3, -2, -2)))  # another size
    (folder / "scenes/011_2.jpg").unlink()


def test_two_thousand_files_with_everything_in_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources, targets = tmp_path / "in", tmp_path / "out"
    fill(sources)
    assert len([path for path in sources.rglob("*") if not path.is_dir()]) == 2000
    pictures = (SCENES - 1) + (3 - 1) + SINGLES + PLAIN  # the frames around one of another size are no bracket
    server = StrictServer(reads=True)
    with running(server) as port:
        for done, skipped in ((pictures, 0), (0, pictures)):
            command = ["merge", str(sources), str(targets), "--url", f"grpc://127.0.0.1:{port}", "--quiet", "--json"]
            assert main(command) == 1
            out, told = capsys.readouterr()
            report = json.loads(out)
            assert (report["done"], report["skipped"], report["pending"]) == (done, skipped, 0)
            assert "Traceback" not in told
            assert report["passed_over"] == {".txt": JUNK // 3, ".mov": JUNK // 3, ".db": JUNK // 3}
            reasons = {each["source"]: each["reason"] for each in report["failed"]}
            assert reasons.keys() == TOLD.keys()
            assert all(TOLD[source] in reason and "\n" not in reason for source, reason in reasons.items())
            assert (report["merged"], report["frames"]) == ((SCENES - 2, 3 * (SCENES - 3) + 2) if done else (0, 0))
    outputs = [path for path in targets.rglob("*") if path.is_file()]
    assert len(server.answered) == pictures and len(outputs) == pictures + 1
