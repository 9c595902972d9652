"""Faults against real servers: afterwards ledger, outputs and sources agree by hash; nothing is lost or doubled."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from tests.clients.batch.batches import PHOTOS, UNFINISHED, batch, check_books, done, finish, wait_until_done
from tests.clients.proxy import Proxy


def test_batch_killed_ten_times(shoot: Path, identity_server: TritonServer, tmp_path: Path) -> None:
    out, kills = tmp_path / "out", 10
    randomly = random.Random(0)
    for kill in range(kills):
        process = batch(shoot, out, identity_server.grpc_url)
        wait_until_done(out, min(PHOTOS - 5, kill * 3 + 1))
        time.sleep(randomly.uniform(0, 0.2))
        process.kill()
        process.communicate()
    before = done(out)
    code, report, _ = finish(batch(shoot, out, identity_server.grpc_url))
    assert code == 0 and report["done"] <= PHOTOS - before
    check_books(shoot, out, PHOTOS + kills * UNFINISHED)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_stopped_batch_says_how_to_go_on(
    shoot: Path, identity_server: TritonServer, tmp_path: Path, sent: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = batch(shoot, out, identity_server.grpc_url)
    wait_until_done(out, 3)
    process.send_signal(sent)
    code, report, told = finish(process)
    assert code == 130 and report["pending"] > 0 and "same command" in told
    assert finish(batch(shoot, out, identity_server.grpc_url))[0] == 0
    check_books(shoot, out, PHOTOS + UNFINISHED)


def test_server_killed_in_the_middle(shoot: Path, identity_repository: Path, tmp_path: Path) -> None:
    out, ports, kills = tmp_path / "out", Ports.free(), 2
    process = None
    for kill in range(kills + 1):
        with TritonServer(ports, repository=identity_repository, log=tmp_path / "server.log") as server:
            process = process or batch(shoot, out, server.grpc_url)
            if kill == kills:
                code, report, _ = finish(process)
            else:
                wait_until_done(out, 12 * kill + 2)
                os.killpg(server.process.pid, signal.SIGKILL)
    assert (code, report["done"], report["failed"]) == (0, PHOTOS, [])
    check_books(shoot, out, PHOTOS)


def test_server_that_stays_away_is_exit_3_and_nothing_is_lost(
    shoot: Path, identity_repository: Path, identity_server: TritonServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with TritonServer(repository=identity_repository, log=tmp_path / "server.log") as server:
        process = batch(shoot, out, server.grpc_url, "--patience-s=1")
        wait_until_done(out, 5)
        os.killpg(server.process.pid, signal.SIGKILL)
        code, report, told = finish(process)
    assert code == 3 and report["failed"] == [] and report["pending"] > 0
    assert "server" in told
    assert finish(batch(shoot, out, identity_server.grpc_url))[0] == 0
    check_books(shoot, out, PHOTOS + 2 * UNFINISHED)


def test_one_of_two_servers_dies(
    shoot: Path, identity_repository: Path, identity_server: TritonServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with TritonServer(repository=identity_repository, log=tmp_path / "server.log") as server:
        process = batch(shoot, out, [server.grpc_url, identity_server.grpc_url], "--patience-s=1")
        wait_until_done(out, 8)
        os.killpg(server.process.pid, signal.SIGKILL)
        code, report, _ = finish(process)
    assert (code, report["done"], report["failed"]) == (0, PHOTOS, [])
    check_books(shoot, out, PHOTOS)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for some of the outputs."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", disk], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("a small file system can be mounted by root alone")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_full_disk(shoot: Path, identity_server: TritonServer, small_disk: Path) -> None:
    out = small_disk / "out"
    code, report, told = finish(batch(shoot, out, identity_server.grpc_url))
    assert code == 1 and report["failed"] == [] and report["pending"] > 0
    assert "No space left" in told or "full" in told
    assert 0 < done(out) < PHOTOS and not list(out.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=20m", small_disk], check=True)
    assert finish(batch(shoot, out, identity_server.grpc_url))[0] == 0
    check_books(shoot, out, PHOTOS + UNFINISHED)


def test_read_only_output_folder(shoot: Path, identity_server: TritonServer, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for out in (small_disk, small_disk / "out"):
        code, _, told = finish(batch(shoot, out, identity_server.grpc_url))
        assert code == 1 and str(out) in told and len(told.splitlines()) <= 2


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_stalled_network(shoot: Path, identity_server: TritonServer, tmp_path: Path, protocol: str) -> None:
    out = tmp_path / "out"
    proxy = Proxy(getattr(identity_server.ports, protocol))
    process = batch(shoot, out, f"{protocol}://127.0.0.1:{proxy.port}", "--timeout-s=1.5")
    wait_until_done(out, 5)
    proxy.flows.clear()
    time.sleep(4)
    proxy.flows.set()
    code, report, _ = finish(process)
    proxy.close()
    assert (code, report["done"], report["failed"]) == (0, PHOTOS, [])
    check_books(shoot, out, PHOTOS)
