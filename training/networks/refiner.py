"""The refiner: removes from an edited photo, at full size, what the edit made visible: noise, JPEG blocks, softness.

It sees the photo and the same photo with its curves applied, and adds a small correction to the latter. It decides
nothing about tone: a small receptive field cannot, and where the photo is clean it has learned to leave it alone.
Pixels are folded into channels, which makes convolutions cheap and the field wide; the correction starts at zero, so an
untrained refiner returns what it is given.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.unet import SLOPE, scaled, zeroed

FOLD = 2  # sides of the blocks of pixels that become channels: sides must be divisible by this, in pixels
CHANNELS = 16
LAYERS = 5  # 3x3 convolutions, the last of which answers with the correction
MARGIN = FOLD * LAYERS
"""Pixels from which a result can depend on what lies beyond the border of the tile: tiles overlap by this and are
cropped."""


CONTRAST = 10.0  # factor on what pixels differ by within a block: grain is a hundredth of the range
CORRECTION = 1 / CONTRAST  # the same for what the body answers


class Stem(nn.Module):
    """A 1x1 convolution of folded pixels that learns as if it saw each block's mean and the differences from it.

    Raw values are nearly the same all over a block, and what they differ by is what matters: it is learned several
    times faster from the differences. The change of coordinates is a matrix, so it is multiplied into the weights and
    costs nothing in use.
    """

    def __init__(self) -> None:
        super().__init__()
        pixels = FOLD**2
        mean = torch.eye(6).repeat_interleave(pixels, dim=1) / pixels  # [6, 6 * pixels]
        differences = torch.eye(6 * pixels) - pixels * mean.T @ mean
        self.coordinates: Tensor
        self.register_buffer("coordinates", torch.cat([mean, CONTRAST * differences]), persistent=False)
        self.mix = scaled(nn.Conv2d(6 * (pixels + 1), CHANNELS, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, 6 * FOLD ** 2, h, w] to [N, CHANNELS, h, w], before the rectifier."""
        weight = self.mix.weight.flatten(1) @ self.coordinates
        return F.conv2d(x, weight[:, :, None, None], self.mix.bias)


def layer() -> nn.Sequential:
    """A 3x3 convolution and its rectifier."""
    return nn.Sequential(scaled(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)), nn.LeakyReLU(SLOPE, inplace=True))


class RefinerBody(nn.Module):
    """The learned part: the correction of folded pixels from folded pixels of both photos."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(Stem(), nn.LeakyReLU(SLOPE, inplace=True))
        head = zeroed(nn.Conv2d(CHANNELS, 3 * FOLD**2, 3, padding=1))
        self.layers = nn.Sequential(stem, *(layer() for _ in range(LAYERS - 1)), head)

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, 6 * FOLD ** 2, h, w] to [N, 3 * FOLD ** 2, h, w]."""
        correction: Tensor = self.layers(x)
        return correction


class Refiner(nn.Module):
    """Corrects an edited photo."""

    def __init__(self) -> None:
        super().__init__()
        self.body = RefinerBody()

    def forward(self, photo: Tensor, applied: Tensor) -> Tensor:
        """Correct a batch of tiles.

        Args:
            photo: float [N, 3, H, W], RGB, display-encoded, range [0, 1]; H and W divisible by FOLD.
            applied: the same tiles with their curves applied.

        Returns:
            Float [N, 3, H, W], unclipped: a pixel depends on those within MARGIN pixels of it.
        """
        folded = F.pixel_unshuffle(torch.cat([photo, applied], dim=1), FOLD)
        return applied + CORRECTION * F.pixel_shuffle(self.body(folded).float(), FOLD)
