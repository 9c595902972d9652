"""The training loop: it learns, stops at any step, goes on to the bit, and never loses a checkpoint."""

import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lightning_fabric import Fabric

from pixels.metering import metering_exponent
from training import loop
from training.checkpoints import BEST, LATEST, load_checkpoint, save_checkpoint
from training.data.dataset import to_tensor
from training.data.pairs import read_pairs, read_photo, split_pairs
from training.errors import TrainingError
from training.losses import LossWeights, gradient_loss
from training.metrics import psnr
from training.networks.generator import Generator
from training.networks.weights import load_generator, save_generator
from training.recipes import RECIPES, Recipe, debug
from training.trainer import Trainer, learning_rate

SHORT = replace(debug(), epochs=3)


def run(jsonl: Path, folder: Path, recipe: Recipe = SHORT, **options: Path) -> None:
    folder.mkdir(exist_ok=True)
    fabric = Fabric(accelerator="cpu", devices=1)
    training, validation = split_pairs(read_pairs(jsonl))
    loop.train(fabric, recipe, loop.Run(folder, training, validation, **options))


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


def test_debug_recipe_beats_the_unedited_photo(pairs_jsonl: Path, tmp_path: Path) -> None:
    run(pairs_jsonl, tmp_path / "run", debug())
    _, (pair, *_) = split_pairs(read_pairs(pairs_jsonl))
    source, target = (to_tensor(read_photo(path))[None, :, :64, :64] for path in (pair.source, pair.target))
    state = load_checkpoint(tmp_path / "run" / LATEST)
    assert state["progress"]["best_psnr"] > float(psnr(source, target)) + 3
    assert state["progress"]["epoch"] == debug().epochs
    written = {path.name for path in (tmp_path / "run").iterdir()}
    assert {LATEST, BEST, "history.jsonl", "samples.jpg", "tensorboard"} <= written


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Press Ctrl-C while a step is computed."""
    original = Trainer.step

    def step_then_interrupt(trainer: Trainer, *arguments: object) -> object:
        if trainer.progress.step + 1 == step:
            signal.raise_signal(signal.SIGINT)
        return original(trainer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "step", step_then_interrupt)


def test_interrupted_run_goes_on_to_the_bit(pairs_jsonl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(pairs_jsonl, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt_at(patch, step=7)  # in the middle of the second epoch of 5 steps
        run(pairs_jsonl, tmp_path / "parts")
    stopped = load_checkpoint(tmp_path / "parts" / LATEST)
    assert (stopped["progress"]["step"], stopped["progress"]["epoch"], stopped["progress"]["batch"]) == (7, 1, 2)
    run(pairs_jsonl, tmp_path / "parts", resume=tmp_path / "parts" / LATEST)
    assert_same(*(load_checkpoint(tmp_path / name / LATEST) for name in ("whole", "parts")))


def test_full_disk_leaves_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint({"generator": {}, "progress": {"step": 1}}, tmp_path / LATEST)

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"No space left.*previous checkpoint is intact"):
        save_checkpoint({"generator": {}, "progress": {"step": 2}}, tmp_path / LATEST)
    assert load_checkpoint(tmp_path / LATEST)["progress"]["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [LATEST]


def test_checkpoints_of_another_run_are_refused(pairs_jsonl: Path, tmp_path: Path) -> None:
    run(pairs_jsonl, tmp_path / "run", replace(SHORT, epochs=1))
    latest = tmp_path / "run" / LATEST
    with pytest.raises(TrainingError, match="of width 4, the recipe 'debug' of 6"):
        run(pairs_jsonl, tmp_path / "other", replace(SHORT, width=6), resume=latest)
    plain = replace(SHORT, losses=LossWeights(adversarial=0, perceptual=0))
    run(pairs_jsonl, tmp_path / "plain", replace(plain, epochs=1))
    with pytest.raises(TrainingError, match="does not fit"):
        run(pairs_jsonl, tmp_path / "other", resume=tmp_path / "plain" / LATEST)
    with pytest.raises(TrainingError, match="no such checkpoint"):
        run(pairs_jsonl, tmp_path / "other", resume=tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(TrainingError, match="not a checkpoint"):
        run(pairs_jsonl, tmp_path / "other", resume=tmp_path / "text.pt")


def test_init_starts_from_given_weights_of_the_right_width(pairs_jsonl: Path, tmp_path: Path) -> None:
    torch.manual_seed(5)
    save_generator(Generator(4), tmp_path / "start.safetensors")
    still = replace(SHORT, epochs=1, learning_rate=0.0)
    run(pairs_jsonl, tmp_path / "run", still, init=tmp_path / "start.safetensors")
    paths = (tmp_path / "start.safetensors", tmp_path / "run" / BEST)
    start, end = (load_generator(path).state_dict() for path in paths)
    assert all(torch.allclose(start[name], end[name], atol=1e-6) for name in start)
    with pytest.raises(TrainingError, match="width 4, but the recipe 'debug' has width 8"):
        run(pairs_jsonl, tmp_path / "run", replace(still, width=8), init=tmp_path / "start.safetensors")


def test_u_net_alone_learns_for_the_whole_network(pairs_jsonl: Path, tmp_path: Path) -> None:
    """Photos of the U-Net's own size train it; the same weights edit photos at full resolution."""
    recipe = replace(debug(), tone_scale=1, losses=LossWeights(100, 10, 40, 0, 0))
    run(pairs_jsonl, tmp_path / "run", recipe)
    assert load_generator(tmp_path / "run" / BEST).refinement is None
    _, (pair, *_) = split_pairs(read_pairs(pairs_jsonl))
    tile, target = (to_tensor(read_photo(path))[None, :, :64, :64] for path in (pair.source, pair.target))
    exponent = torch.from_numpy(metering_exponent(tile[0].permute(1, 2, 0).numpy()))[None]
    with torch.inference_mode():
        edited = load_generator(tmp_path / "run" / BEST)(tile, exponent)
    assert psnr(edited.clamp(0, 1), target) > psnr(tile, target) + 3


