"""The discriminator: PatchGAN (Isola et al., "Image-to-Image Translation", 2017), judging overlapping 70 px patches."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

STRIDES = (2, 2, 2, 1, 1)
KERNEL_PX = 4


class PatchDiscriminator(nn.Module):
    """Judges an edit beside the photo that it was made from.

    Args:
        width: channels of the first layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        channels = (6, width, width * 2, width * 4, width * 8, 1)
        layers: list[nn.Module] = []
        for inputs, outputs, stride in zip(channels, channels[1:], STRIDES, strict=False):
            layers += [spectral_norm(nn.Conv2d(inputs, outputs, KERNEL_PX, stride, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, photo: Tensor, edit: Tensor) -> Tensor:
        """Two float [N, 3, H, W] to scores [N, 1, h, w]: 1 for a studio's edit, 0 for the generator's."""
        scores: Tensor = self.layers(torch.cat((photo, edit), dim=1))
        return scores
