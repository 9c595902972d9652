"""Curves applied to a photo, differentiably: what :mod:`pixels.curves` does to a photo that is served.

A curve for each cell is a volume, knots deep, and a pixel is a place in it: the bilateral grid's slicing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixels.curves import KNOTS


def apply_curves(curves: Tensor, photo: Tensor) -> Tensor:
    """The edit of a photo by its curves: linear between knots and between the centres of cells.

    Args:
        curves: float [N, 3 * len(KNOTS), rows, columns]; plane ``c * len(KNOTS) + k`` is channel c's value at knot k.
        photo: float [N, 3, H, W], RGB, display-encoded, range [0, 1].

    Returns:
        Float [N, 3, H, W].
    """
    rows, columns = photo.shape[-2:]
    x, y = (
        (torch.arange(size, device=photo.device, dtype=photo.dtype) + 0.5) * 2 / size - 1 for size in (columns, rows)
    )
    across, down = x[None, None].expand(*photo.shape), y[None, None, :, None].expand(*photo.shape)
    among = (knot_places(photo) + 0.5) * 2 / len(KNOTS) - 1
    places = torch.stack([across, down, among], dim=-1).flatten(0, 1)[:, None]  # [3 * N, 1, H, W, 3]
    volumes = curves.unflatten(1, (3, len(KNOTS))).flatten(0, 1)[:, None]  # [3 * N, 1, len(KNOTS), rows, columns]
    edited = F.grid_sample(volumes, places, mode="bilinear", padding_mode="border", align_corners=False)
    return edited.reshape(photo.shape)


def knot_places(photo: Tensor) -> Tensor:
    """How many knots lie below each value, the way to the next one as a fraction: range [0, len(KNOTS) - 1]."""
    starts, ends = KNOTS[:-1], KNOTS[1:]
    return torch.stack([((photo - a) / (b - a)).clamp(0, 1) for a, b in zip(starts, ends, strict=True)]).sum(dim=0)


class CurveEdit(nn.Module):
    """A generator and the application of its curves: what is trained, since only the edited photo can be judged.

    Args:
        generator: float [N, 3, H, W] to curves.
    """

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, photo: Tensor) -> Tensor:
        """Float [N, 3, H, W], display-encoded, in [0, 1], to the edited photo, the same."""
        return apply_curves(self.generator(photo), photo)
