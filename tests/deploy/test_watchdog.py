"""A server with a dead Python model is a dead server."""

import signal
import subprocess
import sys
import time

import pytest

from deploy import watchdog
from deploy.server import TritonServer

# A server as the watchdog sees it: its child has, for the kernel, the name of a stub, and ends after a second.
HALF_A_SERVER = f"""
import ctypes, os, time
if os.fork() == 0:
    ctypes.CDLL(None).prctl(15, b"{watchdog.STUB}")
    time.sleep(1)
    os._exit(1)
time.sleep(60)
"""


def watched(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, watchdog.__file__, *command], stderr=subprocess.PIPE, text=True)


def test_a_dead_model_ends_the_server_with_code_1() -> None:
    started = time.monotonic()
    with watched(sys.executable, "-c", HALF_A_SERVER) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1 and "a Python model died" in told
    assert time.monotonic() - started < 30


def test_a_server_that_ends_by_itself_keeps_its_code() -> None:
    with watched("sh", "-c", "exit 3") as process:
        assert process.wait(30) == 3
        assert "ended by itself (code 3)" in process.stderr.read()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_passed_on(sent: signal.Signals) -> None:
    stopped_well = "import signal, time; signal.signal({0}, lambda *_: exit(7)); print(flush=True); time.sleep(60)"
    command = [sys.executable, watchdog.__file__, sys.executable, "-c", stopped_well.format(int(sent))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(sent)
        assert process.wait(30) == 7


def test_every_model_of_the_real_server_is_watched(identity_server: TritonServer) -> None:
    stubs = filter(watchdog.is_stub, watchdog.children(identity_server.process.pid))
    models = {watchdog.read(stub, "cmdline").split("\0")[watchdog.INSTANCE].rsplit("_", 2)[0] for stub in stubs}
    assert models == {"decode", "tiler", "generator", "encode"}
