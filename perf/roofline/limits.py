"""The roofline of a network, step by step: no step takes less than its operations or its bytes do.

Williams et al., "Roofline: An Insightful Visual Performance Model for Multicore Architectures", 2009. The limit of a
network is the sum, over its steps, of the longer of the two times.
"""

from dataclasses import dataclass

from perf.roofline.graph_cost import Step


@dataclass(frozen=True)
class Machine:
    """The two rates that limit a network.

    Attributes:
        flops_per_s: of matrix products in the network's precision, a multiplication and an addition being two.
        bytes_per_s: between processor and memory, read and written.
    """

    flops_per_s: float
    bytes_per_s: float


def compute_s(step: Step, machine: Machine) -> float:
    """Least time for a step's operations."""
    return step.flops / machine.flops_per_s


def memory_s(step: Step, machine: Machine, value_bytes: int) -> float:
    """Least time for a step's bytes, weights and activations taking that many each."""
    return step.traffic.bytes(value_bytes) / machine.bytes_per_s


def limit_s(network: list[Step], machine: Machine, value_bytes: int) -> float:
    """Least time for a network."""
    return sum(max(compute_s(step, machine), memory_s(step, machine, value_bytes)) for step in network)


def memory_share(network: list[Step], machine: Machine, value_bytes: int) -> float:
    """Share of the limit that steps take which wait for memory."""
    times = [(memory_s(step, machine, value_bytes), compute_s(step, machine)) for step in network]
    return sum(memory for memory, compute in times if memory > compute) / limit_s(network, machine, value_bytes)
