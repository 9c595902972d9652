"""Where daylight enters a room whose scene file does not say so: found by casting rays that escape.

A path tracer that knows the openings aims at them; otherwise nearly all of its rays to the sky end at walls.
"""

import numpy as np

from training.data.rendering.meshes import Array
from training.data.scenes.viewpoints import Cast, Floats, sphere_directions, wander

SPOTS, RAYS = 80, 400
WALLS = (0.02, 0.98)
"""Quantiles of the points that rays hit, between which the room lies: its walls, not what is seen through a door."""
FEWEST_RAYS = 15
"""That escape through a wall, from which on it has an opening."""
MARGIN_M = 0.03


def find_openings(cast: Cast, inside: tuple[float, float, float], seed: int) -> Array:
    """The part of each wall through which rays escape.

    Args:
        cast: casts rays into the room, whose walls are about parallel to x and y.
        inside: any point in the room's air.
        seed: of the rays.

    Returns:
        float32 (n, 4, 3), at most one a wall: corner, along, up, inward unit normal; all windows of a wall in one, with
        what is between them.
    """
    rng = np.random.default_rng(seed)
    spots = np.stack([wander(cast, wander(cast, np.array(inside), rng), rng) for _ in range(SPOTS)])
    origins = np.repeat(spots, RAYS, axis=0)
    directions = np.tile(sphere_directions(RAYS), (SPOTS, 1))
    distance, _ = cast(origins, directions)
    escaped = ~np.isfinite(distance)
    hits = (origins + distance[:, None] * directions)[~escaped]
    low, high = np.quantile(hits, WALLS, axis=0)
    origins, directions = origins[escaped], directions[escaped]
    found = [wall_opening(origins, directions, low, high, axis, side) for axis in (0, 1) for side in (0, 1)]
    return np.array([opening for opening in found if opening is not None], np.float32).reshape(-1, 4, 3)


def wall_opening(origins: Floats, directions: Floats, low: Floats, high: Floats, axis: int, side: int) -> Floats | None:
    """The rectangle of one wall, of the box from low to high, through which rays leave: (4, 3); None where none do."""
    across = 1 - axis
    wall = (low, high)[side][axis]
    with np.errstate(divide="ignore", invalid="ignore"):
        way = (wall - origins[:, axis]) / directions[:, axis]
    points = origins + way[:, None] * directions
    leaves = (way > 0) & ((points > low - 1e-3) & (points < high + 1e-3))[:, [across, 2]].all(1)
    if leaves.sum() < FEWEST_RAYS:
        return None
    least, most = points[leaves].min(0) - MARGIN_M, points[leaves].max(0) + MARGIN_M
    corner, along, up, inward = np.zeros((4, 3))
    corner[axis], corner[across], corner[2] = wall, least[across], least[2]
    along[across], up[2] = most[across] - least[across], most[2] - least[2]
    inward[axis] = 1 if side == 0 else -1
    return np.stack([corner, along, up, inward])
