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

from deploy.access.certificates import CertificatesError
from deploy.server import launcher
from deploy.server.interrupts import running
from deploy.server.ports import Ports
from deploy.server.restrictions import Access
from deploy.server.stubs import children, is_stub, read
from deploy.server.triton import PREFIX, STARTS, ServerDied, TritonServer, remove_leftovers
from deploy.server.wheel import LaunchError
from files.checkout import ROOT


def shared_memory(server: TritonServer) -> list[Path]:
    return list(Path("/dev/shm").glob(f"{server.prefix}*"))


def test_nothing_is_left_behind(identity_repository: Path, tmp_path: Path) -> None:
    with TritonServer(repository=identity_repository, log=tmp_path / "log") as server:
        assert server.is_ready()
        assert shared_memory(server)
        assert server.process is not None
        group, directory = server.process.pid, server.directory
    assert not server.is_ready()
    assert not running(group)
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
    with pytest.raises(LaunchError, match="make setup PART=server"), TritonServer(python=tmp_path / "python"):
        pass


def launched(ports: Ports, **process: object) -> "subprocess.Popen[str]":
    """The command, as a background job of a shell, where SIGINT is ignored to begin with."""
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.server", *(f"--{name}-port={port}" for name, port in vars(ports).items())],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        **process,
    )


def leftovers(launcher: int) -> list[str]:
    """Processes and files of a launcher's servers, by the prefix that both carry."""
    prefix = f"{PREFIX}{launcher}_"
    commands = [read(int(each.name), "cmdline") for each in Path("/proc").glob("[0-9]*")]
    files = [*Path("/dev/shm").glob(f"{prefix}*"), *Path(tempfile.gettempdir()).glob(f"{prefix}*")]
    return [*(command for command in commands if prefix in command), *map(str, files)]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_ready_on_one_line_and_stops_on_ctrl_c(ending: signal.Signals) -> None:
    ports = Ports.free()
    with launched(ports) as command:
        assert command.stdout is not None
        ready = command.stdout.readline()
        assert ready.startswith(f"ready: http://127.0.0.1:{ports.http} grpc://127.0.0.1:{ports.grpc} ")
        assert str(Access().operator_key_file) in command.stdout.readline()
        command.send_signal(ending)
        assert command.stdout.read() == "stopped\n"
        assert command.wait(30) == 0


@pytest.mark.parametrize("after_s", [0.2, 0.5, 1.0, 1.5])
def test_a_stop_during_the_start_leaves_no_process(after_s: float) -> None:
    with launched(Ports.free()) as command:
        time.sleep(after_s)
        command.terminate()
        command.communicate(timeout=60)
        assert not leftovers(command.pid)


def test_a_second_ctrl_c_hurries_the_stop_and_returns_when_the_ports_are_free() -> None:
    ports = Ports.free()
    with launched(ports) as command:
        assert command.stdout is not None and command.stdout.readline().startswith("ready")
        (server,) = [child for child in children(command.pid) if not is_stub(child)]
        os.kill(server, signal.SIGSTOP)  # it cannot stop when asked
        for _ in range(3):
            command.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert command.wait(20) == 0  # without the second, the server would be waited for until STOP_S
        with ports.held("127.0.0.1"):
            assert not leftovers(command.pid)


def test_of_two_commands_with_the_same_ports_one_says_why_it_cannot_start() -> None:
    ports = Ports.free()
    with launched(ports) as one, launched(ports) as other:
        started = [each for each in (one, other) if each.stdout.readline().startswith("ready")]
        (loser,) = {one, other} - set(started)
        told = loser.communicate(timeout=30)[1]
        assert loser.returncode == 1
        assert told == (
            f"error: port {ports.http} (http) cannot be used: Address already in use; "
            f"choose another: make serve HTTP_PORT={ports.http + 10}\n"
        )
        started[0].terminate()
        assert started[0].wait(60) == 0


def test_a_killed_launcher_leaves_no_process_and_the_next_one_cleans_up(identity_repository: Path) -> None:
    code = f"""
import time
from pathlib import Path
from deploy.server.triton import TritonServer
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
    while running(int(group)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not running(int(group))
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
        if self.fates[0] in (LaunchError, CertificatesError):
            raise self.fates.pop(0)("does not start")
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        raise self.fates.pop(0)("died")


SERVE = (Ports(), "127.0.0.1", Access(), ())


def test_what_never_started_is_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "TritonServer", fate := Fate(LaunchError, KeyboardInterrupt))
    with pytest.raises(LaunchError):
        launcher.serve(*SERVE)
    assert fate.fates == [KeyboardInterrupt]


def test_what_has_served_is_started_again_however_often_with_longer_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    deaths = [ServerDied, LaunchError, CertificatesError, *[ServerDied] * 20]
    pauses_s: list[float] = []
    monkeypatch.setattr(launcher, "TritonServer", Fate(*deaths, KeyboardInterrupt))
    monkeypatch.setattr(launcher.time, "sleep", pauses_s.append)
    launcher.serve(*SERVE)
    assert pauses_s == [*launcher.PAUSES_S, *launcher.PAUSES_S[-1:] * (len(deaths) - len(launcher.PAUSES_S))]
    assert pauses_s == sorted(pauses_s) and max(pauses_s) == 30


def test_deaths_far_apart_are_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses_s: list[float] = []
    monkeypatch.setattr(launcher, "TritonServer", Fate(*[ServerDied] * 10, KeyboardInterrupt))
    monkeypatch.setattr(launcher.time, "sleep", pauses_s.append)
    monkeypatch.setattr(launcher, "SOON_S", -1.0)
    launcher.serve(*SERVE)
    assert set(pauses_s) == {0}


@pytest.mark.parametrize(("crashes", "starts"), [(STARTS - 1, True), (STARTS, False)])
def test_a_start_that_triton_crashes_is_tried_again(
    crashes: int, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [ServerDied("crashed")] * crashes

    def enter(_: TritonServer) -> None:
        if left:
            raise left.pop()

    monkeypatch.setattr(TritonServer, "_enter", enter)
    if starts:
        with TritonServer():
            assert not left
    else:
        with pytest.raises(ServerDied), TritonServer():
            pass
