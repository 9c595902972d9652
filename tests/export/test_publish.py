"""Publishing: only what is proven, whole or not at all, and back again."""

import json
import shutil
from pathlib import Path

import pytest

from export import publish, steps
from export.contract import Contract, read_contracts
from export.errors import ExportError
from export.manifest import Run, Step
from files.digest import sha256
from serving.cards import card
from serving.versions import NETWORKS, styles
from tests.export.conftest import write_configs

PLAN = "model.sm121.plan"


@pytest.fixture
def repository(workspace: Path) -> Path:
    """Networks as a fresh clone has them: version 1 holds the serving code."""
    for name in NETWORKS:
        (workspace / "model_repository" / name / "1").mkdir()
        (workspace / "model_repository" / name / "1" / "model.py").write_text("code = 1\n")
    return workspace / "model_repository"


@pytest.fixture
def second(workspace: Path) -> Run:
    """Other weights, exported."""
    return Run("second", workspace / "artifacts")


def with_plan(run: Run, contract: Contract, served_as: str = PLAN) -> None:
    """Give a run a plan that passed its check."""
    plan = run.folder / contract.in_run(served_as)
    plan.write_text("a plan")
    files = (plan.name, contract.fp16_onnx, contract.fp32_onnx)
    run.record(Step("check-plan", {file: sha256(run.folder / file) for file in files}))


def listing(repository: Path) -> set[str]:
    return {path.relative_to(repository).as_posix() for path in repository.rglob("*") if not path.is_dir()}


def numbers(repository: Path) -> list[list[str]]:
    """Version folders of each network, withdrawn ones included."""
    return [sorted(path.name for path in (repository / name).iterdir() if path.is_dir()) for name in NETWORKS]


def test_the_first_networks_join_the_code_in_version_1(run: Run, contracts: list[Contract], repository: Path) -> None:
    assert publish.publish(run, contracts, repository) == [repository / name / "1" for name in NETWORKS]
    assert listing(repository) == {
        f"{name}/{file}"
        for name in NETWORKS
        for file in ("config.pbtxt", "1/model.py", "1/model.onnx", "1/manifest.json")
    }
    for contract in contracts:
        assert sha256(repository / contract.name / "1/model.onnx") == sha256(run.folder / contract.fp32_onnx)
        assert json.loads((repository / contract.name / "1/manifest.json").read_text())["run"] == "small"


def test_other_networks_become_another_version_with_the_same_code(
    run: Run, second: Run, contracts: list[Contract], repository: Path
) -> None:
    publish.publish(run, contracts, repository)
    assert publish.publish(second, contracts, repository) == [repository / name / "2" for name in NETWORKS]
    for name in NETWORKS:
        (repository / name / "1/model.py").write_text("code = 2\n")
        assert (repository / name / "2/model.py").read_text() == "code = 2\n"


def test_the_same_networks_stay_one_version(run: Run, contracts: list[Contract], repository: Path) -> None:
    first = publish.publish(run, contracts, repository)
    assert publish.publish(run, contracts, repository) == first


def test_a_plan_joins_the_version_of_its_onnx(run: Run, contracts: list[Contract], repository: Path) -> None:
    publish.publish(run, contracts, repository)
    for contract in contracts:
        with_plan(run, contract)
    publish.publish(run, contracts, repository)
    assert numbers(repository) == [["1"], ["1"]]
    assert all((repository / name / "1" / PLAN).read_text() == "a plan" for name in NETWORKS)


def test_every_gpu_gets_its_own_plan(run: Run, contracts: list[Contract], repository: Path) -> None:
    with_plan(run, contracts[0])
    with_plan(run, contracts[0], "model.sm90.plan")
    publish.publish(run, contracts, repository)
    assert {PLAN, "model.sm90.plan"} <= {path.name for path in (repository / "generator/1").iterdir()}


def test_a_version_can_be_replaced_by_name(run: Run, second: Run, contracts: list[Contract], repository: Path) -> None:
    publish.publish(run, contracts, repository)
    publish.publish(second, contracts, repository, version=1)
    for contract in contracts:
        assert sha256(repository / contract.name / "1/model.onnx") == sha256(second.folder / contract.fp32_onnx)
    assert numbers(repository) == [["1"], ["1"]]


@pytest.mark.parametrize("network", range(len(NETWORKS)))
def test_gpus_keep_the_plan_they_are_served(
    run: Run, second: Run, contracts: list[Contract], repository: Path, network: int
) -> None:
    """A newer version without their plan would stop them."""
    with_plan(run, contracts[network])
    publish.publish(run, contracts, repository)
    before = listing(repository)
    for version in (None, 1):
        with pytest.raises(ExportError, match=rf"serves {PLAN}, which this run lacks: build it first \(make plan\)"):
            publish.publish(second, contracts, repository, version)
    assert listing(repository) == before
    with_plan(second, contracts[network])
    publish.publish(second, contracts, repository)
    assert numbers(repository) == [["1", "2"], ["1", "2"]]


@pytest.mark.parametrize(
    "name",
    [
        "generator.onnx",
        "generator_fp16.onnx",
        "generator.safetensors",
        f"generator.{PLAN}",
        "refiner.onnx",
        "refiner.safetensors",
    ],
)
def test_a_file_changed_after_its_check_is_refused(
    run: Run, contracts: list[Contract], repository: Path, name: str
) -> None:
    with_plan(run, contracts[0])
    with (run.folder / name).open("ab") as file:
        file.write(b"x")
    before = listing(repository)
    with pytest.raises(ExportError, match=rf"{name}"):
        publish.publish(run, contracts, repository)
    assert listing(repository) == before


