"""Curves applied to a photo, differentiably: what :mod:`pixels.curves` does to a photo that is served.

A curve for each cell is a volume, knots deep, and a pixel is a place in it: the bilateral grid's slicing.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixels.curves import BRIGHTEST, KNOTS, NEAR_WHITE, STRAIGHT


def apply_curves(curves: Tensor, photo: Tensor, place: Tensor | None = None) -> Tensor:
    """The edit of a photo by its curves: linear between knots and between the centres of cells.

    Args:
        curves: float [N, 3 * len(KNOTS), rows, columns]; plane ``c * len(KNOTS) + k`` is channel c's value at knot k.
        photo: float [N, 3, H, W], RGB, display-encoded, range [0, 1].
        place: where the photo is a crop of the one that the curves are for: float [N, 4], left, top, right and bottom
            as shares of its width and height.

    Returns:
        Float [N, 3, H, W].
    """
    whole = photo.new_tensor([0, 0, 1, 1]).expand(len(photo), 4) if place is None else place
    left, top, right, bottom = (edge[:, None] for edge in whole.unbind(dim=1))
    x, y = left + centres(photo.shape[3], photo) * (right - left), top + centres(photo.shape[2], photo) * (bottom - top)
    across, down = x[:, None, None].expand(photo.shape), y[:, None, :, None].expand(photo.shape)
    among = (knot_places(photo) + 0.5) / len(KNOTS)
    places = torch.stack([across, down, among], dim=-1).flatten(0, 1)[:, None] * 2 - 1  # [3 * N, 1, H, W, 3]
    values = curves.reshape(len(photo), 3, len(KNOTS), *curves.shape[-2:])
    straight = torch.minimum(values[:, :, -2] + STRAIGHT * (values[:, :, -2] - values[:, :, -3]), values[:, :, -1])
    volumes = torch.cat([values[:, :, :-1], straight[:, :, None]], dim=2).flatten(0, 1)[:, None]
    edited = F.grid_sample(volumes, places, mode="bilinear", padding_mode="border", align_corners=False)
    lift = F.grid_sample(
        values[:, :, -1] - straight,
        torch.stack([across[:, 0], down[:, 0]], dim=-1) * 2 - 1,
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return edited.reshape(photo.shape) + nearness(photo) * lift


def centres(size: int, like: Tensor) -> Tensor:
    """Centres of the pixels of one axis, as shares of its length: [size]."""
    return (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) / size


def knot_places(photo: Tensor) -> Tensor:
    """How many knots lie below each value, the way to the next one as a fraction: range [0, len(KNOTS) - 1]."""
    starts, ends = KNOTS[:-1], KNOTS[1:]
    return torch.stack([((photo - a) / (b - a)).clamp(0, 1) for a, b in zip(starts, ends, strict=True)]).sum(dim=0)


def nearness(photo: Tensor) -> Tensor:
    """How near to white each pixel is, [N, 1, H, W], range [0, 1]: its darkest and brightest channel decide."""
    mean = (photo.amin(dim=1, keepdim=True) + BRIGHTEST * photo.amax(dim=1, keepdim=True)) / (1 + BRIGHTEST)
    return ((mean - NEAR_WHITE) / (1 - NEAR_WHITE)).clamp(0, 1).square()


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
