"""The training loop: it learns, stops at any step, goes on to the bit, and never loses a checkpoint."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from pixels.difference import psnr_db
from tests.training.conftest import room
from training.checkpoints import LATEST, load_checkpoint, save_checkpoint
from training.data.dataset import to_tensor
from training.data.opened import cached_crops
from training.data.pairs import read_pairs, read_photo, split_pairs
from training.data.radiance import write_radiance
from training.errors import TrainingError
from training.inference import COARSE_PX
from training.losses import LossWeights, gradient_loss, structural_loss
from training.metrics import ssim
from training.networks.curves import CurveEdit
from training.networks.generator import TONE_SCALE, Generator
from training.networks.refiner import Refiner
from training.networks.weights import load_generator, load_refiner, save_weights
from training.recipes import RECIPES, Recipe, Schedule, debug
from training.run import GENERATOR, REFINER, Run, train
from training.trainer import Trainer, learning_rate


def debug_with(epochs: int = 3, width: int = 4, **changes: object) -> Recipe:
    """The debug recipe, its generator's schedule changed."""
    return replace(debug(), width=width, generator=replace(debug().generator, epochs=epochs, **changes))


def run(jsonl: Path, folder: Path, recipe: Recipe | None = None, **options: object) -> None:
    folder.mkdir(exist_ok=True)
    fabric = Fabric(accelerator="cpu", devices=1)
    train(fabric, recipe or debug_with(), Run(folder, split_pairs(read_pairs(jsonl)), **options))  # type: ignore[arg-type]


class Items(list[tuple[torch.Tensor, ...]]):
    """Items of a validation, asked for as a data set's: by epoch and index."""

    def __getitem__(self, key: tuple[int, int]) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        return super().__getitem__(key[1])


def latest(folder: Path) -> dict[str, Any]:
    return load_checkpoint(folder / "generator" / LATEST)


def assert_same(first: object, second: object) -> None:
    """Equal to the bit, however nested."""
    if isinstance(first, dict) and isinstance(second, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, list) and isinstance(second, list):
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            assert_same(a, b)
    else:
        assert first == second


def test_items_that_are_left_alone_do_not_decide_which_weights_are_kept() -> None:
    """A refiner that changes nothing is perfect on a clean crop, whose PSNR alone would outweigh all others."""
    photo = torch.full((3, 16, 16), 0.5)
    clean, noisy = (photo, photo, photo), (photo, photo, photo + 0.1)
    trainer = Trainer(Fabric(accelerator="cpu", devices=1), debug().refiner, Refiner())
    score, _ = trainer.validate(Items([clean, noisy]))  # type: ignore[arg-type]
    assert score == pytest.approx(-10 * np.log10(0.1**2 / 2), abs=0.01)


def test_debug_recipe_beats_the_unedited_photo(pairs_jsonl: Path, tmp_path: Path) -> None:
    run(pairs_jsonl, tmp_path / "run", debug())
    _, (pair, *_) = split_pairs(read_pairs(pairs_jsonl))
    source, target = (to_tensor(read_photo(path))[None, :, :64, :64] for path in (pair.source, pair.target))
    progress = latest(tmp_path / "run")["progress"]
    assert progress["best_psnr"] > psnr_db(source.numpy(), target.numpy()) + 3
    assert progress["epoch"] == debug().generator.epochs
    written = {path.name for path in (tmp_path / "run" / "generator").iterdir()}
    assert {LATEST, "history.jsonl", "samples.jpg", "tensorboard"} <= written
    edited = CurveEdit(load_generator(tmp_path / "run" / GENERATOR))(source)
    assert psnr_db(edited.detach().numpy(), target.numpy()) > psnr_db(source.numpy(), target.numpy()) + 3


