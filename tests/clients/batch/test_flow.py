"""Pace and balance: how many requests are in flight, and which server gets the next."""

from clients.balancer import Balancer
from clients.batch.flow import SETTLE_S, Flow
from clients.retry import Retry
from clients.transports import FakeTransport


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_refusals_halve_the_flow_once_a_round_and_never_stop_it() -> None:
    clock = Clock()
    flow = Flow(16, clock)
    limits = []
    for _ in range(6):
        flow.refused()
        flow.refused()
        limits.append(flow.limit)
        clock.now_s += SETTLE_S
    assert limits == [8, 4, 2, 1, 1, 1]


def test_answers_widen_the_flow_by_one_a_round_up_to_its_most() -> None:
    flow = Flow(8, Clock())
    flow.refused()
    for answers, limit in ((5, 5), (6, 6), (100, 8)):
        for _ in range(answers):
            flow.answered()
        assert flow.limit == limit


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
