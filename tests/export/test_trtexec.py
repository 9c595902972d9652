"""The plan step against a trtexec that knows only the documented options, of both majors."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from export import plan, trtexec
from export.contract import Contract
from export.errors import ExportError
from export.manifest import Run
from export.runners import onnxruntime_runner
from files.digest import sha256
from tests.export.trtexec_flags import FLAGS

pytestmark = pytest.mark.usefixtures("gpu_machine")
Machine = Callable[..., None]


@pytest.fixture(params=[10, 11])
def major(request: pytest.FixtureRequest, gpu_machine: Machine) -> int:
    gpu_machine(major=request.param)
    return int(request.param)


def test_the_help_tells_the_majors_apart(major: int) -> None:
    tool = trtexec.find()
    assert tool.version[0] == major
    assert tool.weakly_typed == (major == 10)


def test_every_option_is_documented(major: int, contract: Contract) -> None:
    tool = trtexec.find()
    commands = [
        tool.build_command(Path("m.onnx"), Path("m.plan"), Path("m.cache"), contract),
        tool.benchmark_command(Path("m.plan"), 8, Path("layers.json"), Path("times.json"), contract),
    ]
    for _, *arguments in commands:
        for argument in arguments:
            name, equals, _ = argument.partition("=")
            assert name + equals in FLAGS[major]


def test_a_plan_is_built_from_the_checked_fp16_onnx(major: int, run: Run, contract: Contract) -> None:
    path = plan.plan_step(run, contract)
    assert path.name == "generator.model.sm121.plan"
    built = json.loads(path.read_text())
    assert built["onnx"] == sha256(run.folder / contract.fp16_onnx)
    assert built["precision"] == "Half"
    assert run.steps()[-1].outputs == {path.name: sha256(path)}
    assert "PASSED" in path.with_suffix(".build.log").read_text()


def test_strong_typing_is_asked_for_where_it_is_an_option(major: int, contract: Contract) -> None:
    command = trtexec.find().build_command(Path("m.onnx"), Path("m.plan"), Path("m.cache"), contract)
    assert ("--stronglyTyped" in command) == (major == 10)


def test_shapes_cover_batches_from_one_to_the_maximum(refiner: Contract) -> None:
    command = trtexec.find().build_command(Path("m.onnx"), Path("m.plan"), Path("m.cache"), refiner)
    assert "--minShapes=PHOTO:1x64x64x3,APPLIED:1x64x64x3" in command
    assert f"--maxShapes=PHOTO:{refiner.max_batch}x64x64x3,APPLIED:{refiner.max_batch}x64x64x3" in command


def test_the_timing_cache_is_shared_by_runs_and_a_plan_up_to_date_stays(run: Run, contract: Contract) -> None:
    path = plan.plan_step(run, contract)
    first = path.stat().st_mtime_ns
    assert plan.plan_step(run, contract).stat().st_mtime_ns == first
    path.write_text("damaged")
    plan.plan_step(run, contract)
    assert json.loads(path.read_text())["precision"] == "Half"
    assert "timing cache loaded" in path.with_suffix(".build.log").read_text()


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("no-gpu", "found no GPU"),
        ("out-of-memory", "out of GPU memory"),
        ("old-parser", "parser is older than this ONNX"),
        ("other", "Engine could not be created"),
        ("killed", "without saying why"),
    ],
)
def test_a_failed_build_says_why_and_leaves_no_plan(
    run: Run, contract: Contract, gpu_machine: Machine, failure: str, message: str
) -> None:
    gpu_machine(failure=failure)
    with pytest.raises(ExportError, match=message):
        plan.plan_step(run, contract)
    assert not list(run.folder.glob("*.plan*")) and not list(run.folder.glob(".*"))


def test_a_failed_build_keeps_the_plan_of_before(run: Run, contract: Contract, gpu_machine: Machine) -> None:
    content = plan.plan_step(run, contract).read_bytes()
    gpu_machine(major=10, failure="killed")
    with pytest.raises(ExportError):
        plan.plan_step(run, contract)
    assert (run.folder / "generator.model.sm121.plan").read_bytes() == content


def test_a_build_that_takes_too_long_is_stopped(run: Run, contract: Contract, gpu_machine: Machine) -> None:
    gpu_machine(failure="hang")
    with pytest.raises(ExportError, match="longer than 2 s"):
        plan.plan_step(run, contract, timeout_s=2)
    assert not list(run.folder.glob(".*"))


def test_ctrl_c_leaves_nothing_half_written(run: Run, gpu_machine: Machine) -> None:
    gpu_machine(failure="hang")
    command = [sys.executable, "-m", "export", "plan", "--run", run.name]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    part = run.folder / ".generator.model.sm121.plan.part"
    while not part.exists() and child.poll() is None:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    assert (child.returncode, "interrupted" in errors) == (130, True)
    assert not part.exists() and not list(run.folder.glob("*.plan"))


def test_no_trtexec_names_the_container_and_the_command(
    run: Run, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ExportError, match=r"nvcr\.io/nvidia/tritonserver:\d\d\.\d\d-py3.*make plan"):
        plan.plan_step(run, contract)


def test_no_gpu_is_said_before_anything_is_built(run: Run, contract: Contract, gpu_machine: Machine) -> None:
    gpu_machine(capability="NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.")
    with pytest.raises(ExportError, match="no GPU here: nvidia-smi says 'NVIDIA-SMI has failed"):
        plan.plan_step(run, contract)


def test_a_gpu_that_the_configuration_does_not_serve(run: Run, contract: Contract, gpu_machine: Machine) -> None:
    gpu_machine(capability="7.5")
    with pytest.raises(ExportError, match=r"compute capability 7\.5 .*cc_model_filenames"):
        plan.plan_step(run, contract)


def test_an_unchecked_onnx_is_not_built(run: Run, contract: Contract) -> None:
    (run.folder / contract.fp16_onnx).write_bytes(b"another")
    with pytest.raises(ExportError, match="changed after its validation"):
        plan.plan_step(run, contract)


@pytest.mark.parametrize(
    ("banner", "version"), [("101602", (10, 16, 2)), ("11.1.0.106", (11, 1, 0)), ("8502", (0, 85, 2))]
)
def test_banners(banner: str, version: tuple[int, ...]) -> None:
    assert trtexec._version(banner) == version


def test_a_plan_is_proven_before_it_counts(
    major: int, run: Run, contract: Contract, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in plan holds no engine, so the FP16 ONNX answers for it."""
    path = plan.plan_step(run, contract)
    monkeypatch.setattr(
        plan, "tensorrt_runner", lambda _: onnxruntime_runner((run.folder / contract.fp16_onnx).read_bytes())
    )
    plan.check_plan_step(run, contract, photos)
    details = run.require_passed("check-plan", path).details
    assert details["compute_ms"] == {"1": 2.0, str(contract.max_batch): 2.0}
    assert set(details["convolutions"]) == {"FP16"} and "warning" not in details
    assert details["fp32_vs_plan"]["min_psnr_db"] > 50


