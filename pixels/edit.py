"""The two-scale edit: tone decided once for the whole photo, detail tile by tile.

The network returns an edited tile; what counts is its edit, the difference. Exposure, white balance and tone mapping
are decisions about a whole photo, and a tile of a white wall cannot know whether the wall is grey. So

- the coarse pass shrinks the whole photo to one tile, and its edit is stretched back and added: the tone, consistent
  over the photo by construction, and the very regime that the network is trained in;
- the detail pass cuts overlapping tiles at full resolution and adds, of their edits, only what the coarse pass cannot
  carry: the high frequencies.

The network itself is a callable over an iterator of tiles, so that whoever calls decides how many are in flight.
"""

from itertools import chain

import numpy as np

from pixels.detail import Detail, RunTiles
from pixels.metering import metering_exponent
from pixels.ranges import Floats, Photo, add_edit, to_interleaved, to_planar
from pixels.resampling import Upsampled, share_rows, to_coarse


def enhance(
    photo: Photo,
    run_tiles: RunTiles,
    *,
    detail: bool = True,
    strength: float = 1.0,
    tile_px: int = 512,
    overlap_px: int = 64,
) -> Photo:
    """Edit a photo of any size.

    Args:
        photo: uint8 or uint16 (height, width, 3), RGB, display-encoded.
        run_tiles: the network.
        detail: whether to make the detail pass. A photo that fits into one tile needs none.
        strength: factor on the edit; 0 returns the photo.
        tile_px: side of the network's tile.
        overlap_px: least overlap of neighbouring tiles.

    Returns:
        The edited photo: the shape and type of photo, a new array.
    """
    height, width = photo.shape[:2]
    coarse = to_coarse(photo, tile_px)
    exponent = metering_exponent(coarse)
    result = np.empty_like(photo)

    def tone(edited: Floats) -> Upsampled:
        return Upsampled(strength * (to_interleaved(edited) - coarse), height, width)

    if not detail or max(height, width) <= tile_px:
        (edited,) = run_tiles([to_planar(coarse)], exponent)
        _add_tone(photo, tone(edited), result)
        return result
    tiles = Detail(photo, tile_px, overlap_px)
    all_edited = run_tiles(chain([to_planar(coarse)], tiles.cut()), exponent)  # one stream: no wait between the passes
    stretched = tone(next(all_edited))
    for top, band in tiles.bands(all_edited):
        for rows, edit in stretched.strips(top, top + band.shape[1]):
            edit += strength * to_interleaved(band[:, rows.start - top : rows.stop - top])
            add_edit(photo[rows], edit, result[rows])
    return result


def _add_tone(photo: Photo, tone: Upsampled, result: Photo) -> None:
    """The coarse pass alone, on all cores."""

    def add(top: int, bottom: int) -> None:
        for rows, edit in tone.strips(top, bottom):
            add_edit(photo[rows], edit, result[rows])

    share_rows(len(photo), add)
