"""The processes of Triton's Python models, one for each instance, as Linux shows them (proc(5)).

Needs Python's standard library alone.
"""

from pathlib import Path

STUB = "triton_python_backend_stub"[:15]  # the kernel keeps so much of a program's name, and longer than its arguments
INSTANCE = 8
"""Where a stub's command line has the name of its model's instance, such as tiler_0_3."""


def children(parent: int) -> list[int]:
    """Process ids of a process's children, those included that have ended and wait to be asked how."""
    threads = Path(f"/proc/{parent}/task").glob("*")
    return [int(child) for thread in threads for child in read(parent, f"task/{thread.name}/children").split()]


def is_stub(process: int) -> bool:
    """Whether a process runs, or ran, a Python model."""
    return read(process, "comm").strip() == STUB


def living_stubs(server: int) -> list[int]:
    """Process ids of the Python models of a server that have not ended."""
    return [stub for stub in children(server) if is_stub(stub) and not has_ended(stub)]


def instance_of(stub: int) -> str:
    """The instance of a Python model that a stub runs; empty for one that has ended."""
    return "".join(read(stub, "cmdline").split("\0")[INSTANCE : INSTANCE + 1])


def model_of(instance: str) -> str:
    """The model of an instance such as tiler_0_3."""
    return instance.rsplit("_", 2)[0]


def has_ended(process: int) -> bool:
    """Whether a child has ended that its parent has not asked about (a zombie)."""
    return state(process) == "Z"


def state(process: int) -> str:
    """R, S, D, T (stopped), Z (ended) as in proc(5); empty for a process that is gone."""
    return "".join(read(process, "stat").rpartition(")")[2].split()[:1])


def read(process: int, name: str) -> str:
    """A file of a process in /proc; empty for one that is gone."""
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        return ""
