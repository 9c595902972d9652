"""The roofline of a network, step by step: no step takes less than its operations or its bytes do.

Williams et al., "Roofline: An Insightful Visual Performance Model for Multicore Architectures", 2009. The limit of a
network is the sum, over its steps, of the longer of the two times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.utils.benchmark import Timer

from perf.engines.table import CPU_THREADS
from perf.roofline.graph_cost import Step

MATRIX = 2048
COPY_BYTES = 2**28  # far more than any cache
LEAST_S = 0.2  # of one measurement of a rate
COPY = "copy, B/s"
SPARK_SOURCES = (
    "91 TFLOPS: BF16 matrix product, measured on a DGX Spark by others (huggingface/kernels, pull request 283: 91 to "
    "92; another source reports about 60). NVIDIA publishes no dense 16-bit figure. 218 GB/s: memory rate, measured by "
    "the same source; NVIDIA's data sheet says 273 GB/s. Left out: decoding, curves, encoding, copies between processes"
)


@dataclass(frozen=True)
class Machine:
    """The two rates that limit a network.

    Attributes:
        flops_per_s: of matrix products in the network's precision, a multiplication and an addition being two.
        bytes_per_s: between processor and memory, read and written.
    """

    flops_per_s: float
    bytes_per_s: float


SPARK = Machine(flops_per_s=91e12, bytes_per_s=218e9)


def limit_s(network: list[Step], machine: Machine, value_bytes: int) -> tuple[float, float]:
    """Least time for a network whose weights and activations take that many bytes each.

    Returns:
        the time, and the part of it that goes to steps which wait for memory.
    """
    times = [(step.flops / machine.flops_per_s, step.bytes(value_bytes) / machine.bytes_per_s) for step in network]
    return sum(map(max, times)), sum(memory for compute, memory in times if memory > compute)


def matrix_flops_per_s(dtype: torch.dtype, size: int = MATRIX) -> float:
    """Rate of a square matrix product, a multiplication and an addition being two operations."""
    a, b = (torch.rand(size, size).to(dtype) for _ in range(2))
    product = torch.empty_like(a)
    return 2 * size**3 / fastest_s(lambda: torch.mm(a, b, out=product))


def copied_bytes_per_s(size_bytes: int = COPY_BYTES) -> float:
    """Rate of a copy by all cores, bytes read and bytes written both counted."""
    source = torch.ones(size_bytes, dtype=torch.uint8)
    target = torch.empty_like(source)
    return 2 * size_bytes / fastest_s(lambda: target.copy_(source))


def fastest_s(work: Callable[[], object]) -> float:
    """Shortest of some calls: others can only make it slower."""
    timer = Timer("work()", globals={"work": work}, num_threads=CPU_THREADS)
    return float(min(timer.blocked_autorange(min_run_time=LEAST_S).times))


RATES: dict[str, Callable[[], float]] = {
    "matrix FP32, FLOP/s": partial(matrix_flops_per_s, torch.float32),
    "matrix BF16, FLOP/s": partial(matrix_flops_per_s, torch.bfloat16),
    COPY: copied_bytes_per_s,
}
