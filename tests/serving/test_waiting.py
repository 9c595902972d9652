"""The room in which decoded photos wait is bounded in photos and in bytes, whoever looks, and never stays full."""

import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from serving import waiting
from serving.waiting import WaitingRoom

PHOTO_BYTES = 100


@pytest.fixture
def room(tmp_path: Path) -> WaitingRoom:
    return WaitingRoom(5 * PHOTO_BYTES, 10, tmp_path)


def test_bytes_are_bounded_and_what_has_left_makes_room(room: WaitingRoom) -> None:
    assert [room.enter(PHOTO_BYTES, 60) for _ in range(6)] == [True] * 5 + [False]
    room.begin(PHOTO_BYTES)
    assert room.enter(PHOTO_BYTES, 60)


def test_photos_are_bounded_however_small(room: WaitingRoom) -> None:
    assert [room.enter(1, 60) for _ in range(11)] == [True] * 10 + [False]
    assert room.is_full()


def test_a_photo_larger_than_the_room_waits_alone(room: WaitingRoom) -> None:
    assert room.enter(6 * PHOTO_BYTES, 60)
    assert room.is_full() and not room.enter(1, 60)
    room.begin(6 * PHOTO_BYTES)
    assert not room.is_full()


def test_what_nobody_waits_for_any_more_takes_no_room(room: WaitingRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(room.enter(PHOTO_BYTES, wait_s) for wait_s in (5, 5, 5, 5, float("inf")))
    monkeypatch.setattr(waiting.time, "monotonic", lambda now=time.monotonic: now() + 6)
    assert not room.is_full(4 * PHOTO_BYTES) and room.is_full(4 * PHOTO_BYTES + 1)
    monkeypatch.setattr(waiting.time, "monotonic", lambda now=time.monotonic: now() + waiting.LONGEST_S)
    assert not room.is_full(5 * PHOTO_BYTES)


def test_while_an_instance_is_idle_nothing_waits(room: WaitingRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(room.enter(PHOTO_BYTES, 60) for _ in range(5))
    room.rest()
    assert room.is_full(1), "it may be about to take one"
    monkeypatch.setattr(waiting.time, "monotonic", lambda now=time.monotonic: now() + 2 * waiting.IDLE_S)
    assert all(room.enter(5 * PHOTO_BYTES, 60) for _ in range(20)), "photos that never come shut out others"


def test_while_all_instances_work_photos_wait(room: WaitingRoom) -> None:
    room.rest()
    room.begin(PHOTO_BYTES)
    assert all(room.enter(PHOTO_BYTES, 60) for _ in range(5)) and room.is_full(1)
    room.begin(PHOTO_BYTES)
    assert not room.is_full(PHOTO_BYTES)


def test_an_instance_that_ended_counts_no_more(room: WaitingRoom) -> None:
    with ProcessPoolExecutor(1) as pool:
        pool.submit(room.rest).result()
    assert all(room.enter(PHOTO_BYTES, 60) for _ in range(5)) and room.is_full(1)


def _come_and_go(folder: Path) -> int:
    room, most = WaitingRoom(5 * PHOTO_BYTES, 10, folder), 0
    for _ in range(50):
        if room.enter(PHOTO_BYTES, 60):
            most += 1
            room.begin(PHOTO_BYTES)
    return most


def test_processes_share_the_room_and_leave_it_empty(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        assert sum(pool.map(_come_and_go, [tmp_path] * 8)) > 0
    assert not WaitingRoom(5 * PHOTO_BYTES, 10, tmp_path).is_full(5 * PHOTO_BYTES)
