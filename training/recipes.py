"""Recipes: a training run is a function that returns its whole configuration."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from training.data.augmentation import Augmentation
from training.losses import LossWeights
from training.networks.generator import TONE_SCALE

STUDIO_AUGMENTATION = Augmentation(
    horizontal_flip=0.5, vertical_flip=0.1, rotation_deg=5.0, crop=0.4, smallest_crop=0.5
)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, but for the pairs."""

    name: str
    """For the records."""
    width: int = 16
    """Channels of the generator at full resolution."""
    tone_scale: int = TONE_SCALE
    """How many times finer the photo is than the U-Net; at 1 the U-Net learns alone, on photos of its own size."""
    image_size: int = 512
    """Side of the tiles, in pixels; divisible by 64."""
    cache_scale: float = 1.5
    """Side of the decoded photos that tiles are cut from, in tiles; above 1, crops are sharp."""
    batch_size: int = 8
    """Pairs per step and process."""
    epochs: int = 200
    """Passes over the pairs."""
    learning_rate: float = 2e-4
    """Adam's, for generator and critic; falls to zero along a cosine."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises to its value."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's memory of gradients and of their squares."""
    losses: LossWeights = field(default_factory=LossWeights)
    """Factor of each loss."""
    augmentation: Augmentation = STUDIO_AUGMENTATION
    """How pairs are varied."""
    ema_decay: float = 0.999
    """Memory of the averaged weights, which are what is validated and kept."""
    gradient_clip: float = 20.0
    """Largest norm of a step's gradient."""
    precision: str = "bf16-mixed"
    """Lightning Fabric's name of the arithmetic."""
    workers: int = 4
    """Most processes that prepare batches; one fewer than there are cores."""
    seed: int = 0
    """Of the weights and all random choices."""


def baseline() -> Recipe:
    """The classic paired recipe: L1, perceptual and adversarial losses, 200 epochs of 512 px."""
    return Recipe(name="baseline")


def shipped() -> Recipe:
    """The recipe of the tracked weights: the U-Net alone learns tone from thousands of pairs; no critic, no VGG."""
    return Recipe(
        name="shipped",
        tone_scale=1,
        image_size=128,
        augmentation=replace(STUDIO_AUGMENTATION, cast=0.25),
        batch_size=16,
        epochs=8,
        learning_rate=1e-3,
        warmup_steps=200,
        betas=(0.9, 0.99),
        losses=LossWeights(l1=100, gradient=50, structural=40, perceptual=0, adversarial=0),
        ema_decay=0.995,
    )


def finetune() -> Recipe:
    """From the shipped weights (--init) to a studio's style, with tens to hundreds of pairs."""
    return Recipe(
        name="finetune",
        epochs=60,
        learning_rate=3e-4,
        warmup_steps=20,
        betas=(0.9, 0.99),
        losses=LossWeights(l1=100, gradient=50, perceptual=0, adversarial=0),
        ema_decay=0.99,
    )


def debug() -> Recipe:
    """Seconds on a CPU: every part runs (but for VGG, whose weights are a download), nothing is good."""
    return Recipe(
        name="debug",
        width=4,
        image_size=64,
        batch_size=2,
        epochs=8,
        learning_rate=3e-3,
        losses=LossWeights(l1=100, gradient=10, perceptual=0, adversarial=0.1),
        ema_decay=0.8,
        precision="32-true",
        workers=0,
    )


RECIPES: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in (baseline, shipped, finetune, debug)}
