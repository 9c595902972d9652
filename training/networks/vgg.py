"""VGG-19 features, for the perceptual loss: the layers that matter, no torchvision needed."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from training.errors import TrainingError

LAYERS = (3, 8, 15, 22)  # relu1_2, relu2_2, relu3_3, relu4_2
CONFIGURATION = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, 256, "pool", 512, 512)
WEIGHTS_FILE = "vgg19-dcbb9e9d.pth"  # torchvision's name for it
WEIGHTS_URL = f"https://download.pytorch.org/models/{WEIGHTS_FILE}"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the photos that VGG was trained on


class PerceptualDistance(nn.Module):
    """Mean absolute difference of VGG-19 features at four depths (Johnson et al., 2016)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(*vgg_layers())
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def forward(self, edited: Tensor, target: Tensor) -> Tensor:
        """Two float [N, 3, H, W] in [0, 1], sides at least 16 px, to a scalar."""
        x, y = ((photo - self.mean) / self.deviation for photo in (edited, target))
        total = x.new_zeros(())
        for index, layer in enumerate(self.features):
            x, y = layer(x), layer(y)
            if index in LAYERS:
                total = total + (x - y).abs().mean()
        return total


def vgg_layers() -> list[nn.Module]:
    """The layers up to the deepest that is compared, numbered as in torchvision's ``vgg19().features``."""
    layers: list[nn.Module] = []
    channels = 3
    for entry in CONFIGURATION:
        if isinstance(entry, int):
            layers += [nn.Conv2d(channels, entry, 3, padding=1), nn.ReLU()]
            channels = entry
        else:
            layers.append(nn.MaxPool2d(2))
    return layers


def load_perceptual_distance(weights: Path | None) -> PerceptualDistance:
    """The distance with trained features.

    Raises:
        TrainingError: no file given, or not VGG-19's weights; says which file and flag.
    """
    advice = (
        f"pass --vgg {WEIGHTS_FILE} (download it from {WEIGHTS_URL}), "
        "or choose a recipe without the perceptual loss: 'shipped' or 'finetune'"
    )
    if weights is None:
        raise TrainingError(f"this recipe's perceptual loss needs the weights of VGG-19: {advice}")
    distance = PerceptualDistance()
    try:
        tensors: Mapping[str, Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
        wanted = distance.features.state_dict()
        distance.features.load_state_dict({name: tensors[f"features.{name}"] for name in wanted})
    except FileNotFoundError:
        raise TrainingError(f"{weights}: no such file; {advice}") from None
    except Exception as error:  # torch.load raises nearly anything on a file of another kind
        raise TrainingError(f"{weights}: not torchvision's VGG-19 weights ({error}); {advice}") from None
    return distance
