"""The documentation's gallery: every showcase photo through a server of its own, before and after side by side.

python -m deploy.gallery PHOTOS, where PHOTOS is what :mod:`training.data.showcase` wrote.
"""

import argparse
import io
import shutil
import sys
from pathlib import Path

from PIL import Image

from clients import Enhancer
from command_line.ending import finish
from deploy.demo import side_by_side
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from training.data.scenes.catalogue import BY_NAME
from training.data.showcase import PICTURES, Picture
from training.data.views import shown

DOCS = ROOT / "docs"
SAMPLES = ("kitchen", "bedroom", "bathroom")
"""Photos that the repository carries unedited, to try the service with."""
QUALITY = 85
TOP = """# Gallery

Unedited photos, left, and what `enhance` makes of them in mode `full`, right, with the shipped weights and no settings.
The interiors are renderings of rooms that people modelled; whose, and under which licence, [the
notices](../THIRD_PARTY_NOTICES.md) say. A simulated camera took them, with the faults that the captions name. The
weights were trained on views of the same rooms, but never on the kitchen. The exterior is a view out of a panorama of
1024 x 512 pixels, and as soft as that.

`python -m training.data.scenes`, `python -m training.data.showcase` and `python -m deploy.gallery` make them again.
"""


def credit(picture: Picture) -> str:
    """The credit line for the room or panorama in a picture."""
    if interior := shown(picture.source):
        return BY_NAME[interior[0]].credit
    return f"panorama `{picture.source}` by Poly Haven, CC0 1.0"


def entry(picture: Picture) -> str:
    """A picture's part of the page."""
    return f"\n## {picture.caption}\n\n![{picture.caption}](images/gallery/{picture.name}.jpg)\n\n{credit(picture)}\n"


def make_gallery(photos: Path, docs: Path) -> None:
    """Enhance all photos; write the pictures, the page and the samples.

    Raises:
        LaunchError: the server cannot be started.
        EnhanceError: a photo cannot be enhanced.
        OSError: a photo is missing.
    """
    missing = [photos / f"{picture.name}.jpg" for picture in PICTURES if not (photos / f"{picture.name}.jpg").exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]}: no such photo; python -m training.data.showcase writes it")
    pictures = docs / "images/gallery"
    pictures.mkdir(parents=True, exist_ok=True)
    with TritonServer() as server, Enhancer(server.grpc_url) as enhancer:
        for picture in PICTURES:
            photo = photos / f"{picture.name}.jpg"
            enhanced = enhancer.enhance(photo, mode="full")
            with Image.open(photo) as before, Image.open(io.BytesIO(enhanced.data)) as after:
                side_by_side(before, after).save(pictures / photo.name, quality=QUALITY, optimize=True)
            print(photo.name, flush=True)
    for name in SAMPLES:
        shutil.copyfile(photos / f"{name}.jpg", docs / "samples" / f"{name}.jpg")
    (docs / "gallery.md").write_text(TOP + "".join(map(entry, PICTURES)), encoding="utf-8")


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.gallery", description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of the showcase's unedited photos")
    photos = parser.parse_args().photos
    return finish(lambda: make_gallery(photos, DOCS))


if __name__ == "__main__":
    sys.exit(main())