def test_a_precision_that_trtexec_does_not_tell_is_a_warning(
    run: Run, contract: Contract, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = plan.plan_step(run, contract)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"convolutions": ["unheard-of"]}))
    half = (run.folder / contract.fp16_onnx).read_bytes()
    monkeypatch.setattr(plan, "tensorrt_runner", lambda _: onnxruntime_runner(half))
    plan.check_plan_step(run, contract, photos)
    assert "could not tell the precision" in run.require_passed("check-plan", path).details["warning"]
    assert "warning: " in capsys.readouterr().out


def test_an_fp32_plan_is_refused(run: Run, contract: Contract, photos: Path) -> None:
    path = plan.plan_step(run, contract)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"precision": "Float"}))
    with pytest.raises(ExportError, match=r"convolutions in another precision, such as \S+ in FP32"):
        plan.check_plan_step(run, contract, photos)
    assert not run.steps()[-1].passed


def test_a_plan_that_computes_something_else_is_refused(
    run: Run, contract: Contract, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = plan.plan_step(run, contract)
    other = _moved((run.folder / contract.fp32_onnx).read_bytes())
    monkeypatch.setattr(plan, "tensorrt_runner", lambda _: onnxruntime_runner(other))
    with pytest.raises(ExportError, match=f"{path.name} differs from .*max error"):
        plan.check_plan_step(run, contract, photos)


def _moved(model: bytes) -> bytes:
    """The same graph with one bias moved."""
    graph = onnx.load_from_string(model)
    (bias,) = [tensor for tensor in graph.graph.initializer if tensor.name == "network.body.head.bias"]
    bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 0.1, bias.name))
    return graph.SerializeToString()


def test_without_tensorrt_in_python_the_plan_cannot_be_checked(run: Run, contract: Contract, photos: Path) -> None:
    plan.plan_step(run, contract)
    with pytest.raises(ExportError, match="TensorRT's Python package is missing"):
        plan.check_plan_step(run, contract, photos)
