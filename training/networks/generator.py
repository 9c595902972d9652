"""The generator: a small U-Net that learns the edit of a photo, not the photo.

The tile is metered first (exponents for the whole photo, see :mod:`pixels.metering`), so all shots of a room reach the
network alike. From the tile follows what a metered camera would have recorded at several exposures, and the edit is a
mixture of them: per pixel and channel, a gain for each, and an offset. It starts as exposure fusion
(:mod:`training.networks.fusion`), the best edit that needs no learning; the network sees the exposures and the fused
photo and predicts what to change. All of that starts at zero: an untrained network meters and fuses.

Tone is slow in space: fusion and U-Net work at a quarter of the resolution, where they are 16 times cheaper, and gains
and offset are stretched back (Gharbi et al., "Deep Bilateral Learning", 2017). Since they are applied to the photo at
full resolution, edges and texture stay. A thin refinement at full resolution learns what is finer than that; it makes a
tile about half as expensive again, and a generator that has not learned any is served without it.

There is no normalisation layer: statistics of a tile would make steps at the seams between tiles. Residual blocks start
as identities instead, which trains as steadily at this depth.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixels.metering import KEY
from training.networks.fusion import blended, fuse, stretched

BLOCK_DILATIONS = (1, 2, 4) * 3  # nine residual blocks; dilated so that they see the whole tile
LEVEL_WIDTHS = (1, 2, 4, 6, 6)  # channels per level of the U-Net, in multiples of the width; each halves the resolution
TONE_SCALE = 4  # the U-Net's finest level is this many times coarser than the tile
TILE_MULTIPLE = TONE_SCALE * 2 ** (len(LEVEL_WIDTHS) - 1)  # a tile's sides must be divisible by this, in pixels
EXPOSURES_EV = (-4, -2, 0, 2)  # those that the target edit fuses
BASES = 1 + len(EXPOSURES_EV)  # photos that the edit is mixed from
GAMMA = 2.2  # of the display: a stop more light multiplies display values by 2 ** (1 / GAMMA)
EPSILON = 1e-4  # the power of zero has no gradient
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


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A 3x3 convolution and its rectifier."""
    return nn.Sequential(scaled(nn.Conv2d(inputs, outputs, 3, stride, 1)), nn.LeakyReLU(SLOPE, inplace=True))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions whose result is added to the input; starts as the identity."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.widen = scaled(nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation))
        self.refine = zeroed(nn.Conv2d(channels, channels, 3, padding=1))

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


class Refinement(nn.Module):
    """What to change of gains and offset at full resolution; starts without effect."""

    def __init__(self, width: int, tone_scale: int) -> None:
        super().__init__()
        self.tone_scale = tone_scale
        self.context = scaled(nn.Conv2d(width, width // 2, 1))
        self.stem = convolution(3 * BASES, width // 2)
        self.mix = convolution(width // 2, width // 2)
        self.head = zeroed(nn.Conv2d(width // 2, 3 * (BASES + 1), 1))

    def forward(self, bases: Tensor, tone: Tensor) -> tuple[Tensor, Tensor]:
        """From [N, 3 * BASES, H, W] and the U-Net's features [N, width, h, w]: as :meth:`Generator.edit`."""
        fine = self.mix(self.stem(bases) + stretched(self.context(tone), self.tone_scale))
        gains, offset = self.head(fine).split([3 * BASES, 3], dim=1)
        return gains, offset


class Generator(nn.Module):
    """Predicts the edited tile.

    Args:
        width: channels of the U-Net's finest level; cost grows with its square.
        tone_scale: the U-Net's finest level is this many times coarser than the tile. At 1 the photo itself is as
            coarse as the U-Net, which makes training 16 times cheaper, and there is nothing to refine.
        refines: whether there is a refinement at full resolution, where the tone_scale leaves room for one.
    """

    def __init__(self, width: int = 16, tone_scale: int = TONE_SCALE, refines: bool = True) -> None:
        super().__init__()
        self.width, self.tone_scale = width, tone_scale
        channels = [width * factor for factor in LEVEL_WIDTHS]
        steps = list(pairwise(channels))
        self.stem = convolution(3 * (BASES + 1), width)
        self.down = nn.ModuleList(convolution(fine, coarse, stride=2) for fine, coarse in steps)
        self.blocks = nn.Sequential(*(ResidualBlock(channels[-1], dilation) for dilation in BLOCK_DILATIONS))
        self.up = nn.ModuleList(Upsample(coarse, fine) for fine, coarse in reversed(steps))
        self.head = zeroed(nn.Conv2d(width, 3 * (BASES + 2), 3, padding=1))
        self.refinement = Refinement(width, tone_scale) if refines and tone_scale > 1 else None

    def forward(self, tile: Tensor, exponent: Tensor) -> Tensor:
        """Edit a batch of tiles.

        Args:
            tile: float [N, 3, H, W], RGB, display-encoded, range [0, 1]; H and W divisible by TILE_MULTIPLE.
            exponent: float [N, 3], the metering exponents of the whole photo that each tile comes from.

        Returns:
            Float [N, 3, H, W], unclipped.
        """
        exponent = exponent[..., None, None]
        photo = tile.clamp(EPSILON, 1.0)
        exposed = photo * KEY ** (1 - 1 / exponent)  # the gain that takes the photo's log-average to the same key
        exposures = ((exposed * 2 ** (ev / GAMMA)).clamp(max=1.0) for ev in EXPOSURES_EV)
        bases = torch.cat([photo**exponent, *exposures], dim=1)
        gains, offset = self.edit(bases)
        mixed: Tensor = (gains * bases).reshape(-1, BASES, *tile.shape[1:]).sum(1) + offset
        return mixed

    def edit(self, bases: Tensor) -> tuple[Tensor, Tensor]:
        """A gain for each base, [N, 3 * BASES, H, W] as the bases are, and an offset [N, 3, H, W]."""
        *coarse, tone = self.coarse_edit(F.avg_pool2d(bases, self.tone_scale))
        gains, offset = (stretched(x, self.tone_scale) for x in coarse)
        if self.refinement is not None:
            more_gains, more_offset = self.refinement(bases, tone)
            gains, offset = gains + more_gains, offset + more_offset
        return gains, offset

    def coarse_edit(self, bases: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same from shrunk bases, and the U-Net's features [N, width, h, w].

        It starts from exposure fusion. The network predicts what to change of it: a factor on the fused photo, further
        gains and a further offset.
        """
        exposures = bases[:, 3:]
        fused, weights = fuse(exposures)
        tone = self.tone(torch.cat([bases, fused], dim=1))
        metered, gains, change, offset = self.head(tone).split([3, 3 * len(EXPOSURES_EV), 3, 3], dim=1)
        factor = 1 + change
        gains = gains + factor.repeat(1, len(EXPOSURES_EV), 1, 1) * weights
        offset = offset + factor * (fused - blended(exposures, weights))
        return torch.cat([metered, gains], dim=1), offset, tone

    def tone(self, x: Tensor) -> Tensor:
        """The U-Net: features [N, width, h, w] from shrunk photos [N, 3 * (BASES + 1), h, w]."""
        x = self.stem(x)
        skips = []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.blocks(x)
        for up in self.up:
            x = up(x, skips.pop())
        return x
