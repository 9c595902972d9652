"""Does it neutralise casts? ``python -m training.white_balance PANORAMAS``: a photo under known casts, edited.

20 views of panoramas that were never trained on are photographed without a cast, and that photo is tinted as if the
white balance had been wrong. What counts is how far the edit of the tinted photo lies from the edit of the untinted
one: over the distance of the tinted photo itself from that edit, as who looks at the photos would judge it; and over
the distance of the two photos, which is stricter, since an edit that adds contrast adds to the cast, too.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from pixels.light import LUMINANCE
from training.data.augmentation import tint
from training.data.camera import Shot, random_body, shoot
from training.data.fusion import meter
from training.data.simulation import Simulation, random_radiance, split_panoramas
from training.inference import Edit, editor
from training.networks.weights import load_generator
from training.run import GENERATOR

VIEWS, PHOTO_PX, SEED = 20, 512, 3
CASTS = {
    "tungsten": (1.4, 1.0, 0.55),
    "shade": (0.8, 1.0, 1.35),
    "green": (1.0, 1.12, 1.0),
}
"""Gains of linear red, green and blue: a warm lamp, open shade and an old fluorescent tube, seen as daylight."""
Photo: TypeAlias = NDArray[np.uint8]


def photograph_views(panoramas: Path) -> list[Photo]:
    """One well exposed photo of each view, white balance right."""
    _, held_out = split_panoramas(panoramas)
    simulation = Simulation(held_out, VIEWS, PHOTO_PX, SEED, False)
    photos = []
    for number in range(VIEWS):
        rng = np.random.default_rng((SEED, number))
        radiance = random_radiance(simulation, rng)
        photos.append(shoot(meter(radiance), random_body(rng), Shot(noise=0.002), rng))
    return photos


@dataclass(frozen=True)
class Remaining:
    """What remains of a cast: 0 nothing, 1 all of it."""

    of_the_way: float
    """Distance of the tinted photo's edit from the untinted one's, over the tinted photo's from the same edit."""
    of_the_cast: float
    """The same, over the distance of the two photos."""


def remaining_cast(photo: Photo, gains: tuple[float, float, float], edit: Edit) -> Remaining:
    """Edit the photo with and without the cast."""
    linear = np.asarray(gains)
    tinted = tint(photo, linear / (linear @ LUMINANCE))
    edited, edited_tinted = edit(photo), edit(tinted)
    remaining = distance(edited_tinted, edited)
    return Remaining(remaining / distance(tinted, edited), remaining / distance(tinted, photo))


def distance(a: Photo, b: Photo) -> float:
    """Mean CIE76 colour difference."""
    difference = lab(a) - lab(b)
    return float(np.linalg.norm(difference, axis=2).mean())


def lab(photo: Photo) -> NDArray[np.float32]:
    """CIELAB, float32 (height, width, 3)."""
    return np.asarray(cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def main() -> None:
    """Print what remains of each cast, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("panoramas", type=Path)
    parser.add_argument("--weights", type=Path, default=Path("training/weights"))
    parser.add_argument("--out", type=Path, default=Path("artifacts/white-balance.json"))
    options = parser.parse_args()
    photos, edit = photograph_views(options.panoramas), editor(load_generator(options.weights / GENERATOR))
    scores = {}
    print("remaining    of the way   of the cast")
    for name, gains in CASTS.items():
        views = [remaining_cast(photo, gains, edit) for photo in photos]
        mean = Remaining(fmean(view.of_the_way for view in views), fmean(view.of_the_cast for view in views))
        scores[name] = asdict(mean)
        print(f"{name:10} {mean.of_the_way:12.2f} {mean.of_the_cast:13.2f}", flush=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(scores, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
