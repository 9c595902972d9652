"""Structural similarity of edits, per photo; the definition is torchmetrics'."""

import torch
from torch import Tensor
from torchmetrics.functional.image import structural_similarity_index_measure


def ssim(edited: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of each photo, float [N], of float [N, 3, H, W] in [0, 1]; 1 = identical."""
    each = structural_similarity_index_measure(edited, target, data_range=1.0, reduction="none")
    return torch.as_tensor(each)
