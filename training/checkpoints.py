"""A run's state on disk: a full disk or a crash spares the last."""

from pathlib import Path
from typing import Any

import torch

from files.writing import beside
from training.errors import TrainingError

LATEST = "latest.pt"


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write the state of a run.

    Raises:
        TrainingError: the disk is full or not writable; the previous checkpoint is intact.
    """
    try:
        with beside(path) as part:
            torch.save(state, part)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise TrainingError(f"{path}: could not be saved ({error}); the previous checkpoint is intact") from None


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state of a run.

    Raises:
        TrainingError: no such file, or not a checkpoint.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state["network"], state["progress"]
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such checkpoint; --resume goes on in the --out of an earlier run") from None
    except Exception as error:  # torch.load raises nearly anything on a file of another kind
        raise TrainingError(f"{path}: not a checkpoint ({error}); begin again without --resume") from None
    return state
