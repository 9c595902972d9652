"""The one module that knows Triton's Python backend: requests to function calls, results and errors to responses."""

import faulthandler
import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from codec.errors import RequestError
from serving.browsers import refuse_foreign_pages
from serving.options import Options
from serving.versions import DEFAULT_STYLE, common_versions, model_names, styles

Tensors = Mapping[str, NDArray[Any]]

faulthandler.enable()  # a model that crashes in a library says where, in the server's log


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Unavailable(Exception):
    """Another model that the photo needs has failed, which says nothing about the photo: worth another try."""


class Refused(Exception):
    """Another model says that what it was given cannot be served; the message is its sentence."""


class Full(Unavailable):
    """Too many photos wait already: worth another try a little later."""


class Deadline:
    """Whether anybody still waits for a request's answer.

    Triton 2.51 does not tell a step of an ensemble that the client has gone, but hands it the client's timeout: a long
    step watches that itself. Newer ones may tell, so it is asked for.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        timeout_us = request.timeout()
        self._end_s = time.monotonic() + timeout_us / 1e6 if timeout_us else math.inf

    def left_s(self) -> float:
        """How much longer the client waits; infinite where it named no timeout."""
        return self._end_s - time.monotonic()

    def left_us(self) -> int:
        """The same as a request's timeout: whole microseconds, 0 for none."""
        return max(1, int(self.left_s() * 1e6)) if math.isfinite(self._end_s) else 0

    def check(self) -> None:
        """Raise Cancelled where the client has gone or its timeout has passed."""
        if self._request.is_cancelled():
            raise Cancelled("the client cancelled the request")
        if time.monotonic() > self._end_s:
            raise Cancelled("the client's timeout passed before the photo was finished")


def answer(request: Any, handle: Callable[[Any], Tensors]) -> Any:
    """One response for one request: a bad photo never sinks its neighbours.

    Args:
        request: pb_utils.InferenceRequest.
        handle: takes the request, returns the output tensors by name.
    """
    try:
        return response(handle(request))
    except Exception as error:  # a dead stub would fail the photos of everybody else
        return failure(error)


def response(outputs: Tensors) -> Any:
    """Output tensors by name to pb_utils.InferenceResponse."""
    return pb_utils.InferenceResponse([pb_utils.Tensor(name, array) for name, array in outputs.items()])


def failure(error: Exception) -> Any:
    """The response that tells the client what went wrong; what nobody expected is logged, too."""
    message, codes = str(error), pb_utils.TritonError
    expected = {
        RequestError: codes.INVALID_ARG,
        Cancelled: codes.CANCELLED,
        Unavailable: codes.UNAVAILABLE,
        Full: codes.UNAVAILABLE,
    }
    code = expected.get(type(error), codes.INTERNAL)
    if code == codes.INTERNAL:
        pb_utils.Logger.log_error(f"unexpected {type(error).__name__}: {error}")
        message = f"the server failed on this photo ({type(error).__name__})"
    return pb_utils.InferenceResponse(error=codes(message, code))


def tensor(request: Any, name: str) -> NDArray[Any]:
    """An input tensor of a request, in the host's memory: not a copy, and valid as long as the request."""
    return pb_utils.get_input_tensor_by_name(request, name).as_numpy()  # type: ignore[no-any-return]


def served_version(repository: Path, style: str) -> int:
    """The newest version that this server has loaded of a style's networks; publishing meanwhile changes nothing.

    Raises:
        RequestError: there is no such style.
        Unavailable: there is no such version, as when one network alone was loaded again after another was published.
    """
    known = styles(repository)
    if style not in known and style != DEFAULT_STYLE:
        raise RequestError(f"style is {style!r}; it must be one of {', '.join(known)}")
    version = _loaded_version(repository, style)
    if version is None:
        names = " and ".join(model_names(style))
        raise Unavailable(f"{names} are not loaded in a version that both have; restart the server")
    return version


def served_styles(repository: Path) -> dict[str, int]:
    """The version of each style that this server has loaded, the default first."""
    loaded = {style: _loaded_version(repository, style) for style in styles(repository)}
    return {style: version for style, version in loaded.items() if version is not None}


def _loaded_version(repository: Path, style: str) -> int | None:
    """The newest version of a published style of which both networks are loaded."""
    ready = (
        version
        for version in common_versions(repository, style)
        if all(pb_utils.is_model_ready(model_name=name, model_version=str(version)) for name in model_names(style))
    )
    return next(ready, None)


def call(
    model: str, version: int, inputs: Tensors, output: str, trace: Any, deadline: Deadline | None = None
) -> NDArray[Any]:
    """Ask another model of this server (BLS); in a trace, its time is the photo's.

    Args:
        model: its name.
        version: of it; -1 is the newest.
        inputs: by name.
        output: the one output that is wanted.
        trace: the request's.
        deadline: the request's, for a model that watches it.

    Raises:
        Refused: the model does not take the inputs.
        Unavailable: the model failed, with what it said.
    """
    answered = pb_utils.InferenceRequest(
        model_name=model,
        model_version=version,
        requested_output_names=[output],
        inputs=[pb_utils.Tensor(name, array) for name, array in inputs.items()],
        timeout=deadline.left_us() if deadline else 0,
        trace=trace,
        preferred_memory=pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0),  # a plan's stay on the GPU
    ).exec()
    if answered.has_error():
        if deadline:
            deadline.check()  # which is then the reason
        if answered.error().code() == pb_utils.TritonError.INVALID_ARG:
            raise Refused(answered.error().message())
        raise Unavailable(f"{model}, version {version}, failed: {answered.error().message()}")
    return pb_utils.get_output_tensor_by_name(answered, output).as_numpy()  # type: ignore[no-any-return]


def options(request: Any) -> Options:
    """The options in a request's parameters.

    Raises:
        RequestError: as Options.from_parameters and serving.browsers.refuse_foreign_pages.
    """
    return Options.from_parameters(refuse_foreign_pages(json.loads(request.parameters() or "{}")))


def setting(args: Mapping[str, str], name: str) -> str:
    """A value from ``parameters`` in the model's config.pbtxt."""
    return str(json.loads(args["model_config"])["parameters"][name]["string_value"])


def samples(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Photo from the tensor that travels between the models.

    A Triton tensor has one type, photos have 8 or 16 bits a sample: the tensor is uint8 (height, width, 3 or 4), or
    twice as deep, where a 16-bit sample is two bytes, low byte first.
    """
    return pixels if pixels.shape[2] <= 4 else pixels.view("<u2")


def as_bytes(photo: NDArray[Any]) -> NDArray[np.uint8]:
    """The inverse of samples."""
    return np.ascontiguousarray(photo).view(np.uint8)
