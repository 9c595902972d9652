"""The hot folder: files are taken once, and only when they are completely written."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from clients import AsyncEnhancer, FakeTransport
from clients.batch.folders import Plan, Search
from clients.batch.job import Job
from clients.batch.ledger import Ledger
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.watch import Settled, watch
from deploy.server.triton import TritonServer
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


def test_what_cannot_be_looked_at_passes_once() -> None:
    settled = Settled()
    looks = [replace(job("a", 0, 0), trouble=text) for text in ("loop", "loop", "loop", "gone", "gone")]
    assert [bool(list(settled.pick([look]))) for look in looks] == [False, True, False, False, True]


def test_a_hot_folder_outlives_files_that_vanish_and_its_own_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, targets = tmp_path / "in", tmp_path / "out"
    sources.mkdir()
    targets.mkdir()
    (sources / "loop.jpg").symlink_to("loop.jpg")
    monkeypatch.setattr("clients.batch.watch.POLL_S", 0.01)
    content, looks = encoded(photo(60, 40)), 0

    def find() -> Iterator[Job]:
        """Before each look something happens to the folder."""
        nonlocal looks
        looks += 1
        if looks == 3:
            sources.rename(tmp_path / "away")
        if looks == 6:
            (tmp_path / "away").rename(sources)
            for name in ("a.jpg", "b.jpg", "c.jpg"):
                (sources / name).write_bytes(content)
        if looks == 30:
            raise KeyboardInterrupt
        for found in Plan(Naming(), Search(), "").mirror(sources, targets):
            if found.source.name == "a.jpg" and looks == 7:
                (sources / "b.jpg").unlink()
            yield found

    connection = SimpleNamespace(in_flight=2, patience_s=5, open=lambda: AsyncEnhancer(transport=FakeTransport()))
    told = io.StringIO()
    with contextlib.redirect_stderr(told), pytest.raises(KeyboardInterrupt):
        asyncio.run(watch(Ledger(sources, targets), find, connection, Order()))  # type: ignore[arg-type]
    lines = told.getvalue().splitlines()
    assert lines.count("a.jpg: done") == lines.count("c.jpg: done") == 1 and not (targets / "b.jpg").exists()
    assert sum("loop.jpg: cannot be read" in line for line in lines) == 1
    assert sum("no such folder" in line for line in lines) == lines.count("the folder is there again") == 1