@pytest.fixture
def views(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Two rendered rooms: one to learn from, one to validate on."""
    paths = [tmp_path / f"{name}.hdr" for name in ("white_room-0-0", "country_kitchen-0-0")]
    for number, path in enumerate(paths):
        write_radiance(path, room(number, 96, 128))
    return paths[:1], paths[1:]


def test_a_run_with_views_trains_the_refiner_on_what_its_generator_edits(
    pairs_jsonl: Path, tmp_path: Path, views: tuple[list[Path], list[Path]]
) -> None:
    run(pairs_jsonl, tmp_path / "run", debug_with(epochs=1), views=views)
    refiner = load_refiner(tmp_path / "run" / REFINER)
    assert any(parameter.any() for parameter in refiner.body.layers[-1].parameters())
    assert load_checkpoint(tmp_path / "run" / "refiner" / LATEST)["progress"]["epoch"] == debug().refiner.epochs
    with pytest.raises(TrainingError, match=r"refiner/latest\.pt.*no such checkpoint"):
        load_checkpoint(tmp_path / "refiner" / LATEST)


def test_crops_are_opened_by_one_edit_and_differ_by_their_defects(
    tmp_path: Path, views: tuple[list[Path], list[Path]]
) -> None:
    crops = cached_crops(views[0], Generator(4), 8, 64, tmp_path / "cache").astype(int)
    photo, applied, target = crops.transpose(1, 0, 2, 3, 4)
    assert np.abs(applied - photo).mean() > 4 * np.abs(applied - target).mean() > 0
    assert np.abs(applied.mean((1, 2)) - target.mean((1, 2))).max() < 4


def test_a_run_without_views_keeps_the_refiner_that_it_started_from(pairs_jsonl: Path, tmp_path: Path) -> None:
    (tmp_path / "start").mkdir()
    refiner = Refiner()
    torch.nn.init.normal_(refiner.body.layers[-1].weight)
    save_weights(Generator(4), tmp_path / "start" / GENERATOR)
    save_weights(refiner, tmp_path / "start" / REFINER)
    run(pairs_jsonl, tmp_path / "run", debug_with(epochs=1), init=tmp_path / "start")
    kept, given = (load_refiner(tmp_path / name / REFINER).state_dict() for name in ("run", "start"))
    assert_same(kept, given)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Press Ctrl-C while a step is computed."""
    original = Trainer.step

    def step_then_interrupt(trainer: Trainer, *arguments: object) -> object:
        if trainer.progress.step + 1 == step:
            signal.raise_signal(signal.SIGINT)
        return original(trainer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "step", step_then_interrupt)


def test_interrupted_run_goes_on_to_the_bit(
    pairs_jsonl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: tuple[list[Path], list[Path]]
) -> None:
    run(pairs_jsonl, tmp_path / "whole", views=views)
    with monkeypatch.context() as patch:
        interrupt_at(patch, step=7)  # in the middle of the second epoch of 5 steps
        run(pairs_jsonl, tmp_path / "parts", views=views)
    stopped = latest(tmp_path / "parts")
    assert (stopped["progress"]["step"], stopped["progress"]["epoch"], stopped["progress"]["batch"]) == (7, 1, 2)
    assert not (tmp_path / "parts" / REFINER).exists()
    run(pairs_jsonl, tmp_path / "parts", resume=True, views=views)
    for network in ("generator", "refiner"):
        assert_same(*(load_checkpoint(tmp_path / name / network / LATEST) for name in ("whole", "parts")))


def test_full_disk_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint({"network": {}, "progress": {"step": 1}}, tmp_path / LATEST)

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"No space left.*previous checkpoint is intact"):
        save_checkpoint({"network": {}, "progress": {"step": 2}}, tmp_path / LATEST)
    assert load_checkpoint(tmp_path / LATEST)["progress"]["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [LATEST]


def test_checkpoints_of_another_run_are_refused(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no such checkpoint"):
        run(pairs_jsonl, tmp_path / "run", resume=True)
    run(pairs_jsonl, tmp_path / "run", debug_with(epochs=1))
    with pytest.raises(TrainingError, match="does not fit the recipe"):
        run(pairs_jsonl, tmp_path / "run", debug_with(width=6), resume=True)
    plain = LossWeights(adversarial=0, perceptual=0)
    run(pairs_jsonl, tmp_path / "plain", debug_with(epochs=1, losses=plain))
    with pytest.raises(TrainingError, match="does not fit the recipe"):
        run(pairs_jsonl, tmp_path / "plain", resume=True)
    (tmp_path / "run" / "generator" / LATEST).write_text("hello")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        run(pairs_jsonl, tmp_path / "run", resume=True)


def test_init_starts_from_given_weights_of_the_right_width(pairs_jsonl: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    start = tmp_path / "start"
    save_weights(Generator(4), start / GENERATOR)
    save_weights(Refiner(), start / REFINER)
    still = debug_with(epochs=1, learning_rate=0.0)
    run(pairs_jsonl, tmp_path / "run", still, init=start)
    before, after = (load_generator(folder / GENERATOR).state_dict() for folder in (start, tmp_path / "run"))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    with pytest.raises(TrainingError, match="width 4, but the recipe 'debug' has width 8"):
        run(pairs_jsonl, tmp_path / "run", replace(still, width=8), init=start)


def test_perceptual_loss_without_weights_fails_before_any_work(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--vgg"):
        run(pairs_jsonl, tmp_path / "run", RECIPES["baseline"]())
    assert list((tmp_path / "run").iterdir()) == []


def test_fewer_pairs_than_a_batch_are_refused(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"11 pairs .* fewer than one batch of 16 .*lower --batch-size"):
        run(pairs_jsonl, tmp_path / "run", debug_with(batch_size=16))


def test_a_loss_that_is_not_a_number_stops_the_run(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the (loss|validation) is (nan|inf|-inf) at step \d+: lower --lr"):
        run(pairs_jsonl, tmp_path / "run", debug_with(learning_rate=1e30, epochs=8))
    assert not (tmp_path / "run" / "generator" / LATEST).exists()


def test_baseline_recipe_is_the_classic_one() -> None:
    recipe = RECIPES["baseline"]()
    schedule = recipe.generator
    assert (schedule.learning_rate, schedule.batch_size, schedule.image_size, schedule.epochs) == (2e-4, 8, 512, 200)
    assert (schedule.losses.l1, schedule.losses.perceptual, schedule.losses.adversarial) == (100, 10, 1)
    assert {name: recipe().name for name, recipe in RECIPES.items()} == {name: name for name in RECIPES}


def test_the_u_net_works_at_the_size_that_it_is_served_at() -> None:
    for name in ("baseline", "shipped", "finetune"):
        recipe = RECIPES[name]()
        assert recipe.generator.image_size / recipe.tone_scale == COARSE_PX / TONE_SCALE


def test_learning_rate_rises_then_falls_to_zero() -> None:
    schedule = Schedule(learning_rate=1.0, warmup_steps=9)
    rates = [learning_rate(schedule, step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == max(rates[8:11]) and rates[100] == pytest.approx(0)


def test_gradient_loss_sees_contrast_not_brightness() -> None:
    photo = torch.rand(1, 3, 32, 32)
    assert gradient_loss(photo + 0.1, photo) == pytest.approx(0, abs=1e-6)
    assert gradient_loss(photo * 1.2, photo) > 0.01


def test_structural_loss_is_that_of_torchmetrics_nearly() -> None:
    torch.manual_seed(0)
    photo = torch.rand(2, 3, 64, 64)
    noisy = photo + 0.1 * torch.randn_like(photo)
    assert structural_loss(photo, photo) == pytest.approx(0, abs=1e-6)
    assert float(structural_loss(noisy, photo)) == pytest.approx(1 - float(ssim(noisy, photo).mean()), abs=0.02)
