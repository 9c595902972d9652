"""Runs a tritonserver and ends it when one of its Python models has died, for whoever restarts it.

    python3 watchdog.py tritonserver --model-repository=/models ...

Triton runs each instance of a Python model in a process of its own, does not start a dead one again, and goes on saying
that it is ready (triton-inference-server/server, issues 7230 and 8604): half a server, for good. With the watchdog a
dead model is a dead server, which restart policies of containers and launchers know how to handle.
"""

import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

POLL_S = 0.5
STUB = "triton_python_backend_stub"[:15]  # the kernel keeps so much of a program's name, and longer than its arguments
INSTANCE = 8
"""Where a stub's command line has the name of its model's instance, such as tiler_0_3."""


def wait_for_end(server: "subprocess.Popen[bytes]") -> str:
    """Return once the server or one of its Python models has ended, with a sentence that says which."""
    instances: dict[int, str] = {}
    while server.poll() is None:
        for stub in filter(is_stub, children(server.pid)):
            if has_ended(stub):
                return f"a Python model died: {instances.get(stub, 'as soon as it was ready')}"
            instances[stub] = "".join(read(stub, "cmdline").split("\0")[INSTANCE : INSTANCE + 1])
        time.sleep(POLL_S)
    return f"the server ended by itself (code {server.returncode})"


def children(parent: int) -> list[int]:
    """Process ids of a process's children, those included that have ended and wait to be asked how."""
    threads = Path(f"/proc/{parent}/task").glob("*")
    return [int(child) for thread in threads for child in read(parent, f"task/{thread.name}/children").split()]


def is_stub(process: int) -> bool:
    """Whether a process runs, or ran, a Python model."""
    return read(process, "comm").strip() == STUB


def has_ended(process: int) -> bool:
    """Whether a child has ended that its parent has not asked about (a zombie)."""
    return read(process, "stat").rpartition(")")[2].split()[:1] == ["Z"]


def read(process: int, name: str) -> str:
    """A file of a process in /proc; empty for one that is gone."""
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except OSError:
        return ""


def main() -> int:
    """Run the command given; returns its exit code, or 1 when a model died."""
    server = subprocess.Popen(sys.argv[1:])

    def stop(number: int, _frame: FrameType | None) -> None:
        server.send_signal(number)
        sys.exit(server.wait())

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    reason = wait_for_end(server)
    print(f"watchdog: {reason}", file=sys.stderr, flush=True)
    died = server.poll() is None
    server.kill()  # a server without one of its models waits in vain for that model to finish
    code = server.wait()
    return 1 if died else code


if __name__ == "__main__":
    sys.exit(main())
