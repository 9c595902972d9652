"""The hot folder: files are taken once, and only when they are completely written."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from clients.ledger import Job
from clients.watch import Settled
from deploy.server import TritonServer
from tests.photos import encoded, photo


def job(name: str, size: int, modified_ns: int) -> Job:
    return Job(Path(name), Path(name), size, modified_ns, "")


def test_a_file_passes_once_it_stands_still_and_again_after_a_change() -> None:
    settled = Settled()
    looks = [(0, 1), (10, 1), (20, 2), (20, 2), (20, 2), (30, 3), (30, 3), (30, 3)]
    passed = [bool(list(settled.pick([job("a", *look)]))) for look in looks]
    assert passed == [False, False, False, True, False, False, True, False]


def test_an_empty_file_never_passes() -> None:
    settled = Settled()
    assert not any(list(settled.pick([job("a", 0, 1)])) for _ in range(4))


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_hot_folder_on_a_real_server(tmp_path: Path, identity_server: TritonServer) -> None:
    sources, targets = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    command = [sys.executable, "-m", "clients", "watch", sources, targets, "--url", identity_server.grpc_url]
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE)
    try:
        content = encoded(photo(300, 200))
        with (sources / "slow.jpg").open("wb") as slow:  # a copy over a slow line
            for start in range(0, len(content), len(content) // 5):
                slow.write(content[start : start + len(content) // 5])
                slow.flush()
                time.sleep(0.4)
                assert not (targets / "slow.jpg").exists()
        (sources / "new").mkdir()
        (sources / "new/text.jpg").write_text("hello")
        (sources / "new/late.jpg").write_bytes(content)
        os.sync()
        wait_for(lambda: (targets / "slow.jpg").exists() and (targets / "new/late.jpg").exists())
    finally:
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=20)[1].decode()
    assert process.returncode == 130 and "Traceback" not in told
    assert told.count("slow.jpg: done") == 1 and told.count("new/text.jpg: this is not a photo") == 1
