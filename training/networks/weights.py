"""The generator's weights as a file: safetensors, half precision, with the width in the metadata."""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from training.errors import TrainingError
from training.networks.generator import TONE_SCALE, Generator


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


def load_generator(path: Path, tone_scale: int = TONE_SCALE) -> Generator:
    """A float32 generator of the width that the file names.

    Raises:
        WeightsError: no such file, not safetensors, or tensors of another architecture.
    """
    try:
        with safe_open(path, framework="pt") as file:
            width = int((file.metadata() or {})["width"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file; train one with 'python -m training train'") from None
    except (SafetensorError, KeyError, ValueError) as error:
        raise WeightsError(f"{path}: not weights of a generator ({error}); they end in .safetensors") from None
    generator = Generator(width, tone_scale)
    try:
        generator.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WeightsError(f"{path}: weights of another architecture than this version's ({reason})") from None
    return generator


def parameter_count(generator: torch.nn.Module) -> int:
    """Number of trainable numbers."""
    return sum(parameter.numel() for parameter in generator.parameters())
