"""The server as `make serve` starts it, which nobody helps to its feet again."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence

from deploy.server.ports import Ports
from deploy.server.stubs import INSTANCE, children, is_stub, read
from deploy.server.triton import PREFIX, SERVER_PYTHON, SHARED_MEMORY
from files.checkout import ROOT
from perf.errors import PerfError

STOP_S = 60.0
HELP_S = 120.0


class Service:
    """`python -m deploy.server` on free ports, as a context manager; ready inside the ``with`` block.

    Args:
        within: a command that runs the launcher, such as one that gives it a small disk.

    Raises:
        PerfError: on entering, when it does not become ready.
    """

    def __init__(self, within: Sequence[str] = ()) -> None:
        self.ports = Ports.free()
        self._within = within
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (closed on leaving)

    @property
    def grpc_url(self) -> str:
        """Address for clients over gRPC."""
        return f"grpc://127.0.0.1:{self.ports.grpc}"

    @property
    def http_url(self) -> str:
        """Address for clients over HTTP."""
        return f"http://127.0.0.1:{self.ports.http}"

    def __enter__(self) -> "Service":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._log.close()

    def start(self) -> None:
        """Start, and wait until it is ready."""
        ports = [f"--{name}-port={port}" for name, port in vars(self.ports).items()]
        command = [*self._within, str(SERVER_PYTHON), "-m", "deploy.server", *ports]
        self._launcher = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=self._log, text=True)
        assert self._launcher.stdout is not None
        if not self._launcher.stdout.readline().startswith("ready"):
            raise PerfError(f"the server does not start: {self.told()}")

    def stop(self) -> None:
        """Stop as Ctrl-C and service managers do; insist after a while."""
        self._launcher.send_signal(signal.SIGTERM)
        try:
            self._launcher.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._launcher.kill()
            self._launcher.wait()

    def told(self) -> str:
        """What the launcher has said about deaths."""
        self._log.seek(0)
        return self._log.read()

    def restarts(self) -> int:
        """How often the launcher had to start the server again."""
        return self.told().count("starting again")

    def reloads(self) -> int:
        """How often the watchdog had a model loaded again."""
        return self.told().count("loaded again in")

    def wait_for_help(self) -> None:
        """Until the launcher says that it has had to help once, or for HELP_S: a batch may be over before."""
        end_s = time.monotonic() + HELP_S
        while not (self.restarts() or self.reloads()) and time.monotonic() < end_s:
            time.sleep(0.1)

    @property
    def server(self) -> int:
        """Process id of the tritonserver that runs now; 0 while there is none."""
        return next(iter(children(self._launcher.pid)), 0)

    def stubs(self) -> dict[str, int]:
        """Process ids of the Python models by the name of their instance, such as tiler_0_3."""
        return {instance: stub for stub in children(self.server) if (instance := instance_of(stub))}

    def shared_memory_bytes(self) -> int:
        """Memory that the server and its models share."""
        return sum(each.stat().st_blocks * 512 for each in SHARED_MEMORY.glob(f"{PREFIX}{self._launcher.pid}_*"))

    def harm(self, process: int, harm: signal.Signals) -> None:
        """SIGKILL ends a process as the kernel does when memory runs out; SIGSTOP hangs it."""
        os.kill(process, harm)


def instance_of(stub: int) -> str:
    """The instance of a Python model that a stub runs; empty for one that has ended, and for other processes."""
    return "".join(read(stub, "cmdline").split("\0")[INSTANCE : INSTANCE + 1]) if is_stub(stub) else ""
