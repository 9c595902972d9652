"""Runs a tritonserver, loads a model again whose process died or hangs, and ends a server that cannot be helped.

    python3 watchdog.py tritonserver --model-repository=/models ...

Triton runs each instance of a Python model in a process of its own, does not start a dead one again, and goes on saying
that it is ready (triton-inference-server/server, issues 7230 and 8604): half a server, for good. The watchdog looks at
the processes, and has the server load the model again: by model control, which needs a key that is made at each start
and that the watchdog alone knows. A server that is dead, does not answer, or fails to load is ended, for whoever
restarts it: a container's restart policy, or the launcher of the CPU profile.

Triton takes keys on its command line alone, which every user of the machine can list. So an argument of the command
that ends in `=@/a/file` stands for the file's content, and keys are blotted out of the server's own arguments once it
has read them.
"""

import contextlib
import http.client
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

POLL_S = 0.5
STUB = "triton_python_backend_stub"[:15]  # the kernel keeps so much of a program's name, and longer than its arguments
INSTANCE = 8
"""Where a stub's command line has the name of its model's instance, such as tiler_0_3."""
KEY_HEADER = "model-control-key"
KEY = re.compile(rb"(--(?:http-restricted-api|grpc-restricted-protocol)=[^=\0]*=)([^\0]*)")
"""An argument of tritonserver with a key in it."""
LOAD_S = 300.0
HEALTH_EVERY_S = 5.0
HEALTH_S = 10.0
MISSES = 3
"""Health requests in a row without an answer that make a server a hung one: half a minute, for a starved machine."""
RELOADS = 8
"""In the life of a server: each leaves the shared memory of the dead process behind, until the server ends."""


@dataclass(frozen=True)
class ModelControl:
    """Health and model control of one server, over its HTTP port on this machine."""

    port: int = 8000
    host: str = "127.0.0.1"
    key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @classmethod
    def of(cls, command: Sequence[str]) -> "ModelControl":
        """Of the server that a command starts."""
        ports = [each.partition("=")[2] for each in command if each.startswith("--http-port=")]
        return cls(int(ports[-1])) if ports else cls()

    def options(self) -> tuple[str, ...]:
        """For tritonserver's command line: every model is loaded, and only the watchdog may do so again."""
        rule = f"model-repository:{KEY_HEADER}={self.key}"
        restrictions = (f"--http-restricted-api={rule}", f"--grpc-restricted-protocol={rule}")
        return ("--model-control-mode=explicit", "--load-model=*", *restrictions)

    def is_live(self) -> bool:
        """Whether the server answers at all."""
        try:
            self._ask("health/live", None, HEALTH_S)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def reload(self, model: str) -> None:
        """Load a model again; meanwhile the server says that it is not ready.

        `load` alone does nothing for a model whose files are the same; models made of this one come back with it.

        Raises:
            OSError: the server refuses, or does not answer in time.
        """
        for action in ("unload", "load"):
            self._ask(f"repository/models/{model}/{action}", b"{}", LOAD_S)

    def _ask(self, path: str, body: bytes | None, timeout_s: float) -> None:
        url = f"http://{self.host}:{self.port}/v2/{path}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
        with direct.open(urllib.request.Request(url, body, {KEY_HEADER: self.key}), timeout=timeout_s):
            pass


