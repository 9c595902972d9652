"""Batches: how many photos are in flight, what stops a batch, and what it leaves behind."""

import asyncio
import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from clients import AsyncEnhancer, FakeTransport, Retry
from clients.batch.folders import Plan, Search
from clients.batch.ledger import Ledger
from clients.batch.local_engine import LOSSES, SPARE, Batch, Outcome
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.storage import StorageError
from clients.errors import BusyError, DeniedError, PhotoError, ProtocolError, ServerError, UnreachableError
from tests.clients.strict_server import StrictServer, running
from tests.photos import encoded, photo

PHOTO = encoded(photo(40, 30))
Answer = Callable[[bytes, Mapping[str, str | int]], bytes]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Twelve different photos, noted and pending."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for number in range(12):
        (tmp_path / f"in/{number:02}.jpg").write_bytes(PHOTO + bytes([number]))
    return scanned(tmp_path)


def scanned(root: Path) -> Ledger:
    ledger = Ledger(root / "in", root / "out")
    for job in Plan(Naming(), Search(), "").mirror(root / "in", root / "out"):
        ledger.note(job)
    return ledger


def run(ledger: Ledger, client: FakeTransport | str, in_flight: int = 4, patience_s: float = 5) -> list[Outcome]:
    async def collect() -> list[Outcome]:
        where = {"transport": client} if isinstance(client, FakeTransport) else {"url": client}
        async with AsyncEnhancer(**where, retry=Retry(attempts=1)) as enhancer:
            batch = Batch(ledger, enhancer, Order(), in_flight, patience_s)
            return [outcome async for outcome in batch.run()]

    return asyncio.run(collect())


def test_every_photo_is_done_once(ledger: Ledger) -> None:
    fake = FakeTransport()
    outcomes = run(ledger, fake)
    assert len(outcomes) == len(fake.requests) == ledger.counts()["done"] == 12
    assert all((ledger.targets / f"{n:02}.jpg").read_bytes() == PHOTO + bytes([n]) for n in range(12))


def test_bad_photos_fail_alone(ledger: Ledger) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] in (3, 7):
            raise PhotoError("not a photo") if content[-1] == 3 else ServerError("failed")
        return content

    run(ledger, FakeTransport(answer))
    assert [(str(each.job.source), each.reason) for each in ledger.failures()] == [
        ("03.jpg", "not a photo"),
        ("07.jpg", "failed"),
    ]
    assert ledger.counts()["done"] == 10


def test_in_flight_is_used_and_kept(ledger: Ledger) -> None:
    server = StrictServer()
    server.hold.clear()

    async def collect(url: str) -> None:
        async with AsyncEnhancer(url, retry=Retry(attempts=1)) as enhancer:
            release = asyncio.get_running_loop().call_later(0.5, server.hold.set)
            async for _ in Batch(ledger, enhancer, Order(), in_flight=5).run():
                pass
            release.cancel()

    with running(server) as port:
        asyncio.run(collect(f"grpc://127.0.0.1:{port}"))
    assert server.most_in_flight == 5


def test_a_small_queue_is_adapted_to_and_nothing_fails(ledger: Ledger) -> None:
    server = StrictServer(room=2)
    with running(server) as port:
        run(ledger, f"grpc://127.0.0.1:{port}", in_flight=12)
    assert ledger.counts()["done"] == 12 == len(server.answered)


def test_a_photo_that_kills_the_server_is_given_up_and_the_others_are_done(ledger: Ledger) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] == 5:
            raise UnreachableError("gone")
        return content

    fake = FakeTransport(answer)
    run(ledger, fake)
    assert [str(each.job.source) for each in ledger.failures()] == ["05.jpg"]
    assert len(fake.requests) == 11 + LOSSES


@pytest.mark.parametrize("kind", [UnreachableError, BusyError])
def test_without_a_server_photos_stay_pending(ledger: Ledger, kind: type[UnreachableError]) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        raise kind("no")

    class Gone(FakeTransport):
        async def check(self, timeout_s: float) -> None:
            raise kind("no")

    with pytest.raises(kind):
        run(ledger, Gone(answer), patience_s=0.2)
    assert ledger.counts()["pending"] == 12 and not ledger.failures()


def test_unwritable_outputs_stop_the_batch_and_the_next_run_finishes_it(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "out/05.jpg").mkdir()  # in the way of one photo alone

    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] == 8:
            ledger.targets = ledger.folder = Path("/proc/nowhere")  # where nothing can be written
        return content

    with pytest.raises(StorageError, match="cannot write"):
        run(ledger, FakeTransport(answer), in_flight=1)
    ledger.close()
    again = scanned(tmp_path)
    run(again, FakeTransport())
    assert [str(each.job.source) for each in again.failures()] == [
        "05.jpg"
    ]  # in either run: the first may end before its write
    assert again.counts()["done"] + again.counts()["skipped"] == 11


def test_source_that_vanishes_fails_alone(ledger: Ledger) -> None:
    (ledger.sources / "04.jpg").unlink()
    run(ledger, FakeTransport())
    assert [(str(each.job.source), each.reason) for each in ledger.failures()] == [
        ("04.jpg", "cannot be read: No such file or directory")
    ]


