"""The launcher starts the real server, says what is wrong, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from deploy import launcher
from deploy.access import Access
from deploy.server import ROOT, Ports, ServerDied, TritonServer, remove_leftovers
from deploy.wheel import LaunchError


def shared_memory(server: TritonServer) -> list[Path]:
    return list(Path("/dev/shm").glob(f"{server.prefix}*"))


def alive(process_group: int) -> bool:
    try:
        os.killpg(process_group, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_left_behind(identity_repository: Path, tmp_path: Path) -> None:
    with TritonServer(repository=identity_repository, log=tmp_path / "log") as server:
        assert server.is_ready()
        assert shared_memory(server)
        assert server.process is not None
        group, directory = server.process.pid, server.directory
    assert not server.is_ready()
    assert not alive(group)
    assert not shared_memory(server)
    assert not directory.exists()


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = TritonServer(Ports(http=port), log=tmp_path / "log")
        with pytest.raises(LaunchError, match=rf"port {port} \(http\) .* make serve HTTP_PORT={port + 10}"), server:
            pass
    assert server.process is None


def test_a_broken_repository_is_told_with_the_log(tmp_path: Path) -> None:
    server = TritonServer(repository=tmp_path / "nowhere", log=tmp_path / "log")
    with pytest.raises(LaunchError, match=r"ended while starting(.|\n)*nowhere(.|\n)*whole log"), server:
        pass
    assert not shared_memory(server)


def test_a_missing_environment_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="make setup-server"), TritonServer(python=tmp_path / "python"):
        pass


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_ready_on_one_line_and_stops_on_ctrl_c(ending: signal.Signals) -> None:
    """As a background job of a shell, where SIGINT is ignored to begin with."""
    ports = Ports.free()
    arguments = [f"--{name}-port={port}" for name, port in vars(ports).items()]
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.launcher", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    ) as command:
        assert command.stdout is not None
        ready = command.stdout.readline()
        assert ready.startswith(f"ready: http://127.0.0.1:{ports.http} grpc://127.0.0.1:{ports.grpc} ")
        command.send_signal(ending)
        assert command.stdout.read() == "stopped\n"
        assert command.wait(30) == 0


def test_a_killed_launcher_leaves_no_process_and_the_next_one_cleans_up(identity_repository: Path) -> None:
    code = f"""
import time
from pathlib import Path
from deploy.server import TritonServer
repository = Path({str(identity_repository)!r})
with TritonServer(repository=repository, log=repository.parent / "killed.log") as server:
    print(server.process.pid, server.prefix, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        group, prefix = launcher.stdout.readline().split()
        launcher.kill()
    deadline_s = time.monotonic() + 60
    while alive(int(group)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not alive(int(group))
    remove_leftovers()
    assert not [*Path("/dev/shm").glob(f"{prefix}*"), *Path(tempfile.gettempdir()).glob(f"{prefix}*")]


class Fate:
    """Stands for TritonServer; each start takes the next fate: it does not start, it dies, or Ctrl-C ends it."""

    http_url = grpc_url = metrics_url = "somewhere"

    def __init__(self, *fates: type[BaseException]) -> None:
        self.fates = list(fates)

    def __call__(self, *_: object, **__: object) -> "Fate":
        return self

    def __enter__(self) -> "Fate":
        if self.fates[0] is LaunchError:
            raise self.fates.pop(0)("does not start")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        raise self.fates.pop(0)("died")


@pytest.mark.parametrize(
    ("fates", "code", "left"),
    [
        ([LaunchError, KeyboardInterrupt], 1, 1),  # what never started is for a person
        ([ServerDied, LaunchError, LaunchError, ServerDied, KeyboardInterrupt], 0, 0),
        ([ServerDied] * (launcher.DEATHS + 3), 1, 3),
    ],
)
def test_what_has_served_is_started_anew_until_that_does_not_help(
    fates: list[type[BaseException]], code: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "TritonServer", fate := Fate(*fates))
    monkeypatch.setattr(launcher, "PAUSE_S", 0)
    assert launcher.serve(Ports(), launcher.LOOPBACK, Access(), ()) == code
    assert len(fate.fates) == left


def test_deaths_far_apart_are_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "TritonServer", Fate(*[ServerDied] * (2 * launcher.DEATHS), KeyboardInterrupt))
    monkeypatch.setattr(launcher, "SOON_S", -1.0)
    assert launcher.serve(Ports(), launcher.LOOPBACK, Access(), ()) == 0
