"""Quality of edits as numbers, per photo; the definitions are torchmetrics'."""

import torch
from torch import Tensor
from torchmetrics.functional.image import (
    learned_perceptual_image_patch_similarity,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)


def psnr(edited: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of each photo in dB, float [N], of float [N, 3, H, W] in [0, 1]."""
    each = [peak_signal_noise_ratio(e, t, data_range=1.0) for e, t in zip(edited, target, strict=True)]
    return torch.stack(each)


def ssim(edited: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of each photo, float [N], of float [N, 3, H, W] in [0, 1]; 1 = identical."""
    each = structural_similarity_index_measure(edited, target, data_range=1.0, reduction="none")
    return torch.as_tensor(each)


def lpips(edited: Tensor, target: Tensor) -> Tensor | None:
    """Learned perceptual distance (AlexNet) of two float [1, 3, H, W]; None where its weights cannot be had.

    The weights come with torchvision, which this project does not install: its wheels bring another torch.
    """
    try:
        distance = learned_perceptual_image_patch_similarity(edited, target, net_type="alex", normalize=True)
    except (ModuleNotFoundError, OSError):
        return None
    return torch.as_tensor(distance)
