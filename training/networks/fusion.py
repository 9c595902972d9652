"""Exposure fusion in the generator's graph: the classical edit of a photo, as gains of its exposures and an offset.

Mertens et al., "Exposure Fusion" (2007), as OpenCV does it by default: every exposure counts where it has contrast and
colour, and the exposures are blended in a Laplacian pyramid, so that no seam shows where one takes over from another.
Half the resolution is an average of four pixels here, and twice the resolution is bilinear: both are cheap everywhere.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LEAST_QUALITY = 0.01  # added to contrast and to colour, display values: keeps noise from deciding in flat grey parts


def fusion_edit(exposures: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The fused photo as an edit: the sum of each exposure times its gain, and the offset.

    Args:
        exposures: float [N, 3 * count, H, W], display-encoded, range [0, 1].
        count: number of exposures.

    Returns:
        Gains [N, count, H, W], which add up to 1, and the offset [N, 3, H, W].
    """
    weights = torch.softmax(torch.cat([log_quality(photo) for photo in exposures.chunk(count, dim=1)], dim=1), dim=1)
    return weights, fused(exposures, weights) - blended(exposures, weights)


def log_quality(photo: Tensor) -> Tensor:
    """Logarithm of contrast times colour, [N, 1, H, W], of a photo [N, 3, H, W]."""
    grey = photo.mean(dim=1, keepdim=True)
    contrast = (4 * (local_average(grey) - grey)).abs()
    colour = (photo - grey).square().sum(dim=1, keepdim=True).sqrt()
    return (contrast + LEAST_QUALITY).log() + (colour + LEAST_QUALITY).log()


def local_average(grey: Tensor) -> Tensor:
    """Mean of the four neighbours of each pixel."""
    padded = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    above, below = padded[..., :-2, 1:-1], padded[..., 2:, 1:-1]
    left, right = padded[..., 1:-1, :-2], padded[..., 1:-1, 2:]
    return (above + below + left + right) / 4


def fused(exposures: Tensor, weights: Tensor) -> Tensor:
    """The exposures [N, 3 * K, H, W] blended level by level with weights [N, K, H, W]: [N, 3, H, W].

    Halved as often as it goes: the coarsest level decides how bright the whole photo is.
    """
    if exposures.shape[-1] % 2 or exposures.shape[-2] % 2:
        return blended(exposures, weights)
    coarse = F.avg_pool2d(exposures, 2)
    details = exposures - stretched(coarse, 2)
    return stretched(fused(coarse, F.avg_pool2d(weights, 2)), 2) + blended(details, weights)


def blended(exposures: Tensor, weights: Tensor) -> Tensor:
    """Sum of the exposures [N, 3 * K, H, W], each times its weight [N, K, H, W]: [N, 3, H, W]."""
    count = weights.shape[1]
    shares = zip(exposures.chunk(count, dim=1), weights.chunk(count, dim=1), strict=True)
    return torch.stack([photo * weight for photo, weight in shares]).sum(dim=0)


def stretched(x: Tensor, factor: int) -> Tensor:
    """[N, C, H, W] to [N, C, factor * H, factor * W], bilinear."""
    return F.interpolate(x, scale_factor=float(factor), mode="bilinear", align_corners=False)
