"""The command line: one line for every mistake, the right exit code, and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from export.errors import ExportError
from export.manifest import Run


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "export", *arguments], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("workspace")
def test_from_a_checkpoint_to_a_published_model() -> None:
    done = command("all", "--run", "fresh", "--weights", "small", "--photos", "photos")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "onnx: artifacts/fresh/generator.onnx",
        "onnx: artifacts/fresh/refiner.onnx",
        "check-onnx: artifacts/fresh/generator.onnx",
        "check-onnx: artifacts/fresh/refiner.onnx",
        "fp16: artifacts/fresh/generator_fp16.onnx",
        "fp16: artifacts/fresh/refiner_fp16.onnx",
        "check-fp16: artifacts/fresh/generator_fp16.onnx",
        "check-fp16: artifacts/fresh/refiner_fp16.onnx",
        "publish: model_repository/generator/1, model_repository/refiner/1",
    ]
    assert done.stderr == ""


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["onnx", "--run", "r", "--weights", "none"], 1, "none/generator.safetensors: no such file; train one"),
        (["onnx", "--run", "r"], 1, "training/weights/generator.safetensors: no such file"),
        (["check-onnx", "--run", "empty"], 1, "run 'python -m export onnx --run empty' first"),
        (["publish", "--run", "../elsewhere"], 1, "use letters, digits"),
        (["all-gpu", "--run", "small"], 1, "trtexec is not on this machine"),
        (["rollback"], 1, "nothing to roll back to"),
        (["onnxx"], 2, "invalid choice"),
        (["onnx"], 2, "--run"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], code: int, message: str) -> None:
    done = command(*arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    if code == 1:
        assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_publishing_and_plans_need_no_torch() -> None:
    """They run in the serving image, which has none."""
    program = "import sys; sys.modules['torch'] = None; from export import __main__, plan, publish"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_damaged_manifest_is_said(run: Run) -> None:
    run.manifest.write_text("{")
    with pytest.raises(ExportError, match=r"manifest\.json does not read"):
        run.steps()


def test_every_record_says_what_it_ran_on(run: Run, workspace: Path) -> None:
    assert [step.name for step in run.steps()] == 2 * ["onnx", "check-onnx", "fp16", "check-fp16"]
    for step in run.steps():
        assert {"onnx", "torch", "onnxruntime", "polygraphy"} <= step.versions.keys()
        assert step.at.endswith("+00:00")
