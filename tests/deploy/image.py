"""The GPU profile's image, as far as it can be known without Docker: what its Dockerfile says."""

import json
import re
import shutil
from pathlib import Path

from deploy.container.docker import DOCKERFILE
from files.checkout import ROOT

TEXT = DOCKERFILE.read_text().replace("\\\n", " ")
SERVING = TEXT.split("AS export")[0]
PACKAGES = "/opt/enhancer/packages/"


def copies() -> list[tuple[list[str], str]]:
    """Sources and target of every COPY."""
    words = [line.split() for line in re.findall(r"^COPY (.+)$", TEXT, re.MULTILINE)]
    return [(sources, target) for *sources, target in words]


def entry_point() -> list[str]:
    """What a container that serves runs."""
    (found,) = re.findall(r"^ENTRYPOINT (\[.+\])$", SERVING, re.MULTILINE)
    return list(json.loads(found))


def unpack(folder: Path) -> None:
    """Put what the image has of deploy/ into a folder, as the image has it among its packages."""
    for sources, target in copies():
        if target.startswith(f"{PACKAGES}deploy/"):
            place = folder / target.removeprefix(PACKAGES)
            place.mkdir(parents=True, exist_ok=True)
            for source in sources:
                shutil.copy(ROOT / source, place)
