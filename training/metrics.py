"""Quality of edits as numbers, per photo; the definitions are torchmetrics'."""

import torch
from torch import Tensor
from torchmetrics.functional.image import (
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
