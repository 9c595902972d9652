"""One photo through a server of its own, and a picture of before and after.

python -m deploy.demo [PHOTO]
"""

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageOps

from clients import Enhancer
from clients.batch.naming import Naming, format_by_name
from command_line.ending import UserError, finish
from deploy.server.triton import TritonServer
from files.checkout import ROOT

SAMPLE = ROOT / "docs/samples/kitchen.jpg"
OUTPUTS = ROOT / "outputs"
PANEL_PX = 1000
GAP_PX = 12


def side_by_side(before: Image.Image, after: Image.Image) -> Image.Image:
    """Both pictures, shrunk to fit PANEL_PX x PANEL_PX, left and right of a white gap."""
    panels = [ImageOps.contain(each.convert("RGB"), (PANEL_PX, PANEL_PX)) for each in (before, after)]
    width, height = panels[0].size
    sheet = Image.new("RGB", (2 * width + GAP_PX, height), "white")
    sheet.paste(panels[0], (0, 0))
    sheet.paste(panels[1], (width + GAP_PX, 0))
    return sheet


def demonstrate(photo: Path, outputs: Path) -> None:
    """Start the server, enhance the photo in both modes, write the results, stop the server.

    Each result is what its extension says, even where the photo is not.

    Raises:
        UserError: there is no such photo.
        LaunchError: the server cannot be started.
        EnhanceError: the photo cannot be enhanced.
    """
    if not photo.is_file():
        raise UserError(f"{photo}: no such photo")
    outputs.mkdir(exist_ok=True)
    targets = {mode: outputs / Naming(f"-{mode}").name(Path(photo.name)) for mode in ("fast", "full")}
    print("starting the server ...", flush=True)
    with TritonServer() as server, Enhancer(server.grpc_url) as enhancer:
        for mode, target in targets.items():
            enhanced = enhancer.enhance(photo, mode=mode, format=format_by_name(target, None))
            width, height = enhanced.size_px
            print(f"{mode}: {photo.name}, {width} x {height} pixels, in {enhanced.seconds:.2f} s", flush=True)
            enhanced.save(target)
    with Image.open(photo) as before, Image.open(targets["full"]) as after:
        comparison = outputs / f"{photo.stem}-before-after.png"
        side_by_side(ImageOps.exif_transpose(before), after).save(comparison)
    print(f"before and after: {comparison}")


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=__doc__)
    parser.add_argument("photo", nargs="?", type=Path, default=SAMPLE)
    photo = parser.parse_args().photo
    return finish(lambda: demonstrate(photo, OUTPUTS))


if __name__ == "__main__":
    sys.exit(main())
