"""The generator: decides the edit of a whole photo, once, and answers with curves that apply at any resolution.

The photo is metered, and exposed as a metered camera would have at several exposures. Exposure fusion of those
(:mod:`training.networks.fusion`) is the best edit that needs no learning; per cell and channel it is a curve of the
pixel's own value: the exposures' curves times their weights, and an offset. A U-Net sees photo, exposures and fusion
and predicts what to change: a factor and an offset, and after the finish the curve itself at every knot. The finish
brings every photo to the same mean with a gamma, and compresses highlights in a shoulder in place of clipping. All
changes start at zero: an untrained network is the classical operator.

Tone is slow in space: fusion and U-Net work at a quarter of the photo's resolution, where they are 16 times cheaper.
The curves are applied to the photo at full size (Gharbi et al., "Deep Bilateral Learning", 2017), so edges and texture
stay.

Whatever was learned, the curves obey :func:`lawful`.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pixels.curves import KNOTS
from pixels.light import GAMMA
from training.data.fusion import FUSED_EXPOSURES_EV
from training.networks.fusion import fuse, sum_of_products
from training.networks.metering import metering_gains
from training.networks.unet import SIDE_MULTIPLE, UNet

TONE_SCALE = 4  # cells of the curves are this many times coarser than the photo that the generator sees
TILE_MULTIPLE = TONE_SCALE * SIDE_MULTIPLE  # the photo's sides must be divisible by this, in pixels
MEAN = 0.58  # display value that the mean is brought to before highlights are compressed
SHOULDER = 0.8  # display value above which they are
DARKEST = 1e-4  # display value below which a gamma has no gradient worth having
DARKEST_MEANT = 1e-3  # display value that pixels count with at least in the mean
RECORDED = 0.97  # largest value of a curve at knots below the last: what a photo recorded never burns out
BURNT_OUT = (0.96, 0.98)  # value at the last knot: what a photo did not record stays a clean near-white (245 to 250)


class Generator(nn.Module):
    """Predicts the edit of a photo.

    Args:
        width: channels of the U-Net's finest level; cost grows with its square.
        tone_scale: cells are this many times coarser than the photo. A photo of half the size at half the scale gives
            the same curves, nearly, and is cheaper to train on.
    """

    def __init__(self, width: int = 16, tone_scale: int = TONE_SCALE) -> None:
        super().__init__()
        self.width, self.tone_scale = width, tone_scale
        self.knots: Tensor
        self.body = UNet(inputs=3 * (len(FUSED_EXPOSURES_EV) + 2), outputs=3 * (2 + len(KNOTS)), width=width)
        self.register_buffer("knots", torch.tensor(KNOTS), persistent=False)

    def forward(self, coarse: Tensor) -> Tensor:
        """Decide the edit of a batch of photos.

        Args:
            coarse: float [N, 3, H, W], whole photos shrunk, RGB, display-encoded, range [0, 1]; H and W divisible by
                16 times the tone_scale.

        Returns:
            The curves: float [N, 3 * len(KNOTS), H / tone_scale, W / tone_scale], finished display values in [0, 1].
            Plane ``c * len(KNOTS) + k`` is channel c's value at knot k.
        """
        photo = F.avg_pool2d(coarse, self.tone_scale)
        gains = metering_gains(photo)
        exposures = [(photo * gains * stops(ev)).clamp(max=1.0) for ev in FUSED_EXPOSURES_EV]
        fused, weights = fuse(torch.cat(exposures, dim=1))
        change: Tensor = self.body(torch.cat([photo, *exposures, fused], dim=1)).float().contiguous()
        factor, offset, bend = torch.split(change, [3, 3, 3 * len(KNOTS)], dim=1)
        gamma = gamma_to_mean((1 + factor) * fused + offset)
        base = fused - sum_of_products(exposures, weights)
        curves = sum_of_products(self.exposed_knots(gains), weights[:, :, None]) + base[:, :, None]
        curves = (1 + factor)[:, :, None] * curves + offset[:, :, None]
        bend = bend.reshape(-1, 3, len(KNOTS), *bend.shape[-2:])
        return lawful(finished(curves, gamma[:, :, None]) + bend).flatten(1, 2)

    def exposed_knots(self, gains: Tensor) -> list[Tensor]:
        """What each exposure makes of the knots: [N, 3, len(KNOTS), 1, 1] from [N, 3, 1, 1]."""
        metered = self.knots[:, None, None] * gains[:, :, None]
        return [(metered * stops(ev)).clamp(max=1.0) for ev in FUSED_EXPOSURES_EV]


def stops(ev: float) -> float:
    """The gain of display values that a change of exposure is."""
    return math.pow(2.0, ev / GAMMA)


def gamma_to_mean(photo: Tensor) -> Tensor:
    """The exponent [N, 1, 1, 1] that brings each photo's mean display value to MEAN."""
    mean = photo.clamp(DARKEST_MEANT, 1.0).mean(dim=(1, 2, 3), keepdim=True)
    return math.log(MEAN) / mean.clamp(0.02, 0.98).log()


def finished(display: Tensor, gamma: Tensor) -> Tensor:
    """Display values after the gamma and the shoulder, in [0, 1]."""
    display = (display.clamp(min=DARKEST).log() * gamma).exp()
    room_above = 1 - SHOULDER
    return display.clamp(max=SHOULDER) + room_above * (F.relu(display - SHOULDER) / room_above).tanh()


def lawful(curves: Tensor) -> Tensor:
    """The nearest curves that keep three promises: [N, 3, len(KNOTS), h, w] to the same shape.

    A brighter pixel never comes out darker than a darker one at its place. What the photo recorded never burns out.
    What it did not record, at the last knot, comes out near white and without a tint: alike in all channels.
    """
    *recorded, burnt_out = curves.unbind(dim=2)
    knots = [knot.clamp(0.0, RECORDED) for knot in recorded]
    for brighter in range(1, len(knots)):
        knots[brighter] = torch.maximum(knots[brighter], knots[brighter - 1])
    brightest = torch.cat([burnt_out.mean(dim=1, keepdim=True).clamp(*BURNT_OUT), knots[-1]], dim=1)
    return torch.stack([*knots, brightest.amax(dim=1, keepdim=True).expand(-1, 3, -1, -1)], dim=2)
