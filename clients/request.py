"""What is sent and what comes back: pure functions between photos and KServe v2 messages."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tritonclient.grpc import service_pb2

from clients.camera import sendable
from clients.errors import OptionError, PhotoError, ServerError
from codec.options import EXTENSIONS, FORMATS, MAX_STRENGTH, MODES
from files.writing import write_whole

MODEL = "enhance"
INPUT, OUTPUT = "IMAGE", "ENHANCED"
BRACKETS_MODEL, BRACKETS_INPUT = "enhance_brackets", "FRAMES"
MOST_FRAMES = 9
FORMAT_OF = {
    **{extension: name for name, extension in EXTENSIONS.items()},
    **dict.fromkeys((".jpeg", ".jpe", ".jfif"), "jpeg"),
    ".tiff": "tiff",
}
"""The format that a file's extension promises."""
LARGEST_PHOTO = 2_000_000_000
"""Bytes; protobuf's messages end at 2 GiB."""

Sent = bytes | tuple[bytes, ...]
"""A photo for the model `enhance`, or the frames of one scene for `enhance_brackets`."""


@dataclass(frozen=True)
class Options:
    """What the server should do with a photo; None leaves the choice to the server.

    Raises:
        OptionError: a value is outside its range.
    """

    mode: str | None = None
    """`full` (curves, then the refiner) or `fast` (curves alone)."""
    strength: float | None = None
    """Factor on the edit: 0 leaves the photo as it is, 1 is the full edit, up to `MAX_STRENGTH`."""
    format: str | None = None
    """`jpeg`, `png`, `tiff`, `webp`, or `same` as the photo that was sent."""
    quality: int | None = None
    """Of lossy formats, 1 to 100."""
    style: str | None = None
    """Name of the style; `Enhancer.styles` lists what a server has."""

    def __post_init__(self) -> None:
        _check(self.mode in (None, *MODES), f"mode {self.mode!r} is unknown: choose {' or '.join(MODES)}")
        _check(
            self.format in (None, *FORMATS), f"format {self.format!r} is unknown: choose one of {', '.join(FORMATS)}"
        )
        _check(
            self.strength is None or (math.isfinite(self.strength) and 0 <= self.strength <= MAX_STRENGTH),
            f"strength {self.strength} is outside 0 to {MAX_STRENGTH}",
        )
        _check(self.quality is None or 1 <= self.quality <= 100, f"quality {self.quality} is outside 1 to 100")

    def parameters(self) -> dict[str, str | int]:
        """The request parameters that the server's models read."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return given if self.strength is None else given | {"strength": str(self.strength)}


@dataclass(frozen=True)
class Enhanced:
    """An enhanced photo."""

    data: bytes
    """The file's bytes: metadata and colour profile included."""
    size_px: tuple[int, int]
    """Width and height."""
    format: str
    """One of `FORMATS`, never `same`."""
    seconds: float
    """From the call to the answer, retries included."""

    @property
    def megapixels(self) -> float:
        """Its size."""
        return self.size_px[0] * self.size_px[1] / 1e6

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the file so that no reader ever sees half of it.

        Raises:
            OptionError: the extension is that of another format.
            OSError: it cannot be written.
        """
        extension = Path(path).suffix.lower()
        if FORMAT_OF.get(extension, self.format) != self.format:
            raise OptionError(f"{path} would be a {self.format} inside: ask for format={FORMAT_OF[extension]!r}")
        write_whole(Path(path), self.data)


def read_photo(photo: bytes | str | os.PathLike[str], of_scene: bool = False) -> bytes:
    """The photo's bytes as a server takes them; a `str` is a path, and a camera file's path is developed.

    Args:
        photo: A file's bytes, or its path.
        of_scene: Whether it is going to be merged with other exposures.

    Raises:
        PhotoError: the camera file cannot be developed.
        OSError: the photo cannot be read.
    """
    return photo if isinstance(photo, bytes) else sendable(Path(photo), read_file(Path(photo)), of_scene)


def read_file(path: Path) -> bytes:
    """A photo file as it is.

    Raises:
        PhotoError: no request can hold it; nothing of it was read.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size > LARGEST_PHOTO:
        raise PhotoError(f"has {size / 1e9:.1f} GB, and a request holds {LARGEST_PHOTO / 1e9:.0f}")
    return path.read_bytes()


