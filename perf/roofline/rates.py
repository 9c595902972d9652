"""What the machine can do at best, measured: matrix products and copies, by PyTorch (oneDNN on a CPU)."""

import time
from collections.abc import Callable

import torch

MATRIX = 2048
COPY_BYTES = 2**28  # far more than any cache
CALLS = 5


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
    """Shortest of CALLS, after one that does not count: others can only make it slower."""
    work()
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
