"""Exposure fusion in the generator's graph: the classical edit of a photo, as gains of its exposures and an offset.

Mertens et al., "Exposure Fusion" (2007), as OpenCV does it by default: every exposure counts where it has contrast and
colour, and the exposures are blended in a Laplacian pyramid, so that no seam shows where one takes over from another.
Half the resolution is an average of four pixels here, and twice the resolution is bilinear: both are cheap everywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_QUALITY = 0.01  # added to contrast and to colour, display values: keeps noise from deciding in flat grey parts
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def fuse(exposures: Tensor) -> tuple[Tensor, Tensor]:
    """Fuse exposures.

    Args:
        exposures: float [N, 3 * K, H, W], K photos, display-encoded, range [0, 1].

    Returns:
        The fused photo [N, 3, H, W]. And the exposures' weights [N, 3 * K, H, W], alike for the three channels of a
        photo; those of all photos add up to 1. The fused photo is the sum of the exposures times their weights
        (:func:`blended`), and an offset that varies slowly.
    """
    weights = F.conv2d(torch.softmax(log_quality(exposures), dim=1), per_photo(exposures).transpose(0, 1))
    return fused(exposures, weights), weights


def log_quality(exposures: Tensor) -> Tensor:
    """Logarithm of contrast times colour, [N, K, H, W], of photos [N, 3 * K, H, W]."""
    members = per_photo(exposures)
    count = members.shape[0]
    grey = F.conv2d(exposures, members / 3)
    laplacian = torch.tensor(LAPLACIAN).repeat(count, 1, 1, 1).to(exposures)
    slope = F.conv2d(F.pad(grey, (1, 1, 1, 1), mode="replicate"), laplacian, groups=count)
    contrast = slope.square().sqrt()  # the absolute value, but for which the exporter leaves half precision
    distance = exposures - F.conv2d(grey, members.transpose(0, 1))
    colour = F.conv2d(distance.square(), members).sqrt()
    return (contrast + LEAST_QUALITY).log() + (colour + LEAST_QUALITY).log()


def fused(exposures: Tensor, weights: Tensor) -> Tensor:
    """The exposures blended level by level, each with its weights: [N, 3, H, W] from twice [N, 3 * K, H, W].

    Halved as often as it goes: the coarsest level decides how bright the whole photo is.
    """
    if exposures.shape[-1] % 2 or exposures.shape[-2] % 2:
        return blended(exposures, weights)
    coarse = F.avg_pool2d(exposures, 2)
    details = exposures - stretched(coarse, 2)
    return stretched(fused(coarse, F.avg_pool2d(weights, 2)), 2) + blended(details, weights)


def blended(exposures: Tensor, weights: Tensor) -> Tensor:
    """Sum of the exposures, each times its weights: [N, 3, H, W] from twice [N, 3 * K, H, W]."""
    summing = torch.eye(3).repeat(1, exposures.shape[1] // 3)
    return F.conv2d(exposures * weights, summing[..., None, None].to(exposures))


def per_photo(exposures: Tensor) -> Tensor:
    """The 1x1 convolution that adds the channels of each photo: [K, 3 * K, 1, 1], ones and zeros."""
    members = torch.eye(exposures.shape[1] // 3).repeat_interleave(3, dim=1)
    return members[..., None, None].to(exposures)


def stretched(x: Tensor, factor: int) -> Tensor:
    """[N, C, H, W] to [N, C, factor * H, factor * W], bilinear."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)