def test_a_refinement_is_learned_from_weights_that_have_none(pairs_jsonl: Path, tmp_path: Path) -> None:
    save_generator(Generator(4, refines=False), tmp_path / "start.safetensors")
    run(pairs_jsonl, tmp_path / "run", replace(SHORT, epochs=1), init=tmp_path / "start.safetensors")
    refinement = load_generator(tmp_path / "run" / BEST).refinement
    assert refinement is not None and refinement.head.weight.any()


def test_perceptual_loss_without_weights_fails_before_any_work(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="--vgg"):
        run(pairs_jsonl, tmp_path / "run", RECIPES["baseline"]())
    assert list((tmp_path / "run").iterdir()) == []


def test_fewer_pairs_than_a_batch_are_refused(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"11 pairs .* fewer than one batch of 16 .*lower --batch-size"):
        run(pairs_jsonl, tmp_path / "run", replace(SHORT, batch_size=16))


def test_a_loss_that_is_not_a_number_stops_the_run(pairs_jsonl: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the (loss|validation) is (nan|inf|-inf) at step \d+: lower --lr"):
        run(pairs_jsonl, tmp_path / "run", replace(SHORT, learning_rate=1e30, epochs=8))
    assert not (tmp_path / "run" / LATEST).exists()


def test_baseline_recipe_is_the_classic_one() -> None:
    recipe = RECIPES["baseline"]()
    assert (recipe.learning_rate, recipe.batch_size, recipe.image_size, recipe.epochs) == (2e-4, 8, 512, 200)
    assert (recipe.losses.l1, recipe.losses.perceptual, recipe.losses.adversarial) == (100, 10, 1)
    assert {name: recipe().name for name, recipe in RECIPES.items()} == {name: name for name in RECIPES}


def test_learning_rate_rises_then_falls_to_zero() -> None:
    recipe = replace(debug(), learning_rate=1.0, warmup_steps=9)
    rates = [learning_rate(recipe, step, 100) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == max(rates[8:11]) and rates[100] == pytest.approx(0)


def test_gradient_loss_sees_contrast_not_brightness() -> None:
    photo = torch.rand(1, 3, 32, 32)
    assert gradient_loss(photo + 0.1, photo) == pytest.approx(0, abs=1e-6)
    assert gradient_loss(photo * 1.2, photo) > 0.01
