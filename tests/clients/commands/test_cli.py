"""The command line as a person meets it: exit codes, messages, pipes, reports."""

import contextlib
import fcntl
import io
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clients.batch.sources
from clients.batch.delivery import SRGB
from clients.commands.cli import main
from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from tests.clients.batch.batches import small_shoot
from tests.photos import decoded, encoded, photo

Run = "subprocess.CompletedProcess[bytes]"


@pytest.fixture
def shoot(tmp_path: Path) -> Path:
    return small_shoot(tmp_path)


@pytest.fixture
def nobody() -> str:
    """An address where no server listens."""
    return f"grpc://127.0.0.1:{Ports.free().grpc}"


def test_folder_with_a_text_file_among_the_photos(shoot: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = shoot.parent / "out"
    assert main(["enhance", str(shoot), "-o", str(out), "--url", url, "--json"]) == 1
    report, told = capsys.readouterr()
    report = json.loads(report)
    assert (report["done"], report["skipped"], report["pending"]) == (6, 0, 0)
    assert [Path(each["source"]).name for each in report["failed"]] == ["notes.jpg"]
    assert "not a photo that can be read" in told and "6 done, 1 failed" in told and "Traceback" not in told
    assert len(list(out.rglob("*.jpg"))) == 6
    source, target = shoot / "hall/0.jpg", out / "hall/0.jpg"
    assert target.stat().st_mtime_ns == source.stat().st_mtime_ns
    assert np.abs(decoded(target.read_bytes()).astype(int) - decoded(source.read_bytes())).mean() < 3


def test_existing_outputs_are_kept_unless_told(shoot: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (shoot / "hall/notes.jpg").unlink()
    out, common = shoot.parent / "out", [str(shoot), "--url", url, "--json"]
    counts = []
    for more in ([], [], ["--overwrite"]):
        assert main([*common, "-o", str(out), *more]) == 0
        report = json.loads(capsys.readouterr().out)
        counts.append((report["done"], report["skipped"]))
    assert counts == [(6, 0), (0, 6), (6, 0)]


def test_metadata_and_profile_come_back(tmp_path: Path, url: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    (tmp_path / "a.jpg").write_bytes(encoded(photo(64, 64), exif=exif, icc_profile=SRGB.tobytes()))
    assert main([str(tmp_path / "a.jpg"), "-o", str(tmp_path / "b.jpg"), "--url", url]) == 0
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[0x010F] == "Maker" and image.info["icc_profile"] == SRGB.tobytes()


def test_one_photo_lands_beside_itself_in_the_wanted_format(tmp_path: Path, url: str) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(photo(64, 48)))
    assert main([str(tmp_path / "a.jpg"), "--format", "png", "--url", url]) == 0
    with Image.open(tmp_path / "a_enhanced.png") as image:
        assert (image.format, image.size) == ("PNG", (64, 48))


def test_dry_run_prints_and_touches_nothing(shoot: Path, nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = shoot.parent / "out"
    for command in ([str(shoot), "-o", str(out)], ["batch", str(shoot), str(out)]):
        assert main([*command, "--dry-run", "--format", "webp", "--url", nobody]) == 0
        assert f"{shoot}/kitchen/1.jpg -> {out}/kitchen/1.webp" in capsys.readouterr().out
    assert not out.exists()


def program(*arguments: object, photo_in: bytes = b"") -> Run:
    command = [sys.executable, "-m", "clients", *map(str, arguments)]
    return subprocess.run(command, input=photo_in, capture_output=True, check=False, timeout=60)


def test_pipe(url: str) -> None:
    ran = program("enhance", "-", "--url", url, "--format", "png", photo_in=encoded(photo(50, 40)))
    assert ran.returncode == 0
    assert Image.open(io.BytesIO(ran.stdout)).size == (50, 40)


def test_pipe_of_a_text_writes_nothing(url: str) -> None:
    ran = program("enhance", "-", "--url", url, photo_in=b"Dear server")
    assert (ran.returncode, ran.stdout) == (1, b"") and b"not a photo" in ran.stderr


@pytest.mark.parametrize("command", [["enhance", "{shoot}", "-o", "{out}"], ["batch", "{shoot}", "{out}"]])
def test_no_server(shoot: Path, nobody: str, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [each.format(shoot=shoot, out=shoot.parent / "out") for each in command]
    assert main([*arguments, "--url", nobody]) == 3
    told = capsys.readouterr().err
    assert f"no connection to {nobody}: is the server running there?" in told and len(told.splitlines()) <= 2


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_wrong_port_is_exit_3_and_says_so(shoot: Path, identity_server: TritonServer, scheme: str) -> None:
    port = {"grpc": identity_server.ports.http, "http": identity_server.ports.grpc}[scheme]
    ran = program("enhance", shoot, "-o", shoot.parent / "out", "--url", f"{scheme}://127.0.0.1:{port}")
    assert ran.returncode == 3
    assert b"port" in ran.stderr and b"Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.jpg", "-o", "x.jpg"], "no such photo or folder: missing.jpg"),
        (["batch", "missing", "out"], "no such folder: missing"),
        (["empty", "-o", "out"], "no photos found (looked for *.jpg"),
        (["batch", "empty", "out"], "no photos found"),
        (["empty"], "name an output folder with -o"),
        (["a.jpg", "-o", "a.jpg"], "would replace its source"),
        (["batch", "full", "full"], "outputs would land among their sources"),
        (["a.jpg", "--url", "localhost:8001"], "no server address: write grpc://HOST:8001"),
        (["a.jpg", "--strength", "7"], "strength 7.0 is outside 0 to 1.5"),
        (["a.jpg", "--header", "key"], "write NAME=VALUE"),
        (["batch", "full", "out", "--url", "localhost"], "no server address"),
        (["batch", "full", "out", "--in-flight", "0"], "in-flight must be 1 or more"),
        (["watch", "missing", "out"], "no such folder: missing"),
        (["a.jpg", "--timeout-s", "0"], "timeout_s must be above 0"),
        (["a.jpg", "--private-key", "a.jpg"], "needs both"),
        (["-", "a.jpg"], "give a single photo"),
        (["a.jpg", "-o", "x.gif"], "cannot write x.gif: the name of a photo ends with one of .jpg, .png"),
        (["a.jpg", "-o", "edited"], "a folder's with /"),
        (["a.jpg", "-o", "x.png", "--format", "jpeg"], "x.png promises png, and --format says jpeg"),
        (["-", "-o", "a.jpg"], "a.jpg is there already: --overwrite replaces it"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/a.jpg").write_bytes(b"photo")
    (tmp_path / "a.jpg").write_bytes(b"photo")
    before = sorted(tmp_path.rglob("*"))
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert message in told and len(told.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("arguments", [["--mode", "slow"], [], ["batch", "src"]])
def test_argparse_agrees_on_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_progress_bar_on_a_terminal(shoot: Path, url: str) -> None:
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    command = [sys.executable, "-m", "clients", "enhance", str(shoot), "-o", str(shoot.parent / "out"), "--url", url]
    with subprocess.Popen(command, stdout=terminal, stderr=terminal):
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is hung up when the program ends
            while piece := os.read(screen, 4096):
                shown += piece
    assert "7/7" in shown.decode() and "photo/s" in shown.decode() and "MP/s" in shown.decode()


@pytest.mark.parametrize("command", ["enhance", "batch", "watch", "ui"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0 and "--url" in capsys.readouterr().out


def test_batch_resumes_redoes_changes_and_retries_failures(
    shoot: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", str(shoot), str(shoot.parent / "out"), "--url", url, "--json", "--quiet"]

    def run(*more: str) -> tuple[int, int, int, int]:
        code = main([*command, *more])
        report = json.loads(capsys.readouterr().out)
        return code, report["done"], report["skipped"], len(report["failed"])

    assert run() == (1, 6, 0, 1)
    assert run() == (1, 0, 6, 1)
    (shoot / "hall/0.jpg").write_bytes(encoded(photo(90, 60, 99)))
    assert run() == (1, 1, 5, 1)
    (shoot / "hall/notes.jpg").write_bytes(encoded(photo(90, 60, 98)))
    assert run() == (0, 1, 6, 0)
    assert run("--format", "webp") == (0, 7, 0, 0)


def test_a_folder_with_everything_in_it(tmp_path: Path, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Every awkward entry is done or told, and no run ends before the others are done."""
    shoot, out = tmp_path / "shoot", tmp_path / "out"
    (shoot / "deep/er").mkdir(parents=True)
    good = encoded(photo(60, 40))
    names = ["a.jpg", "deep/er/b.jpg", "x" * 251 + ".jpg", os.fsdecode(b"K\xfcche.jpg"), "line\nbreak.jpg", "späť.jpg"]
    for name in names:
        (shoot / name).write_bytes(good)
    os.utime(shoot / "a.jpg", (2**34, 2**34))  # the year 2514
    (shoot / "a.png").write_bytes(encoded(photo(50, 30), "PNG"))
    (shoot / "loop.jpg").symlink_to("loop.jpg")
    (shoot / "empty.jpg").touch()
    command = ["batch", str(shoot), str(out), "--url", url, "--format", "jpeg", "--suffix", "_e"]
    assert main([*command, "--dry-run"]) == 0
    assert capfd.readouterr().out.count(" -> ") == 8
    for counts in ((7, 0), (0, 7)):
        assert main([*command, "--json"]) == 1
        report, told = capfd.readouterr()
        report = json.loads(report)
        assert (report["done"], report["skipped"]) == counts and "Traceback" not in told
        assert sorted(each["source"] for each in report["failed"]) == ["empty.jpg", "loop.jpg"]
    with Image.open(out / "a_e.jpg") as first, Image.open(out / "a_e_png.jpg") as second:
        assert (first.size, second.size) == ((60, 40), (50, 30))
    assert len([path for path in out.rglob("*.jpg") if path.is_file()]) == 7


def test_outputs_deleted_during_the_run_are_no_success(
    shoot: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (shoot / "hall/notes.jpg").unlink()
    out, seen = shoot.parent / "out", list[Path]()
    store = clients.batch.local_engine.store

    def deleting(folder: Path, path: Path, *more: object) -> None:
        seen.append(path)
        if len(seen) == 4:
            shutil.rmtree(out)
        store(folder, path, *more)

    monkeypatch.setattr("clients.batch.local_engine.store", deleting)
    for command in (["enhance", str(shoot), "-o", str(out)], ["batch", str(shoot), str(out)]):
        shutil.rmtree(out, ignore_errors=True)
        seen.clear()
        assert main([*command, "--url", url, "--in-flight", "1"]) == 1
        assert "gone" in capsys.readouterr().err
    assert main(["batch", str(shoot), str(out), "--url", url]) == 0
    assert len(list(out.rglob("*.jpg"))) == 6


HANGING = """
import sys, time
import clients.batch.local_engine
from clients.commands.cli import main
def hang(path):
    print("reading", file=sys.stderr, flush=True)
    time.sleep(60)
clients.batch.sources.read_file = hang
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_second_ctrl_c_ends_at_once(shoot: Path, url: str, sent: signal.Signals) -> None:
    """The first one waits for what is being read or stored, which a network drive can make long."""
    command = [sys.executable, "-c", HANGING, "batch", str(shoot), str(shoot.parent / "out"), "--url", url]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None and process.stderr.readline().startswith(b"reading")
        process.send_signal(sent)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(sent)
        told = process.communicate(timeout=20)[1]
    assert process.returncode == 130 and b"Traceback" not in told


def test_two_runs_at_once_to_one_place(shoot: Path, url: str) -> None:
    (shoot / "hall/notes.jpg").unlink()
    command = [sys.executable, "-m", "clients", shoot, "-o", shoot.parent / "out", "--overwrite", "--url", url]
    running = [subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE) for _ in range(3)]
    told = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], told
    assert sorted(path.suffix for path in (shoot.parent / "out").rglob("*.*")) == [".jpg"] * 6


def test_photos_of_several_folders_beside_themselves(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg", "in/c.jpg"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(encoded(photo(60, 40)))
    for photos, where in ((["a.jpg", "b.jpg"], "."), (["a.jpg", str(tmp_path / "in/c.jpg")], str(tmp_path))):
        assert main([*photos, "--url", url, "--overwrite"]) == 0
        assert f"written: {where}\n" in capsys.readouterr().err
