"""Publishing: only what is proven, whole or not at all, and back again."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from export import publish, steps
from export.contract import Contract, read_contract
from export.errors import ExportError
from export.manifest import FP16_ONNX, FP32_ONNX, Run, Step, sha256
from tests.export.conftest import write_config

PLAN = "model.sm121.plan"


@pytest.fixture
def model_dir(workspace: Path) -> Path:
    """A generator as a fresh clone has it: version 1 holds the serving code."""
    folder = workspace / "model_repository" / "generator"
    (folder / "1").mkdir()
    (folder / "1" / "model.py").write_text("code = 1\n")
    return folder


@pytest.fixture
def second(workspace: Path) -> Run:
    """Another checkpoint, exported."""
    return Run("second", workspace / "artifacts")


def with_plan(run: Run, name: str = PLAN) -> None:
    """Give a run a plan that passed its check."""
    (run.folder / name).write_text("a plan")
    inputs = {file: sha256(run.folder / file) for file in (name, FP16_ONNX, FP32_ONNX)}
    run.record(Step("check-plan", inputs))


def listing(model_dir: Path) -> set[str]:
    return {path.relative_to(model_dir).as_posix() for path in model_dir.rglob("*") if not path.is_dir()}


def test_the_first_model_joins_the_code_in_version_1(run: Run, contract: Contract, model_dir: Path) -> None:
    assert publish.publish(run, contract, model_dir) == model_dir / "1"
    assert listing(model_dir) == {"config.pbtxt", "1/model.py", "1/model.onnx", "1/manifest.json"}
    assert sha256(model_dir / "1/model.onnx") == sha256(run.folder / FP32_ONNX)
    assert json.loads((model_dir / "1/manifest.json").read_text())["run"] == "small"


def test_another_model_becomes_another_version_with_the_same_code(
    run: Run, second: Run, contract: Contract, model_dir: Path
) -> None:
    publish.publish(run, contract, model_dir)
    assert publish.publish(second, contract, model_dir) == model_dir / "2"
    (model_dir / "1/model.py").write_text("code = 2\n")
    assert (model_dir / "2/model.py").read_text() == "code = 2\n"


def test_the_same_model_stays_one_version(run: Run, contract: Contract, model_dir: Path) -> None:
    publish.publish(run, contract, model_dir)
    assert publish.publish(run, contract, model_dir) == model_dir / "1"


def test_a_plan_joins_the_version_of_its_onnx(run: Run, contract: Contract, model_dir: Path) -> None:
    publish.publish(run, contract, model_dir)
    with_plan(run)
    publish.publish(run, contract, model_dir)
    assert (model_dir / "1" / PLAN).read_text() == "a plan"


def test_every_gpu_gets_its_own_plan(run: Run, contract: Contract, model_dir: Path) -> None:
    both = dataclasses.replace(contract, plan_names={"12.1": PLAN, "9.0": "model.sm90.plan"})
    with_plan(run)
    with_plan(run, "model.sm90.plan")
    publish.publish(run, both, model_dir)
    assert {PLAN, "model.sm90.plan"} <= {path.name for path in (model_dir / "1").iterdir()}


def test_a_version_can_be_replaced_by_name(run: Run, second: Run, contract: Contract, model_dir: Path) -> None:
    publish.publish(run, contract, model_dir)
    publish.publish(second, contract, model_dir, version=1)
    assert sha256(model_dir / "1/model.onnx") == sha256(second.folder / FP32_ONNX)
    assert not (model_dir / "2").exists()


def test_gpus_keep_the_plan_they_are_served(run: Run, second: Run, contract: Contract, model_dir: Path) -> None:
    """A newer version without their plan would stop them."""
    with_plan(run)
    publish.publish(run, contract, model_dir)
    for version in (None, 1):
        with pytest.raises(ExportError, match=rf"serves {PLAN}, which this run lacks: build it first \(make plan\)"):
            publish.publish(second, contract, model_dir, version)
    with_plan(second)
    assert publish.publish(second, contract, model_dir) == model_dir / "2"


@pytest.mark.parametrize("name", [FP32_ONNX, FP16_ONNX, "generator.safetensors", PLAN])
def test_a_file_changed_after_its_check_is_refused(run: Run, contract: Contract, model_dir: Path, name: str) -> None:
    with_plan(run)
    with (run.folder / name).open("ab") as file:
        file.write(b"x")
    before = listing(model_dir)
    with pytest.raises(ExportError, match=rf"{name}"):
        publish.publish(run, contract, model_dir)
    assert listing(model_dir) == before


def test_a_plan_of_another_onnx_is_refused(run: Run, second: Run, contract: Contract, model_dir: Path) -> None:
    with_plan(run)
    for name in ("generator.safetensors", FP32_ONNX, FP16_ONNX):
        shutil.copy(second.folder / name, run.folder / name)
    steps.check_onnx_step(run, contract, Path("photos"))
    steps.check_fp16_step(run, contract, Path("photos"))
    with pytest.raises(ExportError, match=rf"{PLAN} was validated against another {FP16_ONNX}"):
        publish.publish(run, contract, model_dir)


def test_never_validated_and_failed_are_refused(run: Run, contract: Contract, model_dir: Path) -> None:
    records = run.manifest.read_text()
    run.manifest.unlink()
    with pytest.raises(ExportError, match=r"never validated: run 'python -m export check-onnx --run small'"):
        publish.publish(run, contract, model_dir)
    run.manifest.write_text(records)
    check = next(step for step in run.steps() if step.name == "check-onnx")
    run.record(Step(check.name, check.inputs, passed=False))
    with pytest.raises(ExportError, match="failed its validation"):
        publish.publish(run, contract, model_dir)


def test_a_configuration_changed_since_is_refused(run: Run, model_dir: Path) -> None:
    write_config(model_dir, tile_px=128)
    with pytest.raises(ExportError, match=r"tile shape \(3, 64, 64\), the configuration says \(3, 128, 128\)"):
        publish.publish(run, read_contract(model_dir), model_dir)


def test_a_crash_leaves_the_old_model_serving(
    run: Run, second: Run, contract: Contract, model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish.publish(run, contract, model_dir)
    before, copied = listing(model_dir), []

    def full_disk(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish.shutil, "copyfile", full_disk)
    with pytest.raises(OSError, match="No space left"):
        publish.publish(second, contract, model_dir)
    assert listing(model_dir) == before


def test_rollback_serves_the_version_before_and_numbers_never_repeat(
    run: Run, second: Run, contract: Contract, model_dir: Path
) -> None:
    publish.publish(run, contract, model_dir)
    publish.publish(second, contract, model_dir)
    assert publish.rollback(model_dir) == (2, 1)
    assert sorted(path.name for path in model_dir.iterdir() if path.is_dir()) == ["1", "withdrawn-2"]
    assert publish.publish(second, contract, model_dir) == model_dir / "3"


def test_the_last_version_cannot_be_rolled_back(run: Run, contract: Contract, model_dir: Path) -> None:
    publish.publish(run, contract, model_dir)
    with pytest.raises(ExportError, match="nothing to roll back to"):
        publish.rollback(model_dir)
    assert (model_dir / "1/model.onnx").exists()
