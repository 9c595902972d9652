"""What the GPU profile's image says before it serves, with stand-ins for the GPU, TensorRT and the server."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.server import start
from files.checkout import ROOT
from tests.deploy.image import entry_point, unpack
from tests.model_repository.configs import GPU, NETWORKS, config

TENSORRT = (11, 4, 1)


def plan(path: Path, version: tuple[int, ...] = TENSORRT, tag: bytes = b"ftrt") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(start.PLAN_HEADER.pack(tag, 0, *version, 7) + b"engine")
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The repository's own configurations, and plans of both networks for a DGX Spark."""
    for file in (ROOT / "model_repository").glob("*/config.pbtxt"):
        (tmp_path / "models" / file.parent.name).mkdir(parents=True)
        shutil.copy(file, tmp_path / "models" / file.parent.name)
    for network in NETWORKS:
        plan(tmp_path / "models" / network / "2/model.sm121.plan")
        plan(
            tmp_path / "models" / network / "1/model.sm121.plan", (10, 16, 1)
        )  # of an older version, which does not serve
    return tmp_path / "models"


def test_plans_of_this_gpu_and_this_tensorrt_are_fine(repository: Path) -> None:
    start.check_plans(repository, "12.1", TENSORRT)


def test_a_missing_plan_names_the_command(repository: Path) -> None:
    with pytest.raises(start.StartError, match=r"2/model\.sm90\.plan is missing: .*make plan RUN=name"):
        start.check_plans(repository, "9.0", TENSORRT)


def test_another_tensorrt_is_named(repository: Path) -> None:
    with pytest.raises(start.StartError, match=r"built with TensorRT 11\.4\.1, and this image has 11\.5\.0"):
        start.check_plans(repository, "12.1", (11, 5, 0))


@pytest.mark.parametrize("content", [b"", b"ftrt", b"onnx" * 20])
def test_what_is_no_plan_is_said(repository: Path, content: bytes) -> None:
    (repository / "generator/2/model.sm121.plan").write_bytes(content)
    with pytest.raises(start.StartError, match="is not a TensorRT plan"):
        start.check_plans(repository, "12.1", TENSORRT)


def test_an_empty_mount_is_said(tmp_path: Path) -> None:
    with pytest.raises(start.StartError, match="mount the folder model_repository"):
        start.check_plans(tmp_path, "12.1", TENSORRT)


@pytest.mark.parametrize("network", NETWORKS)
def test_plans_have_the_names_that_the_configurations_give(network: str) -> None:
    names = dict(config(network, GPU).cc_model_filenames)
    assert names == {capability: start.plan_name(capability) for capability in names}


@pytest.mark.parametrize(
    ("driver", "fine"), [("580.95.05", True), ("610.10", True), ("579.99", False), ("570.86.15", False)]
)
def test_the_driver_has_a_floor(driver: str, fine: bool) -> None:
    if fine:
        start.check_driver(driver)
    else:
        with pytest.raises(start.StartError, match=f"driver is {driver}, .* needs 580 or later"):
            start.check_driver(driver)


def in_the_image(tmp_path: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module of the image, with the files that it has and Python's standard library alone."""
    unpack(tmp_path / "packages")
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-S", "-P", "-m", module, *arguments],
        cwd=tmp_path, env=os.environ | {"PATH": path, "PYTHONPATH": str(tmp_path / "packages")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("nvidia_smi", "sentence"),
    [
        ("exit 9", "no GPU in this container (nvidia-smi fails)"),
        ("echo '570.86.15, 12.1'", "the NVIDIA driver is 570.86.15"),
        ("echo '580.95.05, 12.1'", "no TensorRT in this image"),
    ],
)
def test_one_sentence_and_no_server(tmp_path: Path, nvidia_smi: str, sentence: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/nvidia-smi").write_text(f"#!/bin/sh\n{nvidia_smi}\n")
    (tmp_path / "bin/nvidia-smi").chmod(0o755)
    done = in_the_image(tmp_path, entry_point()[-1], f"--model-repository={tmp_path / 'models'}", "--http-port=9000")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {sentence}") and done.stderr.count("\n") == 1


def test_the_watchdog_takes_over_with_our_options(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(sys, "argv", ["start", f"--model-repository={repository}", "--http-port=9000"])
    monkeypatch.setattr(start, "gpu", lambda: ("580.95.05", "12.1"))
    monkeypatch.setattr(start, "tensorrt_version", lambda: TENSORRT)
    monkeypatch.setattr(start, "operator_key_file", lambda: tmp_path / "operator.key")
    monkeypatch.setattr(os, "execv", lambda _, command: ran.append(command))
    start.main()
    (command,) = ran
    assert command[1:5] == ["-P", "-m", "deploy.server.watchdog", "tritonserver"]
    assert {"--http-port=9000", f"--model-repository={repository}"} <= set(command)
    assert f"--http-restricted-api={start.OPERATORS}=@{tmp_path}/operator.key" in command
    assert sum(each.startswith("--model-repository=") for each in command) == 1


def test_the_watchdog_finds_all_its_parts_in_the_image(tmp_path: Path) -> None:
    done = in_the_image(tmp_path, "deploy.server.watchdog", "sh", "-c", "exit 3")
    assert (done.returncode, done.stderr) == (3, "watchdog: the server ended by itself (code 3)\n")


def test_the_operators_key_is_the_mounted_one_or_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mounted = tmp_path / "secrets/operator.key"
    made = start.operator_key_file(mounted)
    key = made.read_text()
    assert len(key) == 64 and made.stat().st_mode & 0o077 == 0
    assert start.operator_key_file(mounted).read_text() == key  # the container's process has started again
    mounted.parent.mkdir()
    mounted.write_text("studio's")
    assert start.operator_key_file(mounted) == mounted


def test_a_key_of_another_user_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "operator.key").touch()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root, as whom the tests may run, reads every file
    with pytest.raises(start.StartError, match=r"setfacl --modify user:\d+:r secrets/operator\.key"):
        start.operator_key_file(tmp_path / "operator.key")
