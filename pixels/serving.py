"""The one module that knows Triton's Python backend: requests to function calls, results and errors to responses."""

import json
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from pixels.device import cupy, namespace, on_device
from pixels.errors import RequestError
from pixels.options import Options

Tensors = Mapping[str, NDArray[Any]]


class Cancelled(Exception):
    """Nobody waits for the answer any more."""


class Unavailable(Exception):
    """Another model that the photo needs has failed, which says nothing about the photo: worth another try."""


class Deadline:
    """Whether anybody still waits for a request's answer.

    Triton 2.51 does not tell a step of an ensemble that the client has gone, but hands it the client's timeout: a long
    step watches that itself. Newer ones may tell, so it is asked for.
    """

    def __init__(self, request: Any) -> None:
        self._request = request
        timeout_us = request.timeout()
        self._end_s = time.monotonic() + timeout_us / 1e6 if timeout_us else math.inf

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
    return pb_utils.InferenceResponse([as_tensor(name, array) for name, array in outputs.items()])


def as_tensor(name: str, array: Any) -> Any:
    """An array to pb_utils.Tensor, which stays where it is: in the host's memory, or in a GPU's."""
    return pb_utils.Tensor.from_dlpack(name, array) if on_device(array) else pb_utils.Tensor(name, array)


def failure(error: Exception) -> Any:
    """The response that tells the client what went wrong; what nobody expected is logged, too."""
    message, codes = str(error), pb_utils.TritonError
    expected = {RequestError: codes.INVALID_ARG, Cancelled: codes.CANCELLED, Unavailable: codes.UNAVAILABLE}
    code = expected.get(type(error), codes.INTERNAL)
    if code == codes.INTERNAL:
        pb_utils.Logger.log_error(f"unexpected {type(error).__name__}: {error}")
        message = f"the server failed on this photo ({type(error).__name__})"
    return pb_utils.InferenceResponse(error=codes(message, code))


def tensor(request: Any, name: str) -> NDArray[Any]:
    """An input tensor of a request, or an output tensor of a response: a NumPy array, or on a GPU a CuPy array."""
    answered = isinstance(request, pb_utils.InferenceResponse)
    get = pb_utils.get_output_tensor_by_name if answered else pb_utils.get_input_tensor_by_name
    found = get(request, name)
    return found.as_numpy() if found.is_cpu() else cupy().from_dlpack(found)  # type: ignore[no-any-return]


def options(request: Any) -> Options:
    """The options in a request's parameters.

    Raises:
        RequestError: as Options.from_parameters.
    """
    return Options.from_parameters(json.loads(request.parameters() or "{}"))


def setting(args: Mapping[str, str], name: str) -> str:
    """A value from ``parameters`` in the model's config.pbtxt."""
    return str(json.loads(args["model_config"])["parameters"][name]["string_value"])


def samples(pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Photo from the tensor that travels between the models.

    A Triton tensor has one type, photos have 8 or 16 bits a sample: the tensor is uint8 (height, width, 3) or
    (height, width, 6), where a 16-bit sample is two bytes, low byte first.
    """
    return pixels if pixels.shape[2] == 3 else pixels.view("<u2")


def as_bytes(photo: NDArray[Any]) -> NDArray[np.uint8]:
    """The inverse of samples."""
    return namespace(photo).ascontiguousarray(photo).view(np.uint8)  # type: ignore[no-any-return]
