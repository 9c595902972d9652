"""LPIPS (Zhang et al., 2018): how different two photos look, by AlexNet's features. No torchvision needed.

The heads, which weigh the features as people do, are those of the public LPIPS project (version 0.1), whose file
torchmetrics brings along. AlexNet's own weights are a download, given as a file.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
import torchmetrics.functional.image
from torch import Tensor, nn

from training.errors import TrainingError

CHANNELS = (64, 192, 384, 256, 256)
"""Of the features that are compared: those behind each ReLU."""
WEIGHTS_FILE = "alexnet-owt-7be5be79.pth"  # torchvision's name for it
WEIGHTS_URL = f"https://download.pytorch.org/models/{WEIGHTS_FILE}"
HEADS = Path(torchmetrics.functional.image.__file__).with_name("lpips_models") / "alex.pth"
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of photos in [-1, 1], as the heads were trained
TINY = 1e-8
ADVICE = f"pass --alexnet {WEIGHTS_FILE} (download it from {WEIGHTS_URL})"


class Lpips(nn.Module):
    """Distance of photos: 0 where they are alike, about 1 where nothing is."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*alexnet_layers())
        self.heads = nn.ModuleList(nn.Conv2d(channels, 1, 1, bias=False) for channels in CHANNELS)
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1))
        self.requires_grad_(False)

    @torch.inference_mode()
    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Two float [N, 3, H, W] in [0, 1], sides at least 64 px, to float [N]."""
        x, y = ((2 * photo - 1 - self.shift) / self.scale for photo in (first, second))
        total = x.new_zeros(len(x))
        heads = iter(self.heads)
        for layer in self.features:
            x, y = layer(x), layer(y)
            if isinstance(layer, nn.ReLU):
                total = total + next(heads)((unit(x) - unit(y)).square()).mean(dim=(1, 2, 3))
        return total


def unit(features: Tensor) -> Tensor:
    """Features of unit length at every place."""
    return features / (features.square().sum(dim=1, keepdim=True) + TINY).sqrt()


def alexnet_layers() -> list[nn.Module]:
    """The layers up to the last that is compared, numbered as in torchvision's ``alexnet().features``."""
    first, second, third, fourth, fifth = CHANNELS
    return [
        *(nn.Conv2d(3, first, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(first, second, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(second, third, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(third, fourth, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(fourth, fifth, 3, padding=1), nn.ReLU()),
    ]


def load_lpips(alexnet: Path, heads: Path = HEADS) -> Lpips:
    """The distance with trained features and heads.

    Args:
        alexnet: torchvision's weights of AlexNet.
        heads: the state dict of heads of the public LPIPS project.

    Raises:
        TrainingError: no such file, or not these weights; says which file to download.
    """
    distance = Lpips()
    try:
        tensors: Mapping[str, Tensor] = torch.load(alexnet, map_location="cpu", weights_only=True)
        wanted = distance.features.state_dict()
        distance.features.load_state_dict({name: tensors[f"features.{name}"] for name in wanted})
    except FileNotFoundError:
        raise TrainingError(f"{alexnet}: no such file; {ADVICE}") from None
    except Exception:  # torch.load raises nearly anything on a file of another kind, and advises what is not safe
        raise TrainingError(f"{alexnet}: not torchvision's AlexNet weights; {ADVICE}") from None
    trained: Mapping[str, Tensor] = torch.load(heads, map_location="cpu", weights_only=True)
    distance.heads.load_state_dict(
        {f"{index}.weight": trained[f"lin{index}.model.1.weight"] for index in range(len(CHANNELS))}
    )
    return distance.eval()
