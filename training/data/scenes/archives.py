"""Archives of interiors, unpacked once."""

import tarfile
from pathlib import Path

from training.data.scenes.catalogue import INTERIORS, Interior
from training.errors import TrainingError


class SceneError(TrainingError):
    """An interior that cannot be used; the message says what to do."""


def unpack(archives: Path, folder: Path) -> tuple[Interior, ...]:
    """Unpack what a folder has of the catalogue's interiors; what is there already is left alone.

    Args:
        archives: holds ``<name>.tar.xz``, each with a folder of that name.
        folder: where the interiors' folders go.

    Returns:
        The interiors found, in the catalogue's order.

    Raises:
        SceneError: none is there, or an archive is damaged or has no scene file.
    """
    found = tuple(interior for interior in INTERIORS if (archives / f"{interior.name}.tar.xz").exists())
    if not found:
        names = ", ".join(f"{interior.name}.tar.xz" for interior in INTERIORS)
        raise SceneError(f"{archives}: holds none of {names}; pass the folder that has them")
    for interior in found:
        if scene_file(folder, interior).exists():
            continue
        archive = archives / f"{interior.name}.tar.xz"
        try:
            with tarfile.open(archive) as file:
                file.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise SceneError(f"{archive}: does not unpack ({error}); fetch it again") from None
        if not scene_file(folder, interior).exists():
            raise SceneError(f"{archive}: has no {interior.name}/scene.xml; fetch it again")
    return found


def scene_file(folder: Path, interior: Interior) -> Path:
    """Mitsuba's description of an unpacked interior."""
    return folder / interior.name / "scene.xml"
