"""The networks as they are served: their weights, and the tensors of the Triton configuration around them."""

import copy
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from export.contract import Contract
from export.errors import ExportError
from training.networks.generator import Generator
from training.networks.refiner import CORRECTION, FOLD, Refiner, Stem
from training.networks.weights import WeightsError, load_generator, load_refiner

WHITE = 255


class ServedGenerator(nn.Module):
    """COARSE, float32 [N, 512, 512, 3], to CURVES."""

    def __init__(self, network: Generator) -> None:
        super().__init__()
        self.network = network

    def forward(self, coarse: Tensor) -> Tensor:
        """Channels last in, planes out."""
        curves: Tensor = self.network(coarse.permute(0, 3, 1, 2))
        return curves


class ServedRefiner(nn.Module):
    """PHOTO and APPLIED to REFINED, uint8 [N, 512, 512, 3] all of them; what it computes is the refiner's own forward.

    Attributes:
        moved: type that pixels have while they are moved. Bytes are a quarter of floats; TensorRT cannot move them.
    """

    def __init__(self, network: Refiner) -> None:
        super().__init__()
        self.network = copy.deepcopy(network)
        stem = cast(nn.Sequential, self.network.body.layers[0])
        stem[0] = convolution_of(cast(Stem, stem[0]))
        self.moved = torch.uint8

    def forward(self, photo: Tensor, applied: Tensor) -> Tensor:
        """A network that changes nothing returns APPLIED bit for bit."""
        folded = [fold(stored.to(self.moved)).float() / WHITE for stored in (photo, applied)]
        refined = folded[1] + CORRECTION * self.network.body(torch.cat(folded, dim=1)).float()
        return unfold((refined.clamp(0.0, 1.0) * WHITE).round().to(self.moved)).to(torch.uint8)


def convolution_of(stem: Stem) -> nn.Conv2d:
    """The stem as the plain convolution that it is, its change of coordinates multiplied into the weights."""
    weight = stem.mix.weight.detach().flatten(1) @ stem.coordinates
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    layer.load_state_dict({"weight": weight[:, :, None, None], "bias": stem.mix.bias})
    return layer


def fold(stored: Tensor) -> Tensor:
    """Blocks of pixels to channels, in the order of pixel_unshuffle: [N, H, W, 3] to [N, 3 * FOLD ** 2, h, w]."""
    _, height, width, _ = stored.shape
    blocks = stored.reshape(-1, height // FOLD, FOLD, width // FOLD, FOLD, 3)
    return blocks.permute(0, 5, 2, 4, 1, 3).flatten(1, 3)


def unfold(folded: Tensor) -> Tensor:
    """The inverse of fold."""
    _, _, rows, columns = folded.shape
    blocks = folded.reshape(-1, 3, FOLD, FOLD, rows, columns)
    return blocks.permute(0, 4, 2, 5, 3, 1).flatten(3, 4).flatten(1, 2)


Served = ServedGenerator | ServedRefiner


def load_network(contract: Contract, weights: Path) -> Served:
    """A network in evaluation mode.

    Raises:
        ExportError: no such file, or weights of something else.
    """
    try:
        if contract.name == "generator":
            return ServedGenerator(load_generator(weights)).eval()
        return ServedRefiner(load_refiner(weights)).eval()
    except WeightsError as error:
        raise ExportError(str(error)) from None