def test_a_plan_of_another_onnx_is_refused(
    run: Run, second: Run, contracts: list[Contract], contract: Contract, repository: Path
) -> None:
    with_plan(run, contract)
    for name in (contract.weights, contract.fp32_onnx, contract.fp16_onnx):
        shutil.copy(second.folder / name, run.folder / name)
    steps.check_onnx_step(run, contract, Path("photos"))
    steps.check_fp16_step(run, contract, Path("photos"))
    with pytest.raises(ExportError, match=rf"{PLAN} was validated against another {contract.fp16_onnx}"):
        publish.publish(run, contracts, repository)


def test_never_validated_and_failed_are_refused(run: Run, contracts: list[Contract], repository: Path) -> None:
    records = run.manifest.read_text()
    run.manifest.unlink()
    with pytest.raises(ExportError, match=r"never validated: run 'python -m export check-onnx --run small'"):
        publish.publish(run, contracts, repository)
    run.manifest.write_text(records)
    check = next(step for step in run.steps() if step.name == "check-onnx" and "refiner.onnx" in step.inputs)
    run.record(Step(check.name, check.inputs, passed=False))
    with pytest.raises(ExportError, match=r"refiner\.onnx failed its validation"):
        publish.publish(run, contracts, repository)


def test_a_configuration_changed_since_is_refused(run: Run, repository: Path) -> None:
    write_configs(repository, tile_px=128)
    with pytest.raises(ExportError, match=r"tile shape \(64, 64, 3\), the configuration says \(128, 128, 3\)"):
        publish.publish(run, read_contracts(repository), repository)


@pytest.mark.parametrize("last", range(1, 5))
def test_a_crash_leaves_the_old_networks_serving(
    run: Run,
    second: Run,
    contracts: list[Contract],
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    last: int,
) -> None:
    publish.publish(run, contracts, repository)
    before, copied = listing(repository), []

    def full_disk(_source: Path, target: Path) -> None:
        copied.append(target)
        target.touch()
        if len(copied) == last:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(publish.shutil, "copyfile", full_disk)
    with pytest.raises(OSError, match="No space left"):
        publish.publish(second, contracts, repository)
    assert listing(repository) == before


def test_rollback_serves_the_version_before_and_numbers_never_repeat(
    run: Run, second: Run, contracts: list[Contract], repository: Path
) -> None:
    publish.publish(run, contracts, repository)
    publish.publish(second, contracts, repository)
    assert publish.rollback(repository) == (2, 1)
    assert numbers(repository) == [["1", "withdrawn-2"], ["1", "withdrawn-2"]]
    assert publish.publish(second, contracts, repository) == [repository / name / "3" for name in NETWORKS]


def test_the_last_version_cannot_be_rolled_back(run: Run, contracts: list[Contract], repository: Path) -> None:
    publish.publish(run, contracts, repository)
    with pytest.raises(ExportError, match="nothing to roll back to"):
        publish.rollback(repository)
    assert all((repository / name / "1/model.onnx").exists() for name in NETWORKS)


def test_a_style_has_models_of_its_own_with_the_default_ones_configuration_and_code(
    run: Run, second: Run, contracts: list[Contract], repository: Path
) -> None:
    publish.publish(run, contracts, repository)
    before = listing(repository)
    (second.folder / "card.txt").write_text("Evening light\n")
    made = publish.publish(second, contracts, repository, style="warm")
    assert made == [repository / f"{name}_warm" / "1" for name in NETWORKS]
    assert before < listing(repository)
    for contract, folder in zip(contracts, made, strict=True):
        assert sha256(folder / "model.onnx") == sha256(second.folder / contract.fp32_onnx)
        (repository / contract.name / "1/model.py").write_text("code = 2\n")
        (repository / contract.name / "config.pbtxt").write_text("# tuned\n")
        assert (folder / "model.py").read_text() == "code = 2\n"
        assert (folder.parent / "config.pbtxt").read_text() == "# tuned\n"
    assert styles(repository) == ["default", "warm"]
    told = card(repository, "warm", 1)
    assert (told["about"], told["run"], told["network"]) == ("Evening light", "second", "generator")
    assert told["exported"].startswith("20") and "about" not in card(repository, "default", 1)


def test_versions_of_a_style_are_its_own(run: Run, second: Run, contracts: list[Contract], repository: Path) -> None:
    publish.publish(run, contracts, repository)
    for each in (run, second):
        publish.publish(each, contracts, repository, style="warm")
    assert publish.rollback(repository, "warm") == (2, 1)
    assert numbers(repository) == [["1"], ["1"]]
    with pytest.raises(ExportError, match="version 1 alone"):
        publish.rollback(repository, "warm")
    with pytest.raises(ExportError, match=r"no style 'cold' is published in .*, only default, warm"):
        publish.rollback(repository, "cold")


def test_a_style_without_the_plan_that_a_gpu_is_served_is_refused(
    run: Run, contracts: list[Contract], repository: Path
) -> None:
    """The image would not start with it."""
    with_plan(run, contracts[0])
    publish.publish(run, contracts, repository)
    before = listing(repository)
    (run.folder / contracts[0].in_run(PLAN)).unlink()
    with pytest.raises(ExportError, match=r"this run lacks: build it first \(make plan\)"):
        publish.publish(run, contracts, repository, style="warm")
    assert listing(repository) == before


@pytest.mark.parametrize("style", ["", "Warm", "warm_light", "../warm", "-x", "a" * 33])
def test_names_of_styles_are_names_of_folders(
    run: Run, contracts: list[Contract], repository: Path, style: str
) -> None:
    before = listing(repository)
    with pytest.raises(ExportError, match="use up to 32 lowercase letters, digits and '-'"):
        publish.publish(run, contracts, repository, style=style)
    assert listing(repository) == before
