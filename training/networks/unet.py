"""A small U-Net with nine residual blocks: the learned part of the generator.

There is no normalisation layer: residual blocks start as identities instead, which trains as steadily at this depth,
and an answer never depends on a batch.
"""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

from training.networks.fusion import stretched

BLOCK_DILATIONS = (1, 2, 4) * 3  # nine residual blocks; dilated so that they see the whole photo
LEVEL_WIDTHS = (1, 2, 4, 6, 6)  # channels per level, in multiples of the width; each level halves the resolution
SIDE_MULTIPLE = 2 ** (len(LEVEL_WIDTHS) - 1)  # sides must be divisible by this, in pixels
SLOPE = 0.1  # of the leaky rectifiers


def scaled(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights that keep the variance of what passes (He et al., 2015), there being no normalisation."""
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """The layer with weights and bias set to zero, so that it starts without effect."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def conv3x3(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size. Borders are repeated: with zeros beyond them, a plain wall has corners."""
    return nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, padding_mode="replicate")


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution and its rectifier."""
    return nn.Sequential(scaled(conv3x3(inputs, outputs, stride)), nn.LeakyReLU(SLOPE, inplace=True))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to the input; starts as the identity."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.widen = scaled(conv3x3(channels, channels, dilation=dilation))
        self.refine = zeroed(conv3x3(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to the same shape."""
        change: Tensor = self.refine(F.leaky_relu(self.widen(x), SLOPE))
        return x + change


class Upsample(nn.Module):
    """Doubles the resolution, adds the encoder's features of that level and mixes them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = scaled(nn.Conv2d(inputs, outputs, 1))
        self.mix = convolution(outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """[N, inputs, H, W] and [N, outputs, 2H, 2W] to [N, outputs, 2H, 2W]."""
        mixed: Tensor = self.mix(stretched(self.project(x), 2) + skip)
        return mixed


class UNet(nn.Module):
    """Features of a photo at every scale, joined to a few planes; starts with the answer zero.

    Args:
        inputs: planes that go in.
        outputs: planes that come out.
        width: channels of the finest level; cost grows with its square.
    """

    def __init__(self, inputs: int, outputs: int, width: int) -> None:
        super().__init__()
        channels = [width * factor for factor in LEVEL_WIDTHS]
        steps = list(pairwise(channels))
        self.stem = convolution(inputs, width)
        self.down = nn.ModuleList(convolution(fine, coarse, stride=2) for fine, coarse in steps)
        self.blocks = nn.Sequential(*(ResidualBlock(channels[-1], dilation) for dilation in BLOCK_DILATIONS))
        self.up = nn.ModuleList(Upsample(coarse, fine) for fine, coarse in reversed(steps))
        self.head = zeroed(conv3x3(width, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, inputs, H, W] to [N, outputs, H, W]; H and W divisible by SIDE_MULTIPLE."""
        x = self.stem(x)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.blocks(x)
        for up in self.up:
            x = up(x, skips.pop())
        answer: Tensor = self.head(x)
        return answer
