"""Runs a tritonserver, loads a model again whose process died or hangs, and ends a server that cannot be helped.

    python3 -P -m deploy.server.watchdog tritonserver --model-repository=/models ...

Triton runs each instance of a Python model in a process of its own, does not start a dead one again, and goes on saying
that it is ready (triton-inference-server/server, issues 7230 and 8604): half a server, for good. The watchdog looks at
the processes, and has the server load the model again: by model control, which needs a key that is made at each start
and that the watchdog alone knows. A server that is dead, does not answer, or fails to load is ended, for whoever
restarts it: a container's restart policy, or the launcher of the CPU profile. Needs Python's standard library alone.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from types import FrameType

from deploy.server.model_control import HEALTH_S, ModelControl, hide_keys, with_secrets
from deploy.server.stubs import instance_of, living_stubs, model_of, state

POLL_S = 0.5
HEALTH_EVERY_S = 5.0
MISSES = 3
"""Health requests in a row without an answer that make a server a hung one: half a minute, for a starved machine."""
RELOADS = 8
"""In the life of a server: each leaves the shared memory of the dead process behind, until the server ends."""


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
        """Watch until the server has ended or must end; returns a sentence that says why."""
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


def tell(sentence: str) -> None:
    """Write a line to the service's log."""
    print(f"watchdog: {sentence}", file=sys.stderr, flush=True)


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
