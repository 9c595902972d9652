"""Pairs decoded and shrunk once: a memory-mapped array that loaders share and the system keeps in memory if it fits.

Photos are squashed to squares, as serving's coarse pass does; the square is larger than the network's tile so that
crops of it are sharp.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from files.writing import beside
from pixels.resampling import to_coarse
from training.data.fusion import Photo
from training.data.pairs import Pair, PairsError, read_photo

Squares: TypeAlias = NDArray[np.uint8]  # (pairs, 2, side, side, 3): source and target of each pair


def cached_squares(pairs: Sequence[Pair], side_px: int, folder: Path) -> Squares:
    """All photos of the pairs, decoded.

    Args:
        pairs: checked pairs.
        side_px: side of the squares.
        folder: where caches live; a change of any photo (path, size, date) makes a new one.

    Returns:
        uint8 (len(pairs), 2, side_px, side_px, 3), memory-mapped, read-only.

    Raises:
        PairsError: photos that do not decode to the end, each named.
    """
    photos = [photo for pair in pairs for photo in (pair.source, pair.target)]
    path = folder / f"{fingerprint(photos, side_px)}.npy"
    return cached_array(path, (len(pairs), 2, side_px, side_px, 3), lambda: decode_all(photos, side_px))


def fingerprint(paths: Sequence[Path], *settings: object) -> str:
    """A name that changes with the files and with the settings."""
    digest = hashlib.sha256(repr(settings).encode())
    for path in paths:
        status = path.stat()
        digest.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def cached_array(path: Path, shape: tuple[int, ...], parts: Callable[[], Iterable[Photo]]) -> Squares:
    """The array of this file, memory-mapped, read-only; where there is none, its parts are written in order first."""
    if not path.exists():
        with beside(path) as growing, growing.open("wb") as file:
            np.lib.format.write_array_header_2_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for part in parts():
                file.write(part.tobytes())
    array: Squares = np.load(path, mmap_mode="r")
    return array


def decode_all(paths: Sequence[Path], side_px: int) -> Iterator[Photo]:
    """Decode in threads (Pillow releases the interpreter), yield in order."""
    broken = []
    with ThreadPoolExecutor() as pool:
        squares = pool.map(lambda path: decode(path, side_px), paths)
        for square in tqdm(squares, total=len(paths), unit="photo", desc="cache"):
            if isinstance(square, PairsError):
                broken.append(f"  {square}")
            else:
                yield square
    if broken:
        raise PairsError(f"{len(broken)} photos are damaged; replace or remove them:\n" + "\n".join(broken))


def decode(path: Path, side_px: int) -> Photo | PairsError:
    """A photo, upright, squashed to a square; where it is damaged, the error, so that others are still looked at."""
    try:
        square = to_coarse(read_photo(path, at_least_px=2 * side_px), side_px)
    except PairsError as error:
        return error
    return np.asarray(np.rint(square * 255)).astype(np.uint8)
