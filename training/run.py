"""A run: trains the generator on pairs, then the refiner on crops that this generator edits.

Its folder ends with generator.safetensors and refiner.safetensors, whatever was trained: where there are no views
to cut crops from, the refiner is the one that the run started from, since noise and compression are the same in every
style.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from lightning_fabric import Fabric
from torch import nn

from serving.versions import NETWORKS, weights_name
from training.checkpoints import LATEST
from training.data.augmentation import Augmentation
from training.data.cache import cached_squares
from training.data.dataset import PairDataset
from training.data.opened import cached_crops
from training.data.pairs import Pair
from training.errors import TrainingError
from training.loop import Interruption, Task, fit
from training.networks.curves import CurveEdit
from training.networks.generator import Generator
from training.networks.refiner import Refiner
from training.networks.vgg import load_perceptual_distance
from training.networks.weights import load_generator, load_refiner, save_weights
from training.recipes import Recipe

GENERATOR, REFINER = map(weights_name, NETWORKS)
Item = TypeVar("Item")
Split = tuple[Sequence[Item], Sequence[Item]]  # to learn from, and to decide which weights are kept


@dataclass(frozen=True)
class Run:
    """What a run works on and where; the recipe says how."""

    folder: Path
    """Weights, checkpoints, curves, samples and cache."""
    pairs: Split[Pair]
    """Photos and their edits."""
    views: Split[Path] | None = None
    """Rendered rooms (.hdr), that the refiner's crops are cut from."""
    resume: bool = False
    """Whether to go on where an earlier run in this folder stopped."""
    init: Path | None = None
    """Folder of weights to start from, as a new run."""
    vgg: Path | None = None
    """VGG-19's weights, for recipes with the perceptual loss."""


def train(fabric: Fabric, recipe: Recipe, run: Run) -> bool:
    """Train both networks, or go on until interrupted.

    Returns:
        Whether the run came to its end.

    Raises:
        TrainingError: pairs, checkpoint or weights that cannot be used.
    """
    interruption = Interruption()
    generator_task = task_of_generator(fabric, recipe, run)
    fit(fabric, recipe, generator_task, run.resume, interruption)
    if interruption.requested:
        return False
    if run.views is None:
        if fabric.is_global_zero:
            save_weights(starting_refiner(run), run.folder / REFINER)
        return True
    refiner_task = task_of_refiner(fabric, recipe, run, run.views)
    resume = run.resume and (refiner_task.folder / LATEST).exists()
    fit(fabric, recipe, refiner_task, resume, interruption)
    return not interruption.requested


def task_of_generator(fabric: Fabric, recipe: Recipe, run: Run) -> Task:
    """The first half of a run."""
    schedule = recipe.generator
    perceptual = load_perceptual_distance(run.vgg) if schedule.losses.perceptual else None
    fabric.seed_everything(recipe.seed, verbose=False)
    generator = starting_generator(recipe, run)

    def keep(edit: nn.Module, score: float) -> None:
        save_weights(cast(Generator, edit.generator), run.folder / GENERATOR, record(recipe, score))

    with fabric.rank_zero_first():  # the others find the cache ready
        training, validation = (
            PairDataset(
                cached_squares(pairs, schedule.image_size, run.folder / "cache"),
                schedule.image_size,
                augmentation,
                recipe.seed,
            )
            for pairs, augmentation in zip(run.pairs, (schedule.augmentation, Augmentation()), strict=True)
        )
    return Task(CurveEdit(generator), schedule, training, validation, run.folder / "generator", keep, perceptual)


def task_of_refiner(fabric: Fabric, recipe: Recipe, run: Run, views: Split[Path]) -> Task:
    """The second half, with the generator that the first has kept."""
    schedule = recipe.refiner
    generator = load_generator(run.folder / GENERATOR)
    fabric.seed_everything(recipe.seed, verbose=False)

    def keep(refiner: nn.Module, score: float) -> None:
        save_weights(cast(Refiner, refiner), run.folder / REFINER, record(recipe, score))

    with fabric.rank_zero_first():
        training, validation = (
            PairDataset(
                cached_crops(part, generator, count, schedule.image_size, run.folder / "cache"),
                schedule.image_size,
                augmentation,
                recipe.seed,
            )
            for part, count, augmentation in zip(
                views, (recipe.crops, recipe.crops // 10), (schedule.augmentation, Augmentation()), strict=True
            )
        )
    return Task(starting_refiner(run), schedule, training, validation, run.folder / "refiner", keep)


def record(recipe: Recipe, score: float) -> dict[str, str]:
    """What a file of weights says of itself."""
    return {"recipe": recipe.name, "validation_psnr_db": f"{score:.2f}"}


def starting_generator(recipe: Recipe, run: Run) -> Generator:
    """Trained weights, or the recipe's seed; alike on all processes."""
    if run.init is None:
        return Generator(recipe.width, recipe.tone_scale)
    path = run.init / GENERATOR
    generator = load_generator(path, recipe.tone_scale)
    if generator.width != recipe.width:
        raise TrainingError(
            f"{path}: a generator of width {generator.width}, but the recipe '{recipe.name}' has width "
            f"{recipe.width}; start from weights of that width, or leave --init out"
        )
    return generator


def starting_refiner(run: Run) -> Refiner:
    """Trained weights, or a refiner that changes nothing."""
    return Refiner() if run.init is None else load_refiner(run.init / REFINER)
