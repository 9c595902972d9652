"""A server as a process of its own, from its start to its end."""

import contextlib
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.server.interrupts import end_group
from deploy.server.wheel import LaunchError
from files.checkout import ROOT

READY_S = 300.0
STOP_S = 20.0


@contextlib.contextmanager
def running_process(
    command: Sequence[str | Path], http: str, what: str, log: Path | None = None, env: dict[str, str] | None = None
) -> Iterator[None]:
    """A server's process, ready inside the block; it is stopped in the end with all it has started.

    Args:
        command: that starts it.
        http: its host and port.
        what: has to be ready, as for is_ready.
        log: file of its output; by default that is shown.
        env: its environment; this process's own by default.

    Raises:
        LaunchError: it ends, or is not ready in time.
    """
    with contextlib.ExitStack() as stack:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
        output = stack.enter_context(log.open("wb")) if log is not None else None
        running = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline_s = time.monotonic() + READY_S
            while not is_ready(http, what):
                if running.poll() is not None or time.monotonic() > deadline_s:
                    raise LaunchError(f"it did not start: see {log or 'its output above'}")
                time.sleep(0.2)
            yield
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.send_signal(signal.SIGINT)  # docker passes it on and removes the container
                running.wait(STOP_S)
            end_group(running.pid)
            running.wait()


def is_ready(http: str, what: str) -> bool:
    """Whether a server says over HTTP that it can be asked: all of it ("health"), or one model ("models/enhance")."""
    try:
        with urllib.request.urlopen(f"http://{http}/v2/{what}/ready", timeout=5):
            return True
    except OSError:
        return False