def test_memory_stays_flat(ledger: Ledger) -> None:
    jobs = ledger.pending()
    asked = []

    def pending() -> object:
        for job in jobs:
            asked.append(len(asked) + 1 - ledger.counts()["done"])
            yield job

    ledger.pending = pending  # type: ignore[method-assign]
    run(ledger, FakeTransport(), in_flight=3)
    assert max(asked) <= 3 + SPARE and len(asked) == 12


def test_a_photo_that_kills_the_server_takes_no_other_with_it(ledger: Ledger) -> None:
    """The deadly photo fails every request that is in flight beside it, as a dying server does."""
    in_flight: set[int] = set()
    killed: set[int] = set()

    class Deadly(FakeTransport):
        async def infer(self, photo: bytes, parameters: Mapping[str, str | int], timeout_s: float | None) -> bytes:
            number = photo[-1]
            in_flight.add(number)
            await asyncio.sleep(0.01)
            if number == 5:
                killed.update(in_flight)
            await asyncio.sleep(0.01)
            in_flight.discard(number)
            if number in killed:
                killed.discard(number)
                raise UnreachableError("gone")
            return photo

    run(ledger, Deadly(), in_flight=12)
    assert [(str(each.job.source), each.reason) for each in ledger.failures()] == [
        ("05.jpg", f"given up after {LOSSES} tries: gone")
    ]
    assert ledger.counts()["done"] == 11


@pytest.mark.parametrize(
    "error", [ValueError("odd"), MemoryError(), RecursionError("deep"), DeniedError("no"), ProtocolError("?")]
)
def test_no_error_of_one_photo_ends_a_run(ledger: Ledger, error: Exception) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] == 5:
            raise error
        return content

    run(ledger, FakeTransport(answer))
    assert [str(each.job.source) for each in ledger.failures()] == ["05.jpg"] and ledger.counts()["done"] == 11
    assert type(error).__name__ in str(ledger.failures()[0].reason) or str(error) == ledger.failures()[0].reason


@pytest.mark.parametrize("kind", [DeniedError, ProtocolError])
def test_a_server_that_takes_no_photo_ends_the_run(ledger: Ledger, kind: type[DeniedError]) -> None:
    class Refusing(FakeTransport):
        async def check(self, timeout_s: float) -> None:
            raise kind("no more")

    def answer(content: bytes, parameters: object) -> bytes:
        raise kind("no")

    with pytest.raises(kind, match="no more"):
        run(ledger, Refusing(answer))
    assert ledger.counts()["pending"] == 12 and not ledger.failures()


def test_a_photo_that_finds_no_room_while_others_do_fails_alone(ledger: Ledger) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] < 3:  # as many as are read beside one in flight
            raise BusyError("too large for the pool")
        return content

    run(ledger, FakeTransport(answer), in_flight=4, patience_s=0.3)
    assert [str(each.job.source) for each in ledger.failures()] == ["00.jpg", "01.jpg", "02.jpg"]
    assert all("too large for the pool" in str(each.reason) for each in ledger.failures())


def test_an_output_folder_that_is_taken_away_stops_the_batch(ledger: Ledger, tmp_path: Path) -> None:
    def answer(content: bytes, parameters: object) -> bytes:
        if content[-1] == 6:
            (tmp_path / "out").rename(tmp_path / "away")
        return content

    with pytest.raises(StorageError, match="the folder is gone"):
        run(ledger, FakeTransport(answer), in_flight=1)
    ledger.check_outputs()
    assert not (tmp_path / "out").exists()
    assert sum("gone again" in str(each.reason) for each in ledger.failures()) >= 4


def test_one_folder_that_takes_no_files_stops_nothing_else(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def beside(path: Path) -> Iterator[Path]:
        if path.name == "04.jpg":
            raise PermissionError(errno.EACCES, "Permission denied")
        yield path

    monkeypatch.setattr("clients.batch.storage.beside", beside)
    run(ledger, FakeTransport())
    (failure,) = ledger.failures()
    assert str(failure.job.source) == "04.jpg" and str(failure.reason).endswith("04.jpg: Permission denied")


WRONG_ANSWERS = {
    "cut": PHOTO[:-40],
    "one pixel": encoded(photo(1, 1)),
    "turned": encoded(photo(30, 40)),
    "page": b"<html>",
    "nothing": b"",
}


@pytest.mark.parametrize("wrong", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_answer_that_is_not_the_photo_is_never_stored(ledger: Ledger, wrong: bytes) -> None:
    run(ledger, FakeTransport(lambda content, parameters: wrong if content[-1] == 5 else content))
    assert [str(each.job.source) for each in ledger.failures()] == ["05.jpg"] and "server's answer" in str(
        ledger.failures()[0].reason
    )
    assert not (ledger.targets / "05.jpg").exists() and ledger.counts()["done"] == 11


def test_a_file_that_no_request_holds_is_not_even_read(ledger: Ledger) -> None:
    with (ledger.sources / "05.jpg").open("wb") as file:
        file.truncate(2**40)  # a terabyte of nothing
    run(ledger, FakeTransport())
    assert [(str(each.job.source), each.reason) for each in ledger.failures()] == [
        ("05.jpg", "has 1099.5 GB, and a request holds 2")
    ]
    assert ledger.counts()["done"] == 11
