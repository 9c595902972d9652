"""Ways to run a network, one module for each library, each in a process of its own while it is measured."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perf.errors import PerfError

Array: TypeAlias = NDArray[np.float32] | NDArray[np.uint8]
Tiles: TypeAlias = dict[str, Array]
"""A batch: the network's inputs by name, in the configuration's order, the batch axis first."""
Run: TypeAlias = Callable[[Tiles], Array]
"""A batch to the network's output, in the host's memory. Copies to a GPU and back are part of a call, as in serving."""
Load: TypeAlias = Callable[[Path], tuple[Run, str]]
"""Path of the served ONNX file, MODEL/VERSION/model.onnx, to the network, ready, and the version of its library."""

CPU_THREADS = len(os.sched_getaffinity(0))  # of the libraries that would otherwise count the cores each in its own way


class Unavailable(PerfError):
    """A runtime cannot run here; the message says why."""


@dataclass(frozen=True)
class Runtime:
    """A row of the table.

    Attributes:
        name: what the row is called.
        device: "cpu" or "gpu".
        load: imports what it needs itself; raises anything where it cannot run.
        environment: "project" (.venv) or "server" (.venv-server, which has OpenVINO and no PyTorch).
    """

    name: str
    device: str
    load: Load
    environment: str = "project"
