"""Request parameters: what is understood, and what is refused with a reason."""

import pytest

from codec.errors import RequestError
from serving.options import Options


def test_no_parameters_are_the_defaults() -> None:
    assert Options.from_parameters({}) == Options()


def test_numbers_may_come_as_strings() -> None:
    given = {"mode": "fast", "strength": "0.5", "format": "png", "quality": "80", "timeout": 1000}
    assert Options.from_parameters(given) == Options("fast", 0.5, "png", 80)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"mode": "quick"}, "mode is 'quick'; it must be one of full, fast"),
        ({"mode": 1}, "mode is 1"),
        ({"strength": "2"}, "between 0 and 1.5"),
        ({"strength": "nan"}, "between 0 and 1.5"),
        ({"strength": "strong"}, "must be a number"),
        ({"quality": 0}, "between 1 and 100"),
        ({"quality": "80.5"}, "whole number"),
        ({"quality": "inf"}, "whole number"),
        ({"format": "gif"}, "one of same, jpeg, png, tiff, webp"),
        ({"strenght": 1}, "unknown request parameter 'strenght'; known are mode, strength, format, quality"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match=message.replace("(", r"\(")):
        Options.from_parameters(parameters)
