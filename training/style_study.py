"""Does it learn a studio's style? ``python -m training.style_study PANORAMAS``: quality against the number of pairs.

The style is a colour grade with local contrast on top of the standard edit, which the shipped weights have never seen.
They are fine-tuned on 10 to 80 pairs of it and scored on 20 views of held-out panoramas, beside the unedited photo
and beside the best that a global look-up table fitted to the same pairs can do. The table sees photos that are metered
as the generator meters them, so that it need not guess how far each was underexposed.
"""

import argparse
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import cv2
import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from pixels.difference import psnr_db
from training.data.cache import cached_squares
from training.data.camera import random_body
from training.data.dataset import to_tensor
from training.data.pairs import Pair, read_pairs, read_photo, write_pairs, write_photo
from training.data.simulation import Simulation, photograph, random_radiance, split_panoramas
from training.inference import Edit, editor
from training.networks.metering import metering_gains
from training.networks.weights import load_generator
from training.recipes import finetune
from training.run import GENERATOR, Run, train

COUNTS = (10, 20, 40, 80)
HELD_OUT = 20
PHOTO_PX = 512  # long edge
LUT_SIDE_PX = 128  # of the photos that the look-up table is fitted to
EPOCHS, BATCH_SIZE = 40, 4  # of each fine-tuning: with a fixed number of steps, many pairs bring no more than some
LUT_SIZE = 17
Photo: TypeAlias = NDArray[np.uint8]

WARM, COOL = np.array([1.06, 1.0, 0.9], np.float32), np.array([0.94, 1.0, 1.08], np.float32)


@dataclass(frozen=True)
class Point:
    """Mean PSNR on the held-out views, in dB."""

    pairs: int
    unedited: float
    lut: float
    finetuned: float


def studio_style(photo: Photo) -> Photo:
    """Warm lights, cool shadows, fuller colours and local contrast."""
    value = photo.astype(np.float32) / 255
    grey = cv2.cvtColor(value, cv2.COLOR_RGB2GRAY)[..., None]
    value = value * (COOL + (WARM - COOL) * grey)
    value = grey + 1.25 * (value - grey)
    surroundings = cv2.GaussianBlur(grey, (0, 0), max(photo.shape) / 24)[..., None]
    return np.asarray(np.clip((value + 0.6 * (grey - surroundings)) * 255, 0, 255)).astype(np.uint8)


def make_styled_pairs(simulation: Simulation, folder: Path) -> list[Pair]:
    """One pair a scene, in the studio's style."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(simulation.scenes):
        rng = np.random.default_rng((simulation.seed, number))
        (source, *_), target = photograph(random_radiance(simulation, rng), random_body(rng), rng)
        rows.append({"source": f"{number}.jpg", "target": f"{number}.studio.jpg"})
        write_photo(folder / rows[-1]["source"], source)
        write_photo(folder / rows[-1]["target"], studio_style(target))
    write_pairs(folder / "train.jsonl", rows)
    return read_pairs(folder / "train.jsonl")


def fit_lut(sources: Tensor, targets: Tensor) -> Tensor:
    """The 3D look-up table [3, LUT_SIZE, LUT_SIZE, LUT_SIZE] that fits float [N, 3, H, W] best, by gradient descent."""
    torch.manual_seed(0)
    axis = torch.linspace(0, 1, LUT_SIZE)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    lut = torch.stack((red, green, blue)).requires_grad_()
    adam = torch.optim.Adam([lut], 0.01)
    pixels = torch.stack([photos.permute(0, 2, 3, 1).reshape(-1, 3) for photos in (sources, targets)])
    for _ in range(400):
        source, target = pixels[:, torch.randint(pixels.shape[1], (1 << 15,))]
        roughness = sum((lut.diff(n=2, dim=axis).square().mean() for axis in (1, 2, 3)), lut.new_zeros(()))
        loss = (apply_lut(lut, source) - target).square().mean() + 0.1 * roughness
        adam.zero_grad()
        loss.backward()
        adam.step()
    return lut.detach()


def metered(photos: Tensor) -> Tensor:
    """Photos [N, 3, H, W] at one log-average, clipped at white."""
    return (photos * metering_gains(photos)).clamp(0, 1)


def apply_lut(lut: Tensor, colours: Tensor) -> Tensor:
    """Colours [N, 3] in [0, 1] looked up, trilinear."""
    looked_up = F.grid_sample(lut[None], colours[None, :, None, None] * 2 - 1, align_corners=True)
    return looked_up[0, :, :, 0, 0].T


def mean_psnr(pairs: list[Pair], edit: Edit) -> float:
    """Mean PSNR of the edited sources in dB."""
    photos = [(read_photo(pair.source), read_photo(pair.target)) for pair in pairs]
    return fmean(psnr_db(to_tensor(edit(source)).numpy(), to_tensor(target).numpy()) for source, target in photos)


def lut_edit(pairs: list[Pair], cache: Path) -> Edit:
    """The edit by the look-up table fitted to the pairs."""
    squares = torch.from_numpy(np.array(cached_squares(pairs, LUT_SIDE_PX, cache))).float() / 255
    sources, targets = squares.permute(1, 0, 4, 2, 3)
    lut = fit_lut(metered(sources), targets)

    def edit(photo: Photo) -> Photo:
        colours = apply_lut(lut, metered(to_tensor(photo)[None])[0].permute(1, 2, 0).reshape(-1, 3))
        return np.asarray(colours.clamp(0, 1).mul(255).round().byte().reshape(photo.shape).numpy())

    return edit


def finetuned_edit(pairs: list[Pair], init: Path, folder: Path) -> Edit:
    """The edit by the shipped generator after fine-tuning; the last tenth of the pairs chooses the best epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = max(1, len(pairs) // 10)
    recipe = finetune()
    recipe = replace(recipe, generator=replace(recipe.generator, epochs=EPOCHS, batch_size=BATCH_SIZE))
    train(Fabric(precision="bf16-mixed"), recipe, Run(folder, (pairs[kept:], pairs[:kept]), init=init))
    return editor(load_generator(folder / GENERATOR))


def main() -> None:
    """Make the pairs, fit, fine-tune, print and write the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panoramas", type=Path)
    parser.add_argument("--init", type=Path, default=Path("training/weights"))
    parser.add_argument("--out", type=Path, default=Path("artifacts/style-study"))
    options = parser.parse_args()
    training, validation = split_panoramas(options.panoramas)
    pairs = make_styled_pairs(Simulation(training, COUNTS[-1], PHOTO_PX, 1, False), options.out / "pairs")
    held_out = make_styled_pairs(Simulation(validation, HELD_OUT, PHOTO_PX, 2, False), options.out / "held-out")
    points = []
    for count in COUNTS:
        lut = lut_edit(pairs[:count], options.out / "cache")
        finetuned = finetuned_edit(pairs[:count], options.init, options.out / str(count))
        scores = (mean_psnr(held_out, edit) for edit in (lambda photo: photo, lut, finetuned))
        points.append(Point(count, *scores))
        print(points[-1], flush=True)
    (options.out / "curve.json").write_text(json.dumps([asdict(point) for point in points], indent=1))


if __name__ == "__main__":
    main()
