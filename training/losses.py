"""Losses: each term a function of the edit and the target."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

GRADIENT_SCALES = 4
SSIM_WINDOW_PX, SSIM_STRIDE_PX = 7, 2  # scikit-image's window, at every other place: a quarter of the work
SSIM_STABILISERS = (0.01**2, 0.03**2)  # Wang et al.'s


@dataclass(frozen=True)
class LossWeights:
    """Factor of each term; 0 leaves the term out, and its network is then never made."""

    l1: float = 100.0
    """Mean absolute difference of display values."""
    gradient: float = 0.0
    """Mean absolute difference of slopes at four scales: contrast, edges and halos. Needs no weights."""
    structural: float = 0.0
    """One minus structural similarity: local contrast, whatever the brightness. Needs no weights."""
    perceptual: float = 10.0
    """Distance of VGG-19 features; needs --vgg."""
    adversarial: float = 1.0
    """The discriminator's judgement."""


def gradient_loss(edited: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of horizontal and vertical slopes, at full, half, quarter and eighth resolution.

    Args:
        edited: float [N, 3, H, W].
        target: the same shape.

    Returns:
        A scalar; 0 where the two differ by a constant.
    """
    difference = edited - target  # slopes and averages are linear: one difference serves all scales
    total = difference.new_zeros(())
    for scale in range(GRADIENT_SCALES):
        if scale:
            difference = F.avg_pool2d(difference, 2)
        total = total + difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()
    return total


def structural_loss(edited: Tensor, target: Tensor) -> Tensor:
    """One minus the mean structural similarity (Wang et al., 2004) of two float [N, 3, H, W] in about [0, 1]."""
    small_mean, small_variance = SSIM_STABILISERS
    mean_e, mean_t, square_e, square_t, product = (
        F.avg_pool2d(x, SSIM_WINDOW_PX, SSIM_STRIDE_PX)
        for x in (edited, target, edited * edited, target * target, edited * target)
    )
    covariance = product - mean_e * mean_t
    variances = square_e - mean_e * mean_e + square_t - mean_t * mean_t
    likeness = (2 * mean_e * mean_t + small_mean) / (mean_e * mean_e + mean_t * mean_t + small_mean)
    likeness = likeness * (2 * covariance + small_variance) / (variances + small_variance)
    return 1 - likeness.mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Least squares (Mao et al., 2017): the discriminator should say 1 to studio edits and 0 to the generator's."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def adversarial_loss(fake: Tensor) -> Tensor:
    """The generator wants the discriminator to say 1."""
    return (fake - 1).square().mean()
