"""The command line: ``python -m training train|evaluate|pairs-from-brackets|pairs-from-radiance``."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from lightning_fabric import Fabric

from training.data.pairs import read_pairs
from training.errors import TrainingError
from training.loop import Run, train
from training.recipes import RECIPES, Recipe


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, or 1 for an error that the user can put right."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = argparse.ArgumentParser(
        prog="python -m training", description="From pairs of photos to a trained generator."
    )
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands.add_parser("train", help="train a generator on before/after pairs"))
    return root


def add_train(command: argparse.ArgumentParser) -> None:
    """Options of ``train``."""
    command.set_defaults(command=run_training)
    command.add_argument(
        "--recipe", choices=RECIPES, default="baseline", help="the configuration (training/recipes.py)"
    )
    command.add_argument("--jsonl", type=Path, required=True, help='pairs, one {"source": ..., "target": ...} a line')
    command.add_argument(
        "--validation", type=Path, help="pairs that choose the best weights (default: some of --jsonl)"
    )
    command.add_argument("--out", type=Path, default=Path("artifacts/training"), help="folder of the run (%(default)s)")
    command.add_argument("--image-size", type=int, help="side of the tiles in pixels")
    command.add_argument("--batch-size", type=int, help="pairs per step and process")
    command.add_argument("--epochs", type=int, help="passes over the pairs")
    command.add_argument("--lr", type=float, help="learning rate")
    command.add_argument("--init", type=Path, help="weights to start from (.safetensors)")
    command.add_argument("--resume", type=Path, help="latest.pt of a run to go on with")
    command.add_argument("--vgg", type=Path, help="VGG-19 weights, for recipes with the perceptual loss")
    command.add_argument("--devices", type=int, default=1, help="processes, one per GPU (%(default)s)")


def run_training(options: argparse.Namespace) -> None:
    """``train``."""
    recipe = overridden(RECIPES[options.recipe](), options)
    pairs = read_pairs(options.jsonl)
    validation = read_pairs(options.validation)
    options.out.mkdir(parents=True, exist_ok=True)
    fabric = Fabric(
        devices=options.devices,
        strategy="ddp" if options.devices > 1 else "auto",
        precision=recipe.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    train(fabric, recipe, Run(options.out, pairs, validation, options.resume, options.init, options.vgg))


def overridden(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """The recipe with what the command line changes."""
    given = {
        "image_size": options.image_size,
        "batch_size": options.batch_size,
        "epochs": options.epochs,
        "learning_rate": options.lr,
    }
    return replace(recipe, **{name: value for name, value in given.items() if value is not None})


if __name__ == "__main__":
    sys.exit(main())
