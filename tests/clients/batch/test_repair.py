"""Ledgers of other versions, damaged ones, and what any sequence of edits, kills and damage leaves."""

import asyncio
import contextlib
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from clients import AsyncEnhancer, FakeTransport
from clients.batch.database import LedgerError
from clients.batch.folders import Plan, Search
from clients.batch.ledger import LEDGER_NAME, Ledger
from clients.batch.local_engine import Batch
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.storage import store
from tests.clients.batch.ledgers import PHOTO, finish, job, state_after_rescan
from tests.photos import encoded, photo


def test_ledger_of_a_later_version_is_left_alone(folders: tuple[Path, Path]) -> None:
    finish(folders)
    path = folders[1] / LEDGER_NAME
    change(path, "PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="later version of enhance"):
        Ledger(*folders)
    assert path.read_bytes() == before


def test_ledger_of_the_first_version_is_understood(folders: tuple[Path, Path]) -> None:
    finish(folders)
    change(folders[1] / LEDGER_NAME, "ALTER TABLE photos DROP COLUMN changed_ns; PRAGMA user_version = 0")
    assert state_after_rescan(folders) == "skipped"


def change(path: Path, script: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript(script)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "other file": lambda path: path.write_bytes(b"not a database, but long enough to look at" * 30),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "other table": lambda path: change(path, "DROP TABLE photos; CREATE TABLE photos (source TEXT)"),
    "other types": lambda path: change(path, "UPDATE photos SET modified_ns = 'yesterday'"),
    "other scan": lambda path: change(path, "UPDATE photos SET scan = 9223372036854775807"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_ledger_is_put_aside_and_rebuilt_from_the_outputs(
    folders: tuple[Path, Path], damage: Callable[[Path], object]
) -> None:
    sources, targets = folders
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (sources / name).write_bytes(PHOTO)
        store(None, targets / name, PHOTO, job(sources, name).modified_ns)
    finish(folders)
    store(None, targets / "a.jpg", PHOTO, job(sources).modified_ns)
    (targets / "b.jpg").write_bytes(PHOTO[:-9])  # no whole photo
    os.utime(targets / "c.jpg", (1, 1))  # not made from what c.jpg is now
    damage(targets / LEDGER_NAME)
    ledger = Ledger(*folders)
    assert ledger.put_aside is not None and ledger.put_aside.exists()
    states = [ledger.note(job(sources, name)) for name in ("a.jpg", "b.jpg", "c.jpg")]
    assert states == ["skipped", "pending", "pending"]
    ledger.close()
    assert state_after_rescan(folders) == "skipped"


def test_a_ledger_with_any_byte_wrong_ends_no_run(folders: tuple[Path, Path]) -> None:
    finish(folders)
    path, randomly = folders[1] / LEDGER_NAME, random.Random(1)
    sound = path.read_bytes()
    for _ in range(150):
        damaged = bytearray(sound)
        for _ in range(randomly.randint(1, 4)):
            where = randomly.choice([randomly.randrange(200), randomly.randrange(len(sound))])
            damaged[where] = randomly.randrange(256)
        path.write_bytes(damaged)
        try:
            assert state_after_rescan(folders) in ("skipped", "pending")
        except LedgerError as error:
            assert "later version" in str(error)  # which one of the bytes says
        for left in folders[1].glob(f"{LEDGER_NAME}*"):
            left.unlink()


def test_what_may_be_replaced_may_be_replaced_by_the_next_run(folders: tuple[Path, Path]) -> None:
    """A run that rebuilt its ledger is killed before it has replaced an output that is not whole."""
    (folders[1] / "a.jpg").write_bytes(PHOTO[:50])
    (folders[1] / LEDGER_NAME).write_bytes(b"damaged")
    for _ in range(2):
        assert state_after_rescan(folders) == "pending"


VARIANTS = [encoded(photo(40, 30, seed)) for seed in range(6)]
NAMES = ("a.jpg", "b.jpg", "c/d.jpg", "c/e.jpeg")


class Shoot:
    """A folder that is edited, enhanced by runs that are killed, and whose ledger is damaged, all at random."""

    def __init__(self, root: Path, seed: int) -> None:
        self.sources, self.targets = root / f"in-{seed}", root / f"out-{seed}"
        self.targets.mkdir()
        self._randomly = random.Random(seed)
        for name in NAMES:
            self.edit(name)

    def disturb(self) -> None:
        """Edits, deletes, cuts or damages something, or does nothing; then comes a run that may be killed."""
        outputs = [self.targets / name for name in NAMES if (self.targets / name).exists()]
        deed = self._randomly.choice(["edit", "delete", "cut", "damage", "nothing"])
        if deed == "edit":
            self.edit(self._randomly.choice(NAMES))
        elif deed == "damage":
            self.damage(self.targets / LEDGER_NAME)
        elif outputs and deed != "nothing":
            output = self._randomly.choice(outputs)
            output.unlink() if deed == "delete" else output.write_bytes(output.read_bytes()[:50])
        self.run(killed_after=self._randomly.choice([None, 0, 1, 2]))

    def edit(self, name: str) -> None:
        path = self.sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._randomly.choice(VARIANTS))
        if self._randomly.random() < 0.5:
            os.utime(path, (1000, 1000))

    def damage(self, path: Path) -> None:
        content = bytearray(path.read_bytes() if path.exists() else b"")
        for _ in range(self._randomly.randint(1, 30) if content else 0):
            where = self._randomly.choice([self._randomly.randrange(100), self._randomly.randrange(len(content))])
            if where not in range(60, 64):  # the version
                content[where] = self._randomly.randrange(256)
        path.write_bytes(content)

    def run(self, killed_after: int | None = None) -> int:
        """Enhances what is pending; returns how many photos were sent."""
        sent: list[bytes] = []

        def answer(content: bytes, parameters: object) -> bytes:
            if len(sent) == killed_after:
                raise asyncio.CancelledError
            sent.append(content)
            return content

        async def enhance() -> None:
            with contextlib.closing(Ledger(self.sources, self.targets)) as ledger:
                ledger.note_all(Plan(Naming(), Search(), "").mirror(self.sources, self.targets))
                enhancer = AsyncEnhancer(transport=FakeTransport(answer))
                async with contextlib.aclosing(Batch(ledger, enhancer, Order(), 2).run()) as outcomes:
                    assert not [outcome.error async for outcome in outcomes if outcome.error]

        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(enhance())
        return len(sent)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_the_next_whole_run_ends_it_well(tmp_path: Path, seed: int) -> None:
    shoot = Shoot(tmp_path, seed)
    for _ in range(6):
        shoot.disturb()
    shoot.run()
    assert all((shoot.targets / name).read_bytes() == (shoot.sources / name).read_bytes() for name in NAMES)
    assert shoot.run() == 0
    files = {path.relative_to(shoot.targets).as_posix() for path in shoot.targets.rglob("*") if path.is_file()}
    assert {name for name in files if not name.startswith(LEDGER_NAME)} == set(NAMES)
