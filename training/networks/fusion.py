"""Exposure fusion in the generator's graph: the classical edit of a photo, as weights of its exposures and an offset.

Mertens et al., "Exposure Fusion" (2007), as OpenCV does it by default: every exposure counts where it has contrast and
colour, and the exposures are blended in a Laplacian pyramid, so that no seam shows where one takes over from another.
Nothing is clipped afterwards. Half the resolution is an average of four pixels here, and twice the resolution is
bilinear: both are cheap everywhere. There is no convolution and no matrix product, so that autocasting to half
precision, which is meant for the learned part, leaves all of it in single precision.
"""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_QUALITY = 0.01  # added to contrast and to colour, display values: keeps noise from deciding in flat grey parts


def fuse(exposures: Tensor) -> tuple[Tensor, Tensor]:
    """Fuse exposures.

    Args:
        exposures: float [N, 3 * E, H, W], E photos, display-encoded, range [0, 1].

    Returns:
        The fused photo [N, 3, H, W], a little beyond [0, 1] where contrasts are strong. And the exposures' weights
        [N, E, H, W], which add up to 1. The fused photo is the sum of the exposures times their weights
        (:func:`sum_of_products`), and an offset that varies slowly.
    """
    weights = torch.softmax(log_quality(exposures), dim=1)
    return fused(exposures, weights), weights


def log_quality(exposures: Tensor) -> Tensor:
    """Logarithm of contrast times colour, [N, E, H, W], of photos [N, 3 * E, H, W]."""
    photos = torch.split(exposures, 3, dim=1)
    greys = [photo.mean(dim=1, keepdim=True) for photo in photos]
    distances = [
        (photo - grey).square().sum(dim=1, keepdim=True).sqrt() for photo, grey in zip(photos, greys, strict=True)
    ]
    contrast = slope(torch.cat(greys, dim=1)).abs()
    return (contrast + LEAST_QUALITY).log() + (torch.cat(distances, dim=1) + LEAST_QUALITY).log()


def slope(x: Tensor) -> Tensor:
    """The Laplacian of [N, C, H, W]: each pixel's four neighbours less four times itself."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    above, below, left, right = (
        padded[..., :-2, 1:-1],
        padded[..., 2:, 1:-1],
        padded[..., 1:-1, :-2],
        padded[..., 1:-1, 2:],
    )
    return above + below + left + right - 4 * x


def fused(exposures: Tensor, weights: Tensor) -> Tensor:
    """The exposures blended level by level, each with its weights: [N, 3, H, W] from [N, 3 * E, H, W], [N, E, H, W].

    Halved as often as it goes: the coarsest level decides how bright the whole photo is.
    """
    if exposures.shape[-1] % 2 or exposures.shape[-2] % 2:
        return sum_of_products(torch.split(exposures, 3, dim=1), weights)
    coarse = F.avg_pool2d(exposures, 2)
    details = exposures - stretched(coarse, 2)
    return stretched(fused(coarse, F.avg_pool2d(weights, 2)), 2) + sum_of_products(
        torch.split(details, 3, dim=1), weights
    )


def sum_of_products(photos: Sequence[Tensor], weights: Tensor) -> Tensor:
    """E photos, [N, 3, ...] each, times their weights [N, E, ...], added up: [N, 3, ...]."""
    products = [photo * weight for photo, weight in zip(photos, torch.split(weights, 1, dim=1), strict=True)]
    return reduce(torch.add, products)


def stretched(x: Tensor, factor: int) -> Tensor:
    """[N, C, H, W] to [N, C, factor * H, factor * W], bilinear."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)
