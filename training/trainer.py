"""A generator in training: its state, one step, one validation.

All that decides the next step is in the state, so a run goes on from it bit by bit as if it had never stopped.
"""

import math
from dataclasses import dataclass
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.data.dataset import Batch, PairDataset
from training.errors import TrainingError
from training.losses import adversarial_loss, critic_loss, gradient_loss, structural_loss
from training.metrics import psnr
from training.networks.critic import PatchCritic
from training.networks.generator import Generator
from training.networks.vgg import PerceptualDistance
from training.recipes import Recipe

SAMPLES = 4  # photos in a grid


@dataclass
class Progress:
    """Where a run stands."""

    epoch: int = 0
    """Epochs completed."""
    batch: int = 0
    """Batches of the current epoch completed."""
    step: int = 0
    """Steps altogether."""
    best_psnr: float = -math.inf
    """Best validation score so far, in dB."""


def learning_rate(recipe: Recipe, step: int, total_steps: int) -> float:
    """Rises over the warm-up, then falls to zero along half a cosine."""
    warmup = min(1.0, (step + 1) / (recipe.warmup_steps + 1))
    return recipe.learning_rate * warmup * (1 + math.cos(math.pi * step / max(total_steps, 1))) / 2


class Trainer:
    """A generator in training, with its critic, optimizers and averaged weights.

    Args:
        fabric: launched; decides devices, processes and precision.
        recipe: the configuration.
        generator: where to start from.
        perceptual: VGG distance; needed where the recipe weighs it.
    """

    def __init__(
        self, fabric: Fabric, recipe: Recipe, generator: Generator, perceptual: PerceptualDistance | None = None
    ) -> None:
        self.fabric, self.recipe = fabric, recipe
        self.progress = Progress()
        generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # several times faster on CPUs
        adam = torch.optim.Adam(generator.parameters(), recipe.learning_rate, recipe.betas)
        self.generator, self.adam = fabric.setup(generator, adam)
        self.average = AveragedModel(generator, avg_fn=self._average)
        self.average.to(fabric.device)
        self.perceptual = None if perceptual is None else perceptual.to(fabric.device)
        if recipe.losses.adversarial:
            critic = PatchCritic()
            critic_adam = torch.optim.Adam(critic.parameters(), recipe.learning_rate, recipe.betas)
            self.critic, self.critic_adam = fabric.setup(critic, critic_adam)

    def _average(self, average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """Exponential average, with a short memory at first: early weights must not weigh on it for an epoch."""
        decay = min(self.recipe.ema_decay, (1 + int(count)) / (10 + int(count)))
        return average.lerp(current, 1 - decay)

    @property
    def averaged_generator(self) -> Generator:
        """The generator with averaged weights: what is validated and kept."""
        return cast(Generator, self.average.module)

    def state(self) -> dict[str, Any]:
        """All that decides the next step."""
        state = {
            "recipe": self.recipe.name,
            "width": self.recipe.width,
            "progress": vars(self.progress).copy(),
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
        }
        if self.recipe.losses.adversarial:
            state |= {"critic": self.critic.state_dict(), "critic_adam": self.critic_adam.state_dict()}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state.

        Raises:
            TrainingError: it belongs to a network of another width, or to a recipe with other parts.
        """
        if state["width"] != self.recipe.width:
            raise TrainingError(
                f"the checkpoint is of width {state['width']}, the recipe '{self.recipe.name}' of {self.recipe.width}; "
                "resume with the recipe that began the run"
            )
        try:
            for name in self.state().keys() - {"recipe", "width", "progress"}:
                getattr(self, name).load_state_dict(state[name])
        except (KeyError, RuntimeError, ValueError) as error:
            raise TrainingError(
                f"the checkpoint of recipe '{state['recipe']}' does not fit '{self.recipe.name}' ({error}); "
                "resume with the recipe that began the run"
            ) from None
        self.progress = Progress(**state["progress"])

    def step(self, batch: Batch, total_steps: int) -> dict[str, Tensor]:
        """Learn from one batch; returns the losses."""
        tile, target, exponent = batch
        tile = tile.to(memory_format=torch.channels_last)
        rate = learning_rate(self.recipe, self.progress.step, total_steps)
        edited = self.generator(tile, exponent).float()
        judged = {}
        if self.recipe.losses.adversarial:
            judged["critic"] = self._step_critic(tile, edited.detach(), target, rate)
        losses = self._generator_losses(tile, edited, target)
        total = torch.stack([getattr(self.recipe.losses, name) * value for name, value in losses.items()]).sum()
        self._descend(total, self.generator, self.adam, rate)
        self.average.update_parameters(self.generator.module)
        self.progress.step += 1
        return {name: value.detach() for name, value in (losses | judged | {"total": total}).items()}

    def _generator_losses(self, tile: Tensor, edited: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Terms that the recipe weighs, by their names in LossWeights."""
        weights = self.recipe.losses
        losses = {"l1": (edited - target).abs().mean()}
        if weights.gradient:
            losses["gradient"] = gradient_loss(edited, target)
        if weights.structural:
            losses["structural"] = structural_loss(edited, target)
        if self.perceptual is not None and weights.perceptual:
            losses["perceptual"] = self.perceptual(edited, target)
        if weights.adversarial:
            losses["adversarial"] = adversarial_loss(self.critic(tile, edited))
        return losses

    def _step_critic(self, tile: Tensor, edited: Tensor, target: Tensor, rate: float) -> Tensor:
        """Teach the critic to tell targets from edits."""
        loss = critic_loss(self.critic(tile, target), self.critic(tile, edited))
        self._descend(loss, self.critic, self.critic_adam, rate)
        return loss

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer, rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        self.fabric.backward(loss)
        self.fabric.clip_gradients(network, optimizer, max_norm=self.recipe.gradient_clip, error_if_nonfinite=False)
        optimizer.step()

    @torch.inference_mode()
    def validate(self, dataset: PairDataset) -> tuple[float, Tensor]:
        """Mean PSNR in dB of the averaged generator on whole photos, and samples [rows, 3, 3, H, W]."""
        scores, samples = [], []
        for index in range(len(dataset)):
            tile, target, exponent = (x[None].to(self.fabric.device) for x in dataset[0, index])
            edited = self.averaged_generator(tile.to(memory_format=torch.channels_last), exponent)
            scores.append(float(psnr(edited.clamp(0, 1), target)))
            if index < SAMPLES:
                samples.append(torch.cat((tile, edited, target)))
        return sum(scores) / len(scores), torch.stack(samples)
