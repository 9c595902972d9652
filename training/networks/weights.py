"""The generator's weights as a file: safetensors, half precision, with the width in the metadata."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training.errors import TrainingError
from training.networks.generator import Generator


class WeightsError(TrainingError):
    """The file holds no weights for this generator; the message says what to do."""


def save_generator(generator: Generator, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write the weights beside `path`, then put them in place: a full disk leaves the old file whole.

    Half precision halves the file; its rounding is far below what training settles to.

    Raises:
        WeightsError: the disk is full or not writable.
    """
    tensors = {name: value.detach().half().contiguous().cpu() for name, value in generator.state_dict().items()}
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        save_file(tensors, partial, metadata={"width": str(generator.width), **(metadata or {})})
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: could not be saved ({error}); what was there before is intact") from None
    finally:
        partial.unlink(missing_ok=True)


def load_generator(path: Path) -> Generator:
    """A float32 generator as the file has it: of its width, with a refinement where that was trained.

    Raises:
        WeightsError: no such file, not safetensors, or tensors of another architecture.
    """
    width, tensors = read_weights(path)
    return filled(Generator(width, refines=any(map(is_refinement, tensors))), tensors, path)


def load_for_training(path: Path, tone_scale: int) -> Generator:
    """A generator to train on from these weights: a refinement that the file lacks starts without effect.

    Args:
        path: as for :func:`load_generator`.
        tone_scale: as for :class:`Generator`; at 1 there is no refinement, and that of the file is left out.
    """
    width, tensors = read_weights(path)
    generator = Generator(width, tone_scale)
    fresh = {name: tensor for name, tensor in generator.state_dict().items() if is_refinement(name)}
    known = {name: tensor for name, tensor in tensors.items() if name in fresh or not is_refinement(name)}
    return filled(generator, fresh | known, path)


def is_refinement(name: str) -> bool:
    """Whether a tensor belongs to the refinement at full resolution."""
    return name.startswith("refinement.")


def read_weights(path: Path) -> tuple[int, dict[str, torch.Tensor]]:
    """Width and float32 tensors by name; raises as :func:`load_generator`."""
    try:
        with safe_open(path, framework="pt") as file:
            width = int((file.metadata() or {})["width"])
            return width, {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file; train one with 'python -m training train'") from None
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: not weights of a generator ({error}); they end in .safetensors") from None


def filled(generator: Generator, tensors: dict[str, torch.Tensor], path: Path) -> Generator:
    """The generator with all of these weights; raises as :func:`load_generator`."""
    try:
        generator.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{path}: weights of another architecture than this version's ({reason})") from None
    return generator


def parameter_count(generator: torch.nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in generator.parameters())
