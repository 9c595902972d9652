"""Photos that a person names: each is enhanced once, to a name of its own, without a database."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from clients import AsyncEnhancer, FakeTransport
from clients.batch.folders import Plan, Search
from clients.batch.judgement import Again
from clients.batch.local_engine import Batch
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.worklist import KEPT, Entry, Worklist
from clients.errors import PhotoError
from tests.photos import encoded, photo

PHOTO = encoded(photo(40, 30))


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: pytest.fail("a database was opened"))


def enhanced(root: Path, *names: str, again: Again = Again()) -> list[Entry]:  # noqa: B008
    """Enhances photos of a folder into `out`; what was made of each."""

    def answer(content: bytes, parameters: object) -> bytes:
        if content == b"text":
            raise PhotoError("not a photo")
        return content

    async def run(worklist: Worklist) -> None:
        async with AsyncEnhancer(transport=FakeTransport(answer)) as enhancer:
            async for _ in Batch(worklist, enhancer, Order()).run():
                pass

    worklist = Worklist()
    paths = [root / name for name in names]
    worklist.note_all(Plan(Naming(format="jpeg"), Search(), "").each(paths, f"{root}/out/"), again)
    asyncio.run(run(worklist))
    worklist.check_outputs()
    return worklist.entries()


def test_each_photo_is_made_once_and_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PHOTO)
    (tmp_path / "b.jpg").write_bytes(b"text")
    (tmp_path / "c.png").write_bytes(PHOTO)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/c.jpg").write_bytes(b"somebody's")
    names = ("a.jpg", "b.jpg", "a.jpg", "c.png")
    told = [(each.state, each.reason, each.attempts) for each in enhanced(tmp_path, *names)]
    assert told == [("done", None, 1), ("failed", "not a photo", 1), ("skipped", KEPT, 0)]
    assert (tmp_path / "out/a.jpg").read_bytes() == PHOTO and (tmp_path / "out/c.jpg").read_bytes() == b"somebody's"
    replaced = enhanced(tmp_path, *names, again=Again(existing=True))
    assert [each.state for each in replaced] == ["done", "failed", "done"]
    assert (tmp_path / "out/c.jpg").read_bytes() == PHOTO


def test_photos_of_one_name_get_two(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "in/a.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(PHOTO)
    made = enhanced(tmp_path, "a.jpg", "a.png", "in/a.jpg")
    assert [each.target.name for each in made] == ["a.jpg", "a_png.jpg", "a_2.jpg"]
    assert [each.state for each in made] == ["done"] * 3


def test_an_output_that_vanishes_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(PHOTO)
    worklist = Worklist()
    worklist.note_all(Plan(Naming("_e"), Search(), "").each([tmp_path / "a.jpg"], None))
    (job,) = worklist.pending()
    worklist.storing(job, "", "", len(PHOTO), 0.1)
    worklist.done(job)
    worklist.check_outputs()
    (failure,) = worklist.failures()
    assert str(failure.reason).startswith("its output is gone again") and worklist.counts() == {"failed": 1}