class Watchdog:
    """Watches one server and the processes of its Python models.

    Args:
        server: running, or starting.
        control: of that server.
    """

    def __init__(self, server: "subprocess.Popen[bytes]", control: ModelControl) -> None:
        self._server = server
        self._control = control
        self._instances: Counter[str] = Counter()  # of each model, the most that ran at a time: so many there should be
        self._retired: set[int] = set()  # instances of models that were loaded again: they end, or never will
        self._stopped: set[int] = set()  # processes that were stopped (SIGSTOP) at the last look
        self._asked_s = 0.0
        self._has_lived = False  # no answer is no trouble while the models are loaded
        self._misses = 0
        self.reloads = 0

    def watch(self) -> str:
        """Until the server has ended or must end; returns a sentence that says why."""
        while self._server.poll() is None:
            if reason := self._server_trouble() or self._model_trouble():
                return reason
            time.sleep(POLL_S)
        return f"the server ended by itself (code {self._server.returncode})"

    def look(self) -> dict[str, set[int]]:
        """The processes of each model that run now."""
        found = defaultdict(set)
        for stub in living_stubs(self._server.pid):
            if stub not in self._retired and (instance := instance_of(stub)):
                found[model_of(instance)].add(stub)
        if found and not self._instances:  # models are being loaded: the arguments have been read
            hide_keys(self._server.pid)
        self._instances |= Counter({model: len(stubs) for model, stubs in found.items()})
        return found

    def _server_trouble(self) -> str | None:
        if self._hangs(self._server.pid):
            return "the server was stopped (SIGSTOP)"
        if not self._has_lived or time.monotonic() > self._asked_s + HEALTH_EVERY_S:
            is_live = self._control.is_live()
            self._has_lived |= is_live
            self._misses = 0 if is_live else self._misses + 1
            self._asked_s = time.monotonic()
        if self._has_lived and self._misses >= MISSES:
            return f"the server gave no sign of life {MISSES} times, for {HEALTH_S:.0f} s each"
        return None

    def _model_trouble(self) -> str | None:
        """Load again what died or hangs; returns why that is not enough."""
        for stub in filter(self._hangs, living_stubs(self._server.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(stub, signal.SIGKILL)
        running = self.look()
        if not self._has_lived:
            return None
        for model, instances in self._instances.items():
            if len(running[model]) < instances and (trouble := self._reload(model, running[model])):
                return f"a Python model died: {model}, {trouble}"
        return None

    def _reload(self, model: str, instances: set[int]) -> str | None:
        if self.reloads >= RELOADS:
            return f"the {RELOADS} before it were loaded again"
        self.reloads += 1
        self._retired |= instances
        started_s = time.monotonic()
        try:
            self._control.reload(model)
        except (OSError, http.client.HTTPException) as error:
            return f"which does not load again ({error})"
        tell(f"a Python model died: {model}, loaded again in {time.monotonic() - started_s:.1f} s")
        return None

    def _hangs(self, process: int) -> bool:
        """Whether a process has been stopped for two looks in a row."""
        was_stopped = process in self._stopped
        if state(process) != "T":
            self._stopped.discard(process)
            return False
        self._stopped.add(process)
        return was_stopped


def with_secrets(arguments: Sequence[str]) -> list[str]:
    """Arguments as tritonserver takes them: `=@/a/file` at the end becomes the file's content."""
    return [re.sub("=@(/.+)$", lambda file: f"={Path(file[1]).read_text().strip()}", each) for each in arguments]


def hide_keys(server: int) -> None:
    """Blot the keys out of a child's arguments; where the system forbids that (ptrace_scope 2 or 3) they stay."""
    numbers = read(server, "stat").rpartition(")")[2].split()
    start, end = (int(number) for number in numbers[45:47])  # arg_start and arg_end, proc(5)
    with contextlib.suppress(OSError), Path(f"/proc/{server}/mem").open("r+b", buffering=0) as memory:
        memory.seek(start)
        arguments = memory.read(end - start)
        memory.seek(start)
        memory.write(KEY.sub(lambda argument: argument[1] + b"*" * len(argument[2]), arguments))


def tell(sentence: str) -> None:
    """For whoever reads the service's log."""
    print(f"watchdog: {sentence}", file=sys.stderr, flush=True)


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


def main() -> int:
    """Run the command given; returns its exit code, or 1 when it had to be ended."""
    control = ModelControl.of(sys.argv)
    server = subprocess.Popen([*with_secrets(sys.argv[1:]), *control.options()])

    def stop(number: int, _frame: FrameType | None) -> None:
        server.send_signal(number)
        sys.exit(server.wait())

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    reason = Watchdog(server, control).watch()
    tell(reason)
    was_running = server.poll() is None
    server.kill()  # a server without one of its models waits in vain for that model to finish
    code = server.wait()
    return 1 if was_running else code


if __name__ == "__main__":
    sys.exit(main())
