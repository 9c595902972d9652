"""What the service counts, on the server's Prometheus page beside Triton's own `nv_inference_*`.

| counter | labels | counts |
|---|---|---|
| `enhancer_photos_decoded_total` | mode | photos for the queue of `tiler`; the frames of a scene are one, when merged |
| `enhancer_photos_begun_total` | mode | photos that `tiler` took from its queue |
| `enhancer_photos_total` | mode | photos edited |
| `enhancer_megapixels_total` | mode | their megapixels |
| `enhancer_tiles_total` | mode | tiles sent to `refiner`, counted when their photo is done |
| `enhancer_stage_seconds_total` | mode, stage | time in `decode`, `merge`, `tiler`, `encode`, of what succeeded |
| `enhancer_failures_total` | stage, reason | photos that got an error; bad_request, timeout, unavailable, internal |

**Sheds**, by mode, are the photos that were decoded and not begun, less those that still wait
(`nv_inference_pending_request_count{model="tiler"}`, at most 16):

    sum by (mode) (enhancer_photos_decoded_total) - sum by (mode) (enhancer_photos_begun_total)

They are no counter of their own, since no code of ours runs when Triton's queue turns a photo away, and Triton 2.51
counts it nowhere as such: `tiler` has no failure, `enhance` two of reason OTHER, like any photo that failed.

The time of a tile in the network is Triton's: `nv_inference_request_duration_us{model="refiner"}`.
"""

import time
from collections.abc import Callable
from typing import Any

import triton_python_backend_utils as pb_utils

from codec.errors import RequestError
from serving.options import Options
from serving.triton import Cancelled, Full, Tensors, Unavailable, failure, options, response


class Counter:
    """A Prometheus counter of the server's metrics page, one line for each set of labels.

    Args:
        name: ending in _total.
        description: of what is counted.
    """

    def __init__(self, name: str, description: str) -> None:
        self._family = pb_utils.MetricFamily(name=name, description=description, kind=pb_utils.MetricFamily.COUNTER)
        self._lines: dict[tuple[tuple[str, str], ...], Any] = {}

    def add(self, amount: float, **labels: str) -> None:
        """Count."""
        key = tuple(labels.items())
        if key not in self._lines:
            self._lines[key] = self._family.Metric(labels=labels)
        self._lines[key].increment(amount)


class Stage:
    """A step of the ensemble, whose time and failures are counted.

    Args:
        name: of its model.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._seconds = Counter("enhancer_stage_seconds_total", "Time in a step of the ensemble")
        self._failures = Counter("enhancer_failures_total", "Photos refused, given up or failed")

    def answer(self, request: Any, handle: Callable[[Any, Options], Tensors]) -> Any:
        """Like serving.triton.answer; handle takes the request and its options."""
        started_s = time.perf_counter()
        try:
            chosen = options(request)
            answered = response(handle(request, chosen))
        except Exception as error:  # a dead stub would fail the photos of everybody else
            self._failures.add(1, stage=self._name, reason=REASONS.get(type(error), "internal"))
            return failure(error)
        self._seconds.add(time.perf_counter() - started_s, mode=chosen.mode, stage=self._name)
        return answered


REASONS: dict[type[Exception], str] = {
    RequestError: "bad_request",
    Cancelled: "timeout",
    Unavailable: "unavailable",
    Full: "full",
}
