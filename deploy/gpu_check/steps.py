"""Steps, what they find, and how they are run: one after the other, whether or not the one before failed."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from deploy.gpu_check.session import CannotTell, Session

PASS, FAIL, UNKNOWN = "pass", "fail", "could not tell"


class Wrong(Exception):
    """The step failed: the message says what is wrong. It may carry figures, as a Finding does."""

    def __init__(self, sentence: str, figures: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.figures = figures or {}


@dataclass(frozen=True)
class Finding:
    """The result of a step that passed: a sentence, and figures in plain JSON."""

    sentence: str
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One question.

    Attributes:
        name: what is asked, as the report's heading.
        look: finds the answer; raises Wrong, or CannotTell. Anything else that it raises is a failure, too.
        short: whether the short check asks it.
    """

    name: str
    look: Callable[[Session], Finding]
    short: bool = True


@dataclass(frozen=True)
class Result:
    """The answer to one question."""

    name: str
    outcome: str
    sentence: str
    figures: dict[str, Any]
    seconds: float


def run(steps: Iterable[Step], session: Session) -> Iterator[Result]:
    """Ask every question; answers come as they are found."""
    for step in steps:
        started = time.monotonic()
        outcome, sentence, figures = _outcome(step, session)
        yield Result(step.name, outcome, sentence, figures, round(time.monotonic() - started, 1))


def _outcome(step: Step, session: Session) -> tuple[str, str, dict[str, Any]]:
    try:
        found = step.look(session)
    except CannotTell as reason:
        return UNKNOWN, str(reason), {}
    except Wrong as wrong:
        return FAIL, str(wrong), wrong.figures
    except Exception as error:  # of any library: the step has failed, the others have not
        return FAIL, f"{type(error).__name__}: {error}", {}
    return PASS, found.sentence, found.figures
