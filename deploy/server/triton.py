"""A tritonserver with the CPU profile, from its start to its last piece of shared memory.

The wheel's parts are put together in a directory of its own, and the server is started there (a folder in the working
directory would shadow installed packages). In the end everything is taken away again: processes, shared memory and the
directory.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

from deploy.server.interrupts import end_group, end_with_parent, held_back, is_interrupted
from deploy.server.model_control import ModelControl
from deploy.server.ports import LOOPBACK, Ports
from deploy.server.restrictions import Access
from deploy.server.start import COMMON
from deploy.server.stubs import living_stubs
from deploy.server.watchdog import Watchdog
from deploy.server.wheel import LaunchError, Wheel
from files.checkout import MODEL_REPOSITORY, ROOT

SERVER_PYTHON = ROOT / ".venv-server/bin/python"
SHARED_MEMORY = Path("/dev/shm")
PREFIX = "enhancer_"
LOG_LINES_SHOWN = 15
STOP_S = 30.0
STARTS = 3
NO_GPU = re.compile(r"CUDA|NVML|DCGM|pinned", re.IGNORECASE)  # what the server always says on a machine without a GPU


class ServerDied(LaunchError):
    """The server, or one of its Python models, has ended by itself; the message has the log's end."""


class TritonServer:
    """A tritonserver with the CPU profile, as a context manager; ready inside the ``with`` block.

    Args:
        ports: where to listen; free ones by default.
        host: address to listen on; of gRPC alone where that is encrypted.
        access: who may do what.
        repository: model repository.
        log: file that receives the server's output.
        python: interpreter of the server's environment.
        options: further options of tritonserver.
        timeout_s: for the models to become ready.

    Raises:
        LaunchError: on entering, with what to do about it.
        CertificatesError: on entering, where one is missing.
    """

    def __init__(
        self,
        ports: Ports | None = None,
        *,
        host: str = LOOPBACK,
        access: Access = Access(),  # noqa: B008  (frozen)
        repository: Path = MODEL_REPOSITORY,
        log: Path = ROOT / "artifacts/server.log",
        python: Path = SERVER_PYTHON,
        options: tuple[str, ...] = (),
        timeout_s: float = 300,
    ) -> None:
        self.ports = ports or Ports.free()
        self.host = host
        self.plain_host = LOOPBACK if access.tls else host  # of HTTP and metrics, for which Triton has no TLS
        self.access = access
        self.repository = repository
        self.log = log
        self.python = python
        self.options = options
        self.timeout_s = timeout_s
        self.prefix = f"{PREFIX}{os.getpid()}_{uuid.uuid4().hex[:8]}_"  # of its shared memory and its directory
        self.process: subprocess.Popen[bytes] | None = None
        self._resources = contextlib.ExitStack()

    @property
    def http_url(self) -> str:
        """Address for clients over HTTP."""
        return f"http://{self.plain_host}:{self.ports.http}"

    @property
    def grpc_url(self) -> str:
        """Address for clients over gRPC."""
        return f"{'grpcs' if self.access.tls else 'grpc'}://{self.host}:{self.ports.grpc}"

    @property
    def metrics_url(self) -> str:
        """Address of the Prometheus metrics."""
        return f"http://{self.plain_host}:{self.ports.metrics}/metrics"

    def __enter__(self) -> "TritonServer":
        """Start, and wait until every model is ready; again where Triton crashes meanwhile, as on a starved machine."""
        for starts_left in reversed(range(STARTS)):
            try:
                self._enter()
                break
            except ServerDied:
                if not starts_left:
                    raise
        return self

    def _enter(self) -> None:
        self.access.check()
        wheel = Wheel.of(self.python)
        remove_leftovers()
        try:
            self._resources.enter_context(self.ports.held(self.host))
            self.directory = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix=self.prefix)))
            self._resources.callback(self._remove_shared_memory)
            wheel.make_backends(self.directory / "backends")
            self._start(wheel)
            self._wait_ready()
        except BaseException:
            self.stop(0)  # while it starts, there is nothing that it could finish
            raise

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop, and leave nothing behind."""
        self.stop(0 if kind is ServerDied else STOP_S)  # what is left of a dead server does not stop when asked

    def _start(self, wheel: Wheel) -> None:
        self._control = ModelControl(self.ports.http, self.plain_host)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log, held_back():  # else a Ctrl-C could come before its process is known
            self.process = subprocess.Popen(
                [wheel.server, *self._arguments()],
                cwd=self.directory,
                env=wheel.environment(self.python),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the launcher alone, which passes it on once
                preexec_fn=end_with_parent,
            )
            self._watchdog = Watchdog(self.process, self._control)

    def _arguments(self) -> list[str]:
        return [
            f"--model-repository={self.repository}",
            "--model-config-name=cpu",
            f"--backend-directory={self.directory / 'backends'}",
            f"--backend-config=python,shm-region-prefix-name={self.prefix}",
            # The usual 30 s to import libraries are too few on a busy machine, and the server then ends.
            f"--backend-config=python,stub-timeout-seconds={self.timeout_s:.0f}",
            f"--http-address={self.plain_host}",
            f"--http-port={self.ports.http}",
            f"--grpc-address={self.host}",
            f"--grpc-port={self.ports.grpc}",
            f"--metrics-address={self.plain_host}",
            f"--metrics-port={self.ports.metrics}",
            *COMMON,
            *self._control.options(),
            *self.access.options(),
            *self.options,
        ]

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + self.timeout_s
        while not self.is_ready():
            if self.process is None or self.process.poll() is not None:
                crashed = self.process is not None and (self.process.returncode or 0) < 0  # by a signal
                raise (ServerDied if crashed else LaunchError)(f"the server ended while starting\n{self._log_end()}")
            self._watchdog.look()
            if time.monotonic() > deadline:
                raise LaunchError(f"the server is not ready after {self.timeout_s:.0f} s\n{self._log_end()}")
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Whether every model can be asked."""
        try:
            with urllib.request.urlopen(f"{self.http_url}/v2/health/ready", timeout=2):
                return True
        except OSError:  # nobody listens yet, or the answer is not 200
            return False

    def wait(self) -> None:
        """Wait until the server ends or cannot be repaired, which should never happen; dead models are reloaded.

        Raises:
            ServerDied: always.
        """
        raise ServerDied(f"{self._watchdog.watch()}\n{self._log_end()}")

    def _log_end(self) -> str:
        """The log's telling lines: errors where there are any, else the last ones."""
        lines = self.log.read_text(errors="replace").splitlines()
        errors = [
            line for line in lines if re.search(r"error|unavailable|failed", line, re.I) and not NO_GPU.search(line)
        ]
        return "\n".join([*(errors or lines)[-LOG_LINES_SHOWN:], f"the whole log: {self.log}"])

    def restart(self) -> None:
        """Stop, and start on the same ports; ready when it returns."""
        self.stop()
        self.__enter__()

    def stop(self, timeout_s: float = STOP_S) -> None:
        """End the server: ask first, then insist; remove its shared memory and directory."""
        with held_back():  # a Ctrl-C meanwhile makes the end come soon, and comes through after it
            self._end(timeout_s)
            self._resources.close()

    def _end(self, timeout_s: float) -> None:
        """Returns once no process of the server runs."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        deadline_s = time.monotonic() + timeout_s
        while self._is_ending() and time.monotonic() < deadline_s and not is_interrupted():
            time.sleep(0.02)
        end_group(self.process.pid)
        self.process.wait()
        self.process = None

    def _is_ending(self) -> bool:
        """Whether the server still has something to finish; it would wait in vain for models that have died."""
        if self.process is None or self.process.poll() is not None:
            return False
        return not self._watchdog.reloads or bool(living_stubs(self.process.pid))

    def _remove_shared_memory(self) -> None:
        for region in SHARED_MEMORY.glob(f"{self.prefix}*"):
            region.unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Remove shared memory and directories of launchers that were killed before they could."""
    for path in [*SHARED_MEMORY.glob(f"{PREFIX}*"), *Path(tempfile.gettempdir()).glob(f"{PREFIX}*")]:
        owner = path.name.removeprefix(PREFIX).split("_")[0]
        if not owner.isdigit() or Path("/proc", owner).exists():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
