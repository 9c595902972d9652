"""Benchmarks that are ended early: nothing stays behind."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from deploy.server.triton import PREFIX, SHARED_MEMORY

DEADLINE_S = 60


def test_a_benchmark_that_is_ended_stops_its_server_and_writes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "perf", "--results", tmp_path, "run", "smoke"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + DEADLINE_S
        while not files_of_server(running.pid, SHARED_MEMORY) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert files_of_server(running.pid, SHARED_MEMORY)
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=DEADLINE_S)
    assert (running.returncode, errors) == (130, "interrupted; nothing half-written is left\n")
    assert not files_of_server(running.pid, SHARED_MEMORY)
    assert not files_of_server(running.pid, Path(tempfile.gettempdir()))
    assert not list(tmp_path.iterdir())


def files_of_server(pid: int, folder: Path) -> list[Path]:
    """What a server started by that process has in a folder."""
    return list(folder.glob(f"{PREFIX}{pid}_*"))