def model_of(sent: Sent) -> str:
    """The model that takes a photo, or the frames of one scene."""
    return MODEL if isinstance(sent, bytes) else BRACKETS_MODEL


@dataclass(frozen=True)
class _Input:
    """The one input tensor of a request."""

    name: str
    datatype: str
    shape: list[int]
    content: bytes
    """As it travels: of frames, each behind its length."""

    @classmethod
    def of(cls, sent: Sent) -> _Input:
        """The request for a photo, or for the frames of one scene."""
        if isinstance(sent, bytes):
            return cls(INPUT, "UINT8", [len(sent)], sent)
        content = b"".join(part for frame in sent for part in (struct.pack("<I", len(frame)), frame))
        return cls(BRACKETS_INPUT, "BYTES", [len(sent)], content)


def check_frames(frames: tuple[bytes, ...]) -> None:
    """Raises what a server would say of the number and size of a scene's frames, before anything is sent.

    Raises:
        OptionError: none, too many, or an empty one.
        PhotoError: no request can hold them together.
    """
    _check(1 <= len(frames) <= MOST_FRAMES, f"a scene has 1 to {MOST_FRAMES} frames, not {len(frames)}")
    for number, frame in enumerate(frames, start=1):
        _check(len(frame) > 0, f"frame {number} is empty")
    size = sum(map(len, frames))
    if size > LARGEST_PHOTO:
        raise PhotoError(f"the frames have {size / 1e9:.1f} GB together, and a request holds {LARGEST_PHOTO / 1e9:.0f}")


def grpc_request(
    sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None
) -> service_pb2.ModelInferRequest:
    """The request as a protobuf message; the bytes of photo or frames travel raw."""
    tensor = _Input.of(sent)
    request = service_pb2.ModelInferRequest(model_name=model_of(sent), raw_input_contents=[tensor.content])
    request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape)
    request.outputs.add(name=OUTPUT)
    for name, value in _with_timeout(parameters, timeout_s).items():
        if isinstance(value, int):
            request.parameters[name].int64_param = value
        else:
            request.parameters[name].string_param = value
    return request


def grpc_answer(response: service_pb2.ModelInferResponse) -> bytes:
    """The enhanced photo's bytes.

    Raises:
        ServerError: the answer carries no output.
    """
    if not response.raw_output_contents or not response.raw_output_contents[0]:
        raise ServerError(f"the server's answer has no {OUTPUT}")
    return bytes(response.raw_output_contents[0])


def http_request(
    sent: Sent, parameters: Mapping[str, str | int], timeout_s: float | None
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the binary form of the protocol: a JSON header, then the bytes of photo or frames."""
    tensor = _Input.of(sent)
    header = json.dumps(
        {
            "inputs": [
                {
                    "name": tensor.name,
                    "datatype": tensor.datatype,
                    "shape": tensor.shape,
                    "parameters": {"binary_data_size": len(tensor.content)},
                }
            ],
            "outputs": [{"name": OUTPUT, "parameters": {"binary_data": True}}],
            "parameters": _with_timeout(parameters, timeout_s),
        }
    ).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    return headers, header + tensor.content


def http_answer(headers: Mapping[str, str], body: bytes) -> bytes:
    """The enhanced photo's bytes.

    Raises:
        ServerError: the answer carries no binary output.
    """
    length = headers.get("Inference-Header-Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) < len(body)):
        raise ServerError(f"the server's answer has no {OUTPUT}")
    return body[int(length) :]


def _with_timeout(parameters: Mapping[str, str | int], timeout_s: float | None) -> dict[str, str | int]:
    """Triton drops a request that waits in its queues for longer than `timeout` microseconds."""
    return dict(parameters) if timeout_s is None else {**parameters, "timeout": max(1, int(timeout_s * 1e6))}


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise OptionError(message)
