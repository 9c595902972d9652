"""Networks' weights as files: safetensors, half precision, with the kind of network and its width in the metadata."""

import hashlib
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from files.writing import write_whole
from training.errors import TrainingError
from training.networks.generator import Generator
from training.networks.refiner import Refiner

Network = TypeVar("Network", Generator, Refiner)


class WeightsError(TrainingError):
    """The file holds no weights for this network; the message says what to do."""


def save_weights(network: Generator | Refiner, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write the weights; a full disk leaves the old file whole.

    Half precision halves the file; its rounding is far below what training settles to.

    Raises:
        WeightsError: the disk is full or not writable.
    """
    tensors = {name: value.detach().half().contiguous().cpu() for name, value in network.state_dict().items()}
    try:
        write_whole(path, save(tensors, metadata=described(network) | (metadata or {})))
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: could not be saved ({error}); what was there before is intact") from None


def described(network: Generator | Refiner) -> dict[str, str]:
    """What is needed to make an empty network of the same kind."""
    if isinstance(network, Generator):
        return {"network": "generator", "width": str(network.width)}
    return {"network": "refiner"}


def load_generator(path: Path, tone_scale: int | None = None) -> Generator:
    """A float32 generator as the file has it.

    Args:
        path: .safetensors.
        tone_scale: as for :class:`Generator`, which decides where this does not.

    Raises:
        WeightsError: no such file, not a generator's, or tensors of another architecture.
    """
    metadata, tensors = read_weights(path, "generator")
    width = int(metadata["width"])
    return filled(Generator(width) if tone_scale is None else Generator(width, tone_scale), tensors, path)


def load_refiner(path: Path) -> Refiner:
    """A float32 refiner as the file has it.

    Raises:
        WeightsError: no such file, not a refiner's, or tensors of another architecture.
    """
    _, tensors = read_weights(path, "refiner")
    return filled(Refiner(), tensors, path)


def read_weights(path: Path, kind: str) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    """Metadata and float32 tensors by name of a network of this kind; raises WeightsError where the file has none."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata["network"] != kind:
                raise WeightsError(f"{path}: weights of a {metadata['network']}, not of a {kind}; name that file")
            return metadata, {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file; train one with 'python -m training train'") from None
    except (SafetensorError, KeyError) as error:
        raise WeightsError(
            f"{path}: not weights of a {kind} of this version ({error}); they end in .safetensors"
        ) from None


def filled(network: Network, tensors: dict[str, torch.Tensor], path: Path) -> Network:
    """The network with all of these weights; raises WeightsError where they are another architecture's."""
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{path}: weights of another architecture than this version's ({reason})") from None
    return network


def digest(network: nn.Module) -> str:
    """A name that changes with the weights."""
    sha256 = hashlib.sha256()
    for tensor in network.state_dict().values():
        sha256.update(tensor.detach().cpu().numpy().tobytes())
    return sha256.hexdigest()
