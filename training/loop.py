"""The training loop: epochs around steps, validation, records, checkpoints, and a clean stop at any step."""

import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lightning_fabric import Fabric
from tqdm import tqdm

from training.checkpoints import BEST, LATEST, load_checkpoint, save_checkpoint
from training.data.augmentation import Augmentation
from training.data.cache import cached_squares
from training.data.dataset import EpochSampler, PairDataset, load_batches
from training.data.pairs import Pair
from training.errors import TrainingError
from training.journal import Journal
from training.networks.generator import Generator
from training.networks.vgg import load_perceptual_distance
from training.networks.weights import load_for_training, save_generator
from training.recipes import Recipe
from training.trainer import Trainer

RECORD_STEPS = 20  # steps between points of the loss curves


@dataclass(frozen=True)
class Run:
    """What a run works on and where; the recipe says how."""

    folder: Path
    """Checkpoints, curves, samples and cache."""
    training_pairs: list[Pair]
    """Pairs to learn from."""
    validation_pairs: list[Pair]
    """Pairs that decide which weights are kept."""
    resume: Path | None = None
    """An earlier run's latest.pt, to go on from."""
    init: Path | None = None
    """Weights of a generator to start from, as a new run."""
    vgg: Path | None = None
    """VGG-19's weights, for recipes with the perceptual loss."""


def train(fabric: Fabric, recipe: Recipe, run: Run) -> None:
    """Train to the end of the recipe, or until interrupted; both leave latest.pt and the best generator.

    Raises:
        TrainingError: pairs, checkpoint or weights that cannot be used.
    """
    perceptual = load_perceptual_distance(run.vgg) if recipe.losses.perceptual else None
    trainer = Trainer(fabric, recipe, starting_generator(fabric, recipe, run), perceptual)
    if run.resume:
        trainer.load_state(load_checkpoint(run.resume))
    with fabric.rank_zero_first():  # the others find the cache ready
        training = dataset_of(run.training_pairs, recipe, recipe.augmentation, run.folder)
        validation = dataset_of(run.validation_pairs, recipe, Augmentation(), run.folder)
    if len(training) // fabric.world_size < recipe.batch_size:
        raise TrainingError(
            f"{len(training)} pairs to train on are fewer than one batch of {recipe.batch_size} for each of "
            f"{fabric.world_size} processes; lower --batch-size, or add pairs"
        )
    journal = Journal(run.folder, fabric.is_global_zero)
    interruption = Interruption()
    with interruption.watched():
        while trainer.progress.epoch < recipe.epochs and not interruption.requested:
            train_epoch(trainer, training, journal, interruption)
            if not interruption.requested:
                finish_epoch(trainer, validation, journal, run.folder)
            save(trainer, run.folder)
    journal.close()


class Interruption:
    """Becomes true on Ctrl-C or a termination signal; the step at hand is finished first."""

    def __init__(self) -> None:
        self.requested = False

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within, signals set the flag instead of ending the process; a second Ctrl-C ends it."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            signal.signal(number, self._request)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def dataset_of(pairs: list[Pair], recipe: Recipe, augmentation: Augmentation, folder: Path) -> PairDataset:
    """Decoded pairs, varied by the augmentation."""
    squares = cached_squares(pairs, round(recipe.cache_scale * recipe.image_size), folder / "cache")
    return PairDataset(squares, recipe.image_size, augmentation, recipe.seed)


def starting_generator(fabric: Fabric, recipe: Recipe, run: Run) -> Generator:
    """Trained weights, or the recipe's seed; alike on all processes."""
    fabric.seed_everything(recipe.seed, verbose=False)
    if run.init is None:
        return Generator(recipe.width, recipe.tone_scale)
    generator = load_for_training(run.init, recipe.tone_scale)
    if generator.width != recipe.width:
        raise TrainingError(
            f"{run.init}: a generator of width {generator.width}, but the recipe '{recipe.name}' has width "
            f"{recipe.width}; start from weights of that width, or leave --init out"
        )
    return generator


def train_epoch(trainer: Trainer, dataset: PairDataset, journal: Journal, interruption: Interruption) -> None:
    """The rest of an epoch, or as much as there is time for."""
    fabric, recipe, progress = trainer.fabric, trainer.recipe, trainer.progress
    sampler = EpochSampler(
        len(dataset),
        progress.epoch,
        recipe.seed,
        fabric.global_rank,
        fabric.world_size,
        skip=progress.batch * recipe.batch_size,
    )
    workers = min(recipe.workers, (os.cpu_count() or 1) - 1)
    batches = load_batches(dataset, sampler, recipe.batch_size, workers)
    steps = progress.batch + len(batches)
    bar = tqdm(
        fabric.setup_dataloaders(batches, use_distributed_sampler=False),
        desc=f"epoch {progress.epoch + 1}/{recipe.epochs}",
        total=steps,
        initial=progress.batch,
        disable=not fabric.is_global_zero,
        mininterval=1.0,
    )
    for batch in bar:
        losses = trainer.step(batch, steps * recipe.epochs)
        progress.batch += 1
        if progress.step % RECORD_STEPS == 0:
            values = {name: float(value) for name, value in losses.items()}
            check_finite("loss", values["total"], progress.step)
            journal.losses(progress.step, values)
            speed = recipe.batch_size * fabric.world_size * (bar.format_dict["rate"] or 0)
            bar.set_postfix({"loss": f"{values['total']:.2f}", "images/s": f"{speed:.1f}"})
        if interruption.requested:
            return
    progress.epoch, progress.batch = progress.epoch + 1, 0


def finish_epoch(trainer: Trainer, validation: PairDataset, journal: Journal, folder: Path) -> None:
    """Validate the averaged weights, and keep them where they are the best so far."""
    score, samples = trainer.validate(validation)
    progress = trainer.progress
    check_finite("validation", score, progress.step)
    journal.epoch(progress.epoch, {"step": progress.step, "psnr_db": score}, samples)
    if score > progress.best_psnr:
        progress.best_psnr = score
        if trainer.fabric.is_global_zero:
            metadata = {"recipe": trainer.recipe.name, "validation_psnr_db": f"{score:.2f}"}
            save_generator(trainer.averaged_generator, folder / BEST, metadata)
    trainer.fabric.print(f"epoch {progress.epoch}: validation {score:.2f} dB, best {progress.best_psnr:.2f} dB")


def check_finite(name: str, value: float, step: int) -> None:
    """Stop before weights that are not numbers replace the last good checkpoint."""
    if not math.isfinite(value):
        raise TrainingError(
            f"the {name} is {value} at step {step}: lower --lr and go on from {LATEST}, if there is one"
        )


def save(trainer: Trainer, folder: Path) -> None:
    """Write latest.pt, by the first process."""
    if trainer.fabric.is_global_zero:
        save_checkpoint(trainer.state(), folder / LATEST)
    trainer.fabric.barrier()
