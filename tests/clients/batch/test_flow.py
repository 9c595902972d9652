"""Pace: how many requests are in flight."""

from clients.batch.flow import SETTLE_S, Flow
from tests.clients.clock import Clock


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
