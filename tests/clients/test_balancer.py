"""Balance: which server gets the next photo, and which one is asked what servers have in common."""

import asyncio

import pytest

from clients import FakeTransport, Retry, Style
from clients.balancer import Balancer
from clients.errors import BusyError, DeadlineError, UnreachableError
from clients.transports import Transport
from tests.clients.clock import Clock


def test_servers_take_turns() -> None:
    servers = [FakeTransport() for _ in range(3)]
    balancer = Balancer(servers)
    assert [balancer.pick() for _ in range(6)] == servers * 2


def test_a_failing_server_rests_longer_each_time_until_it_answers() -> None:
    clock, dead, alive = Clock(), FakeTransport(), FakeTransport()
    balancer = Balancer([dead, alive], clock)
    rests = []
    for _ in range(3):
        assert balancer.failed(dead)  # another one is ready
        start = clock.now_s
        while dead not in (balancer.pick(), balancer.pick()):
            clock.now_s += 0.5
        rests.append(clock.now_s - start)
    assert rests == [1, 2, 4]
    balancer.answered(dead)
    assert dead in (balancer.pick(), balancer.pick())


def test_when_all_rest_the_one_that_wakes_first_is_asked() -> None:
    first, second = FakeTransport(), FakeTransport()
    balancer = Balancer([first, second], Clock())
    balancer.failed(first)
    assert not balancer.failed(second)
    balancer.failed(second)
    assert balancer.pick() is balancer.pick() is first


def test_a_server_may_fail_for_days() -> None:
    away = FakeTransport()
    balancer = Balancer([away], Clock())
    assert not any(balancer.failed(away) for _ in range(3000))
    assert Retry().wait_s(3000) <= Retry().longest_wait_s


class Silent(FakeTransport):
    """A server that tells no styles."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def styles(self, timeout_s: float) -> list[Style]:
        raise self._error


def asked(*servers: FakeTransport) -> list[Style]:
    async def styles(server: Transport) -> list[Style]:
        return await server.styles(1.0)

    return asyncio.run(Balancer(servers).first(styles))


def test_the_first_server_that_answers_tells() -> None:
    assert [style.name for style in asked(Silent(BusyError("full")), FakeTransport())] == ["default"]


def test_where_none_answers_the_first_one_is_told_of() -> None:
    with pytest.raises(BusyError, match="full"):
        asked(Silent(BusyError("full")), Silent(UnreachableError("gone")))
    with pytest.raises(UnreachableError, match="fake:// does not answer"):
        asked(Silent(DeadlineError("late")), Silent(BusyError("full")))
