"""Recipes: a training run is a function that returns its whole configuration.

A run trains the generator on pairs, and then, where it is given rendered views, the refiner on crops of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from training.data.augmentation import Augmentation
from training.losses import LossWeights
from training.networks.generator import TONE_SCALE

WHOLE_PHOTOS = Augmentation(horizontal_flip=0.5, vertical_flip=0.1, rotation_deg=2.0)
"""The generator sees whole photos, and decides for the whole of them: nothing is cut out."""
CROPS = Augmentation(horizontal_flip=0.5, vertical_flip=0.5)
"""The refiner sees pixels as they are: nothing is resampled."""


@dataclass(frozen=True)
class Schedule:
    """How one network is trained."""

    image_size: int = 512
    """Side of what the network sees, in pixels; for the generator divisible by 16 times its tone_scale."""
    batch_size: int = 8
    """Items per step and process."""
    epochs: int = 200
    """Passes over the items."""
    learning_rate: float = 2e-4
    """Adam's, for the network and its discriminator; falls to zero along a cosine."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises to its value."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's memory of gradients and of their squares."""
    losses: LossWeights = field(default_factory=LossWeights)
    """Factor of each loss."""
    augmentation: Augmentation = WHOLE_PHOTOS
    """How items are varied."""
    ema_decay: float = 0.999
    """Memory of the averaged weights, which are what is validated and kept."""
    gradient_clip: float = 20.0
    """Largest norm of a step's gradient."""


CORRECTION = Schedule(
    image_size=256,
    batch_size=4,
    epochs=4,
    learning_rate=1e-3,
    warmup_steps=100,
    betas=(0.9, 0.99),
    losses=LossWeights(l1=100, gradient=25, structural=20, perceptual=0, adversarial=0),
    augmentation=CROPS,
    ema_decay=0.998,
)
"""How a refiner is trained, whatever the generator's recipe: its work is the same for every style."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, but for the data."""

    name: str
    """For the records."""
    width: int = 16
    """Channels of the generator's U-Net at its finest level."""
    tone_scale: int = TONE_SCALE
    """How many times finer the photo is than the curves. The U-Net always works at the size that it is served at; a
    photo of half the size at half the scale is cheaper to learn from."""
    generator: Schedule = field(default_factory=Schedule)
    """How the generator is trained."""
    refiner: Schedule = CORRECTION
    """How the refiner is trained."""
    crops: int = 3000
    """Number of crops that the refiner learns from; a tenth of it decides which weights are kept."""
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
    """The recipe of the tracked weights: thousands of pairs at half the size; no discriminator, no VGG."""
    generator = Schedule(
        image_size=256,
        augmentation=replace(WHOLE_PHOTOS, cast=0.05),
        batch_size=8,
        epochs=8,
        learning_rate=8e-4,
        warmup_steps=200,
        betas=(0.9, 0.99),
        losses=LossWeights(l1=100, gradient=50, structural=40, perceptual=0, adversarial=0),
        ema_decay=0.995,
    )
    return Recipe(name="shipped", tone_scale=2, generator=generator)


def finetune() -> Recipe:
    """From the shipped weights (--init) to a studio's style, with tens to hundreds of pairs."""
    generator = Schedule(
        image_size=256,
        epochs=60,
        learning_rate=3e-4,
        warmup_steps=20,
        betas=(0.9, 0.99),
        losses=LossWeights(l1=100, gradient=50, perceptual=0, adversarial=0),
        ema_decay=0.99,
    )
    return Recipe(name="finetune", tone_scale=2, generator=generator)


def debug() -> Recipe:
    """Seconds on a CPU: every part runs (but for VGG, whose weights are a download), nothing is good."""
    generator = Schedule(
        image_size=64,
        batch_size=2,
        epochs=8,
        learning_rate=3e-3,
        losses=LossWeights(l1=100, gradient=10, perceptual=0, adversarial=0.1),
        ema_decay=0.8,
    )
    refiner = replace(CORRECTION, image_size=32, batch_size=2, epochs=2, warmup_steps=0)
    return Recipe(name="debug", width=4, generator=generator, refiner=refiner, crops=20, precision="32-true", workers=0)


RECIPES: dict[str, Callable[[], Recipe]] = {recipe.__name__: recipe for recipe in (baseline, shipped, finetune, debug)}
