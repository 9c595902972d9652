"""The command line: ``python -m training train|evaluate|pairs-from-brackets|pairs-from-radiance``."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from lightning_fabric import Fabric

from command_line import Parser
from command_line.ending import finish
from serving.versions import DEFAULT_STYLE
from training.arguments import positive
from training.data.brackets import HELD_OUT, TRAINING, make_pairs_from_brackets
from training.data.pairs import read_pairs, split_pairs
from training.data.simulation import Simulation, make_pairs, split_panoramas, split_rooms
from training.evaluation import Edit, evaluate, table
from training.folder import prepare, summary
from training.inference import editor
from training.lpips import WEIGHTS_FILE, load_lpips
from training.networks.generator import TILE_MULTIPLE
from training.networks.weights import load_generator, load_refiner
from training.recipes import RECIPES, Recipe
from training.run import GENERATOR, REFINER, Run, train
from training.served import published, served_at


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code. The training loop takes Ctrl-C itself: it saves and returns."""
    options = parser().parse_args(arguments)
    return finish(lambda: options.command(options))


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    root = Parser(prog="python -m training", description="From pairs of photos to trained networks.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    add_train(commands.add_parser("train", help="train the networks on before/after pairs"))
    add_evaluate(commands.add_parser("evaluate", help="score the networks on before/after pairs"))
    add_brackets(commands.add_parser("pairs-from-brackets", help="make pairs from exposure stacks"))
    add_radiance(commands.add_parser("pairs-from-radiance", help="make pairs from HDR panoramas and rendered rooms"))
    return root


def add_train(command: argparse.ArgumentParser) -> None:
    """Options of ``train``."""
    command.set_defaults(command=run_training)
    command.add_argument(
        "--recipe", choices=RECIPES, default="baseline", help="the configuration (training/recipes.py)"
    )
    add_pairs(command)
    command.add_argument(
        "--validation", type=Path, help="pairs that choose the best weights (default: some of --jsonl)"
    )
    command.add_argument(
        "--views", type=Path, nargs="+", help="folders of rendered rooms: the refiner is trained, too, on crops of them"
    )
    command.add_argument("--out", type=Path, default=Path("artifacts/training"), help="folder of the run (%(default)s)")
    command.add_argument("--image-size", type=tile_side, help=f"side of the photos in pixels, N x {TILE_MULTIPLE}")
    command.add_argument("--batch-size", type=positive, help="pairs per step and process")
    command.add_argument("--epochs", type=positive, help="passes over the pairs")
    command.add_argument("--lr", type=rate, help="learning rate")
    command.add_argument("--init", type=Path, help=f"folder of weights to start from ({GENERATOR}, {REFINER})")
    command.add_argument("--resume", action="store_true", help="go on with the run that was begun in --out")
    command.add_argument("--overwrite", action="store_true", help="replace the run that is in --out")
    command.add_argument("--vgg", type=Path, help="VGG-19 weights, for recipes with the perceptual loss")
    command.add_argument("--devices", type=positive, default=1, help="processes, one per GPU (%(default)s)")
    command.add_argument("--accelerator", choices=("auto", "cpu", "cuda"), default="auto", help="(%(default)s)")


def add_pairs(command: argparse.ArgumentParser) -> None:
    """Add the options that select pairs, for all commands that read them."""
    command.add_argument("--jsonl", type=Path, required=True, help='pairs, one {"source": ..., "target": ...} a line')
    command.add_argument(
        "--data-root", type=Path, help="what the paths in it are relative to (default: its own folder)"
    )


def tile_side(text: str) -> int:
    """A side that the generator can halve at every level."""
    side = positive(text)
    if side % TILE_MULTIPLE:
        raise argparse.ArgumentTypeError(f"{text} is not divisible by {TILE_MULTIPLE}")
    return side


def rate(text: str) -> float:
    """A learning rate."""
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return number


def run_training(options: argparse.Namespace) -> None:
    """``train``."""
    recipe = overridden(RECIPES[options.recipe](), options)
    pairs = read_pairs(options.jsonl, options.data_root)
    split = (pairs, read_pairs(options.validation, options.data_root)) if options.validation else split_pairs(pairs)
    views = split_rooms(options.views) if options.views else None
    prepare(options.out, resume=options.resume, overwrite=options.overwrite)
    fabric = Fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        strategy="ddp" if options.devices > 1 else "auto",
        precision=recipe.precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    run = Run(options.out, split, views, options.resume, options.init, options.vgg)
    if train(fabric, recipe, run):
        fabric.print(summary(options.out, options.jsonl))
    else:
        fabric.print(f"stopped; the same command with --resume in place of --overwrite goes on with {options.out}")


def add_evaluate(command: argparse.ArgumentParser) -> None:
    """Options of ``evaluate``."""
    command.set_defaults(command=run_evaluation)
    add_pairs(command)
    command.add_argument("--weights", type=Path, help=f"folder of {GENERATOR} and {REFINER} (default: what is served)")
    command.add_argument("--url", help="of a server to score in place of what is published here: grpc://127.0.0.1:8001")
    command.add_argument("--style", default=DEFAULT_STYLE, help="of what is served (%(default)s)")
    command.add_argument("--alexnet", type=Path, help=f"AlexNet's weights ({WEIGHTS_FILE}), to score LPIPS too")
    command.add_argument(
        "--out", type=Path, default=Path("artifacts/evaluation"), help="folder of results (%(default)s)"
    )


def run_evaluation(options: argparse.Namespace) -> None:
    """``evaluate``."""
    pairs = read_pairs(options.jsonl, options.data_root)
    distance = load_lpips(options.alexnet) if options.alexnet else None
    edits: dict[str, Edit] = {
        "served": served_at(options.url, options.style) if options.url else published(options.style)
    }
    if options.weights:
        edits["new"] = editor(load_generator(options.weights / GENERATOR), load_refiner(options.weights / REFINER))
    print(table(evaluate(pairs, edits, options.out, distance)))
    print(f"{options.out}/scores.json, {options.out}/contact-sheet.jpg (unedited, {', '.join(edits)}, target)")


def add_brackets(command: argparse.ArgumentParser) -> None:
    """Options of ``pairs-from-brackets``."""
    command.set_defaults(command=run_brackets)
    command.add_argument("folder", type=Path, help="one folder per stack, or photos side by side with EXIF data")
    command.add_argument("--out", type=Path, default=Path("artifacts/pairs"), help="folder of the pairs (%(default)s)")


def run_brackets(options: argparse.Namespace) -> None:
    """``pairs-from-brackets``."""
    made = make_pairs_from_brackets(options.folder, options.out)
    for line in made.refused:
        print(f"refused {line}", file=sys.stderr)
    print(f"{options.out / TRAINING}: {made.training} pairs, {len(made.refused)} stacks refused")
    if made.held_out:
        print(f"{options.out / HELD_OUT}: {made.held_out} pairs to evaluate on, which are not trained on")
    print(f"next: make train RUN=name JSONL={options.out / TRAINING}")


def add_radiance(command: argparse.ArgumentParser) -> None:
    """Options of ``pairs-from-radiance``."""
    command.set_defaults(command=run_radiance)
    command.add_argument("panoramas", type=Path, help="folder of equirectangular .hdr files, e.g. Poly Haven's")
    command.add_argument(
        "--rooms", type=Path, nargs="+", help="folders of rendered rooms and scenes: half of the scenes then"
    )
    command.add_argument(
        "--out", type=Path, default=Path("artifacts/dataset"), help="folder of the pairs (%(default)s)"
    )
    command.add_argument("--scenes", type=positive, default=1600, help="views, three pairs each (%(default)s)")
    command.add_argument("--size", type=positive, default=512, help="long edge of the photos in pixels (%(default)s)")
    command.add_argument("--seed", type=int, default=0, help="the same seed makes the same files (%(default)s)")
    command.add_argument("--processes", type=positive, default=os.cpu_count(), help="(%(default)s)")


def run_radiance(options: argparse.Namespace) -> None:
    """``pairs-from-radiance``."""
    panoramas, kept_panoramas = split_panoramas(options.panoramas)
    rooms, kept_rooms = split_rooms(options.rooms) if options.rooms else ((), ())
    size, seed = options.size, options.seed
    for name, simulation in (
        ("validation", Simulation(kept_panoramas, options.scenes // 20, size, seed, False, kept_rooms)),
        ("train", Simulation(panoramas, options.scenes, size, seed, True, rooms)),
    ):
        make_pairs(simulation, options.out / name, options.out / f"{name}.jsonl", options.processes)


def overridden(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """The recipe with what the command line changes of the generator's schedule."""
    given = {
        "image_size": options.image_size,
        "batch_size": options.batch_size,
        "epochs": options.epochs,
        "learning_rate": options.lr,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    return replace(recipe, generator=replace(recipe.generator, **changed))


if __name__ == "__main__":
    sys.exit(main())
