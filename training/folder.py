"""A run's folder from the outside: whether a run may begin there, and what a finished one has left."""

import shutil
from pathlib import Path

from files.checkout import ARTIFACTS
from serving.versions import NETWORKS
from training.checkpoints import LATEST
from training.data.brackets import HELD_OUT
from training.errors import TrainingError
from training.run import GENERATOR, REFINER


def prepare(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Make the folder; a run that has been begun there is gone on with, replaced, or left alone.

    Args:
        folder: of the run.
        resume: go on with what is there.
        overwrite: forget checkpoints and curves that are there; weights stay until there are new ones.

    Raises:
        TrainingError: an earlier run is there, and neither was asked for.
    """
    if overwrite and not resume:
        for network in NETWORKS:
            shutil.rmtree(folder / network, ignore_errors=True)
    elif not resume and (found := remains(folder)):
        raise TrainingError(
            f"{folder} holds an earlier run ({found.relative_to(folder)}): choose another folder (RUN=name), go on "
            "with it (OPTIONS=--resume), or replace it (OPTIONS=--overwrite)"
        )
    folder.mkdir(parents=True, exist_ok=True)


def remains(folder: Path) -> Path | None:
    """A file of an earlier run."""
    files = (folder / GENERATOR, folder / REFINER, *(folder / network / LATEST for network in NETWORKS))
    return next((path for path in files if path.exists()), None)


def summary(folder: Path, jsonl: Path) -> str:
    """A summary of where things are and what comes next.

    Args:
        folder: of a finished run.
        jsonl: the pairs that it learned from.
    """
    held_out = jsonl.with_name(HELD_OUT)
    pairs = held_out if held_out.exists() else jsonl
    if folder.parent == ARTIFACTS:
        commands = (f"make evaluate RUN={folder.name} JSONL={pairs}", f"make export RUN={folder.name}")
    else:
        commands = (
            f"python -m training evaluate --weights {folder} --jsonl {pairs}",
            f"python -m export all --run {folder.name} --weights {folder}",
        )
    return "\n".join(
        (
            f"weights: {folder / GENERATOR}, {folder / REFINER}",
            f"samples: {folder / NETWORKS[0] / 'samples.jpg'}",
            f"curves:  tensorboard --logdir {folder}",
            f"next:    {commands[0]}",
            f"         {commands[1]}",
        )
    )
