"""The edit of a photo: decided once for the whole of it, applied at full size, refined tile by tile.

Exposure, white balance and tone mapping are decisions about a whole photo, and a tile of a white wall cannot know
whether the wall is grey. So the generator sees the whole photo, shrunk to one tile, and answers with curves, which are
applied to every pixel (pixels.curves). What they open shows noise and JPEG blocks; the refiner sees tiles at full
resolution, with a receptive field of a few pixels, and takes those out (pixels.refinement).
"""

from pixels.curves import apply
from pixels.ranges import Floats, Photo
from pixels.refinement import RefineTile, refine

TILES_IN_FLIGHT = 8


def enhance(
    photo: Photo,
    curves: Floats,
    refine_tile: RefineTile | None = None,
    *,
    strength: float = 1.0,
    tiles_in_flight: int = TILES_IN_FLIGHT,
    out: Photo | None = None,
) -> Photo:
    """Edit a photo of any size.

    Args:
        photo: uint8 or uint16 (height, width, 3 or 4), RGB or RGBA, display-encoded.
        curves: what the generator says of it, as for pixels.curves.apply.
        refine_tile: the refiner, as for pixels.refinement.refine; without it the curves are the whole edit.
        strength: factor on the edit, at least 0; 0 returns the photo bit for bit. The refiner never counts more than
            once.
        tiles_in_flight: as for pixels.refinement.refine.
        out: the result's memory; the photo's own is possible without a refiner, which looks at both.

    Returns:
        The edited photo: the shape and type of photo.
    """
    applied = apply(photo, curves, strength, out)
    if refine_tile is not None:
        refine(photo, applied, refine_tile, strength=min(strength, 1.0), tiles_in_flight=tiles_in_flight)
    return applied
