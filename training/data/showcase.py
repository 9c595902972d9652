"""The pictures of the documentation: unedited photos of rendered rooms and of one panorama, as a camera takes them.

python -m training.data.showcase VIEWS OUT --panoramas FOLDER

VIEWS is what training.data.scenes rendered, at 2048 x 1365 where a photo is to be a sample, else 1024 x 683 or more;
:mod:`deploy.gallery` enhances what this writes.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from command_line.ending import finish
from training.data.camera import Body, Shot, shoot
from training.data.fusion import Photo, Radiance, meter
from training.data.panoramas import read_panorama, view
from training.data.radiance import read_radiance

LONG_EDGE_PX = 2000
CAMERA = Body(contrast=0.35, saturation=1.08, vignetting=0.15)
WARM, COOL, GREENISH, NEUTRAL = (1.35, 0.97, 0.62), (0.82, 1.0, 1.28), (0.95, 1.06, 0.8), (1.03, 1.0, 0.94)
"""White-balance errors: gains of linear red, green and blue."""


@dataclass(frozen=True)
class Picture:
    """One unedited photo and what can be said about it."""

    name: str
    """Of its file."""
    source: str
    """A view of training.data.scenes, or the name of a panorama."""
    shot: Shot
    caption: str
    yaw_deg: float | None = None
    """Direction in a panorama; None for a view."""


PICTURES = (
    Picture("living-room", "white_room-0-0", Shot(-1.7, COOL, 0.006, 0.0, 0.4, 92), "Against the light, cool"),
    Picture("kitchen", "country_kitchen-2-1", Shot(-1.8, NEUTRAL, 0.008, 0.0, 0.4, 92), "Exposed for the window"),
    Picture("bedroom", "bedroom-0-0", Shot(-1.4, GREENISH, 0.005, 0.0, 0.4, 92), "A green cast"),
    Picture("bathroom", "bathroom-0-1", Shot(-2.3, NEUTRAL, 0.006, 0.0, 0.4, 92), "The view through a window"),
    Picture(
        "drawing-room", "grey_white_room-0-0", Shot(-1.6, NEUTRAL, 0.006, 0.0, 0.4, 92), "Dark walls, bright windows"
    ),
    Picture(
        "classroom",
        "classroom-2-1",
        Shot(-1.4, WARM, 0.008, 0.0, 0.4, 92),
        "White balance set for tubes, not for the day",
    ),
    Picture(
        "bathroom-evening", "bathroom-1-1", Shot(-3.0, NEUTRAL, 0.018, 0.3, 0.3, 88), "Three stops under, and noisy"
    ),
    Picture("bedroom-evening", "bedroom-2-1", Shot(-1.6, WARM, 0.012, 0.0, 0.4, 92), "Mixed light: lamps and dusk"),
    Picture(
        "kitchen-table", "country_kitchen-2-0", Shot(-1.5, COOL, 0.01, 0.0, 0.4, 90), "Another place in the kitchen"
    ),
    Picture(
        "villa", "venice_sunset_1k", Shot(-1.5, NEUTRAL, 0.004, 0.0, 0.3, 92), "An exterior, from a small panorama", 172
    ),
)


def take(picture: Picture, views: Path, panoramas: Path, number: int) -> Photo:
    """The unedited photo, uint8 RGB, at most LONG_EDGE_PX wide."""
    if picture.yaw_deg is None:
        scene = read_radiance(views / f"{picture.source}.hdr")
    else:
        scene = exterior(read_panorama(panoramas / f"{picture.source}.hdr"), picture.yaw_deg)
    width = min(LONG_EDGE_PX, scene.shape[1])
    height = round(scene.shape[0] * width / scene.shape[1])
    light = np.asarray(cv2.resize(scene, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    return shoot(meter(light), CAMERA, picture.shot, np.random.default_rng(number))


def exterior(panorama: Radiance, yaw_deg: float) -> Radiance:
    """A level view out of a panorama, which is much coarser: enlarged smoothly, in the logarithm."""
    coarse = view(panorama, yaw_deg, 4, 90, 600, 400)
    finer = cv2.resize(np.log(coarse + 1e-4), (2400, 1600), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(np.exp(finer) - 1e-4, 0), np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.data.showcase", description=__doc__.splitlines()[0])
    parser.add_argument("views", type=Path, help="folder of rendered views")
    parser.add_argument("out", type=Path, help="where the unedited photos go")
    parser.add_argument("--panoramas", type=Path, required=True, help="folder of equirectangular .hdr files")
    return finish(lambda: run(parser.parse_args(arguments)))


def run(options: argparse.Namespace) -> None:
    """Take all photos."""
    options.out.mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(PICTURES):
        photo = take(picture, options.views, options.panoramas, number)
        cv2.imwrite(str(options.out / f"{picture.name}.jpg"), photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    sys.exit(main())
