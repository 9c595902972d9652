"""A network in training: its state, one step, one validation.

All that decides the next step is in the state, so a run goes on from it bit by bit as if it had never stopped.
"""

import math
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from pixels.difference import decibels, error
from training.data.dataset import Batch, PairDataset
from training.errors import TrainingError
from training.losses import adversarial_loss, discriminator_loss, gradient_loss, structural_loss
from training.networks.discriminator import PatchDiscriminator
from training.networks.vgg import PerceptualDistance
from training.recipes import Schedule

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


def learning_rate(schedule: Schedule, step: int, total_steps: int) -> float:
    """Rises over the warm-up, then falls to zero along half a cosine."""
    warmup = min(1.0, (step + 1) / (schedule.warmup_steps + 1))
    return schedule.learning_rate * warmup * (1 + math.cos(math.pi * step / max(total_steps, 1))) / 2


class Trainer:
    """A network in training, with its discriminator, optimizers and averaged weights.

    Args:
        fabric: launched; decides devices, processes and precision.
        schedule: the configuration.
        network: from photos, float [N, 3, H, W] each, to an edited one; where to start from.
        perceptual: VGG distance; needed where the schedule weighs it.
    """

    def __init__(
        self, fabric: Fabric, schedule: Schedule, network: nn.Module, perceptual: PerceptualDistance | None = None
    ) -> None:
        self.fabric, self.schedule = fabric, schedule
        self.progress = Progress()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # several times faster on CPUs
        adam = torch.optim.Adam(network.parameters(), schedule.learning_rate, schedule.betas)
        self.network, self.adam = fabric.setup(network, adam)
        self.average = AveragedModel(network, avg_fn=self._average)
        self.average.to(fabric.device)
        self.perceptual = None if perceptual is None else perceptual.to(fabric.device)
        if schedule.losses.adversarial:
            discriminator = PatchDiscriminator()
            discriminator_adam = torch.optim.Adam(discriminator.parameters(), schedule.learning_rate, schedule.betas)
            self.discriminator, self.discriminator_adam = fabric.setup(discriminator, discriminator_adam)

    def _average(self, average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        """Exponential average, with a short memory at first: early weights must not weigh on it for an epoch."""
        decay = min(self.schedule.ema_decay, (1 + int(count)) / (10 + int(count)))
        return average.lerp(current, 1 - decay)

    def state(self) -> dict[str, Any]:
        """All that decides the next step."""
        state = {
            "progress": vars(self.progress).copy(),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
        }
        if self.schedule.losses.adversarial:
            state |= {
                "discriminator": self.discriminator.state_dict(),
                "discriminator_adam": self.discriminator_adam.state_dict(),
            }
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from an earlier state.

        Raises:
            TrainingError: it belongs to a network of another width, or to a recipe with other parts.
        """
        try:
            for name in self.state().keys() - {"progress"}:
                getattr(self, name).load_state_dict(state[name])
        except (KeyError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise TrainingError(
                f"the checkpoint does not fit the recipe ({reason}); resume with the recipe that began the run"
            ) from None
        self.progress = Progress(**state["progress"])

    def step(self, batch: Batch, total_steps: int) -> dict[str, Tensor]:
        """Learn from one batch; returns the losses."""
        *photos, target = batch
        rate = learning_rate(self.schedule, self.progress.step, total_steps)
        edited = self.network(*photos).float()
        judged = {}
        if self.schedule.losses.adversarial:
            judged["discriminator"] = self._step_discriminator(photos[0], edited.detach(), target, rate)
        losses = self._losses(photos[0], edited, target)
        total = torch.stack([getattr(self.schedule.losses, name) * value for name, value in losses.items()]).sum()
        self._descend(total, self.network, self.adam, rate)
        self.average.update_parameters(self.network.module)
        self.progress.step += 1
        return {name: value.detach() for name, value in (losses | judged | {"total": total}).items()}

    def _losses(self, photo: Tensor, edited: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Terms that the schedule weighs, by their names in LossWeights."""
        weights = self.schedule.losses
        losses = {"l1": (edited - target).abs().mean()}
        if weights.gradient:
            losses["gradient"] = gradient_loss(edited, target)
        if weights.structural:
            losses["structural"] = structural_loss(edited, target)
        if self.perceptual is not None and weights.perceptual:
            losses["perceptual"] = self.perceptual(edited, target)
        if weights.adversarial:
            losses["adversarial"] = adversarial_loss(self.discriminator(photo, edited))
        return losses

    def _step_discriminator(self, photo: Tensor, edited: Tensor, target: Tensor, rate: float) -> Tensor:
        """Teach the discriminator to tell targets from edits."""
        loss = discriminator_loss(self.discriminator(photo, target), self.discriminator(photo, edited))
        self._descend(loss, self.discriminator, self.discriminator_adam, rate)
        return loss

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Optimizer, rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        self.fabric.backward(loss)
        self.fabric.clip_gradients(network, optimizer, max_norm=self.schedule.gradient_clip, error_if_nonfinite=False)
        optimizer.step()

    @torch.inference_mode()
    def validate(self, dataset: PairDataset) -> tuple[float, Tensor]:
        """PSNR in dB of the averaged network over all items together, and samples [rows, columns, 3, H, W].

        A mean of each item's PSNR would be decided by the crops without any defect, where leaving alone is the best.
        """
        errors, samples = [], []
        for index in range(len(dataset)):
            *photos, target = (x[None].to(self.fabric.device) for x in dataset[0, index])
            edited = self.average(*photos)
            errors.append(float((error(edited.clamp(0, 1).cpu().numpy(), target.cpu().numpy()) ** 2).mean()))
            if index < SAMPLES:
                samples.append(torch.cat((*photos, edited, target)))
        return decibels(fmean(errors)), torch.stack(samples)
