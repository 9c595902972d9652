"""The options of one request: how strongly and how thoroughly to edit, and what file to return."""

from collections.abc import Mapping
from dataclasses import dataclass

from codec.errors import RequestError
from codec.options import FORMATS, MAX_STRENGTH, MODES
from serving.versions import DEFAULT_STYLE


@dataclass(frozen=True)
class Options:
    """Options of one request, valid by construction.

    Attributes:
        mode: "full" applies the edit and refines it; "fast" applies it alone.
        strength: factor on the edit, in [0, 1.5].
        format: file format of the answer; "same" keeps the photo's own.
        quality: JPEG and WebP quality, 1 to 100.
        style: name of the published networks that decide the edit; whether there are any, tiler knows.

    Raises:
        RequestError: a value outside its range.
    """

    mode: str = "full"
    strength: float = 1.0
    format: str = "same"
    quality: int = 92
    style: str = DEFAULT_STYLE

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise RequestError(f"mode is {self.mode!r}; it must be one of {', '.join(MODES)}")
        if self.format not in FORMATS:
            raise RequestError(f"format is {self.format!r}; it must be one of {', '.join(FORMATS)}")
        if not 0 <= self.strength <= MAX_STRENGTH:
            raise RequestError(f"strength is {self.strength}; it must lie between 0 and {MAX_STRENGTH}")
        if not 1 <= self.quality <= 100:
            raise RequestError(f"quality is {self.quality}; it must lie between 1 and 100")

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> "Options":
        """Read the parameters of a Triton request, where numbers may also come as strings.

        Raises:
            RequestError: an unknown name, or a value that is no number or outside its range.
        """
        known = {name: parameters[name] for name in cls.__dataclass_fields__ if name in parameters}
        unknown = sorted(set(parameters) - set(known) - TRITON_PARAMETERS)
        if unknown:
            names = ", ".join(cls.__dataclass_fields__)
            raise RequestError(f"unknown request parameter {unknown[0]!r}; known are {names}")
        if "strength" in known:
            known["strength"] = _number("strength", known["strength"])
        if "quality" in known:
            known["quality"] = _whole("quality", known["quality"])
        if "style" in known:
            known["style"] = str(known["style"])
        return cls(**known)  # type: ignore[arg-type]  # mode and format: any wrong type fails the check of its values


TRITON_PARAMETERS = frozenset({"timeout", "priority", "binary_data_output", "sequence_id", "headers"})
"""Parameters that belong to the protocol, not to this service."""


def _number(name: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise RequestError(f"{name} is {value!r}; it must be a number") from None


def _whole(name: str, value: object) -> int:
    number = _number(name, value)
    if not number.is_integer():
        raise RequestError(f"{name} is {value!r}; it must be a whole number")
    return int(number)
