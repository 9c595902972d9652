"""The training loop: epochs around steps, validation, records, checkpoints, and a clean stop at any step."""

import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from lightning_fabric import Fabric
from torch import nn
from tqdm import tqdm

from training.checkpoints import LATEST, load_checkpoint, save_checkpoint
from training.data.dataset import EpochSampler, PairDataset, load_batches
from training.errors import TrainingError
from training.networks.vgg import PerceptualDistance
from training.recipes import Recipe, Schedule
from training.run_logger import RunLogger
from training.trainer import Trainer

RECORD_STEPS = 20  # steps between points of the loss curves

Keep = Callable[[nn.Module, float], None]


@dataclass(frozen=True)
class Task:
    """One network to train: what on, how and where."""

    network: nn.Module
    """From photos, float [N, 3, H, W] each, to an edited one; where to start from."""
    schedule: Schedule
    """How."""
    training: PairDataset
    """What to learn from."""
    validation: PairDataset
    """What decides which weights are kept."""
    folder: Path
    """Checkpoint, curves and samples."""
    keep: Keep
    """Called with the averaged network and its score in dB, whenever that is the best so far."""
    perceptual: PerceptualDistance | None = None
    """VGG distance; needed where the schedule weighs it."""


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


def fit(fabric: Fabric, recipe: Recipe, task: Task, resume: bool, interruption: Interruption) -> None:
    """Train to the end of the schedule, or until interrupted; both leave latest.pt and the best network.

    Raises:
        TrainingError: data or a checkpoint that cannot be used.
    """
    if len(task.training) // fabric.world_size < task.schedule.batch_size:
        raise TrainingError(
            f"{len(task.training)} pairs to train on are fewer than one batch of {task.schedule.batch_size} for each "
            f"of {fabric.world_size} processes; lower --batch-size, or add pairs"
        )
    trainer = Trainer(fabric, task.schedule, task.network, task.perceptual)
    if resume:
        trainer.load_state(load_checkpoint(task.folder / LATEST))
    task.folder.mkdir(parents=True, exist_ok=True)
    logger = RunLogger(task.folder, fabric.is_global_zero)
    with interruption.watched():
        while trainer.progress.epoch < task.schedule.epochs and not interruption.requested:
            train_epoch(trainer, recipe, task, logger, interruption)
            if not interruption.requested:
                finish_epoch(trainer, task, logger)
            save(trainer, task.folder)
    logger.close()


def train_epoch(trainer: Trainer, recipe: Recipe, task: Task, logger: RunLogger, interruption: Interruption) -> None:
    """The rest of an epoch, or as much as there is time for."""
    fabric, schedule, progress = trainer.fabric, task.schedule, trainer.progress
    sampler = EpochSampler(
        len(task.training),
        progress.epoch,
        recipe.seed,
        fabric.global_rank,
        fabric.world_size,
        skip=progress.batch * schedule.batch_size,
    )
    workers = min(recipe.workers, (os.cpu_count() or 1) - 1)
    batches = load_batches(task.training, sampler, schedule.batch_size, workers)
    steps = progress.batch + len(batches)
    bar = tqdm(
        fabric.setup_dataloaders(batches, use_distributed_sampler=False),
        desc=f"{task.folder.name}, epoch {progress.epoch + 1}/{schedule.epochs}",
        total=steps,
        initial=progress.batch,
        disable=not fabric.is_global_zero,
        mininterval=1.0,
    )
    for batch in bar:
        losses = trainer.step(batch, steps * schedule.epochs)
        progress.batch += 1
        if progress.step % RECORD_STEPS == 0:
            values = {name: float(value) for name, value in losses.items()}
            check_finite("loss", values["total"], progress.step)
            logger.losses(progress.step, values)
            speed = schedule.batch_size * fabric.world_size * (bar.format_dict["rate"] or 0)
            bar.set_postfix({"loss": f"{values['total']:.2f}", "images/s": f"{speed:.1f}"})
        if interruption.requested:
            return
    progress.epoch, progress.batch = progress.epoch + 1, 0


def finish_epoch(trainer: Trainer, task: Task, logger: RunLogger) -> None:
    """Validate the averaged weights, and keep them where they are the best so far."""
    score, samples = trainer.validate(task.validation)
    progress = trainer.progress
    check_finite("validation", score, progress.step)
    logger.epoch(progress.epoch, {"step": progress.step, "psnr_db": score}, samples)
    if score > progress.best_psnr:
        progress.best_psnr = score
        if trainer.fabric.is_global_zero:
            task.keep(trainer.average.module, score)
    name = task.folder.name
    trainer.fabric.print(f"{name}, epoch {progress.epoch}: validation {score:.2f} dB, best {progress.best_psnr:.2f} dB")


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
