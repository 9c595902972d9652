"""The table of baselines. To add one, write a context manager that yields an Enhance and add a row."""

import contextlib
from collections.abc import Iterator

from perf.baselines import Baseline, Enhance, read, script, served, write
from pixels.brackets.exposure import to_linear
from training.data.fusion import standard_edit


@contextlib.contextmanager
def unedited() -> Iterator[Enhance]:
    """The photo read and written, which every way has to do: the floor of both time and quality."""
    yield lambda file, _mode: write(read(file))


@contextlib.contextmanager
def classical() -> Iterator[Enhance]:
    """No network: metering to 18 % grey, -6 to +2 EV, exposure fusion (Mertens, OpenCV), a gamma to the mean."""
    yield lambda file, _mode: write(standard_edit(to_linear(read(file))))


OURS = "this project"
BOTH = ("fast", "full")
BASELINES = (
    Baseline("Pillow alone", ("unedited",), unedited, "reads and writes the photo, which every way has to"),
    Baseline("OpenCV exposure fusion", ("classical",), classical, "Mertens on exposures developed from the one photo"),
    Baseline("script", BOTH, script.opened, "both networks in PyTorch eager, curves by its tensors, Pillow"),
    Baseline("FastAPI", BOTH, served.fastapi, "the service's engine and arithmetic behind uvicorn, Pillow, HTTP"),
    Baseline("pytriton binding", BOTH, served.pytriton, "the same function bound to the same tritonserver, gRPC"),
    Baseline(OURS, BOTH, served.project, "Triton ensemble, gRPC"),
)
