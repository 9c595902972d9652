"""The classical choice: exposures developed from the one photo, fused by OpenCV (Mertens), Pillow on both ends."""

import contextlib
from collections.abc import Iterator

from perf.peers import Enhance
from perf.peers.files import read, write
from training.data.fusion import standard_edit, to_linear


@contextlib.contextmanager
def opened() -> Iterator[Enhance]:
    """No network: metering to 18 % grey, -6 to +2 EV, exposure fusion, a gamma to the mean."""
    yield lambda file, _mode: write(standard_edit(to_linear(read(file))))


@contextlib.contextmanager
def opened_unedited() -> Iterator[Enhance]:
    """The photo read and written, which every way has to do: the floor of both time and quality."""
    yield lambda file, _mode: write(read(file))
