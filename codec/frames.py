"""The files of one scene's frames, checked by their headers before any of them is decoded."""

from collections import Counter
from collections.abc import Sequence

from codec.errors import RequestError
from codec.header import Header
from codec.reading import read_header

MOST_FRAMES = 9
MAX_SIDE_PX = 32_000  # what OpenCV can move and turn


def check_files(files: Sequence[bytes], max_megapixels: float, max_scene_megapixels: float) -> None:
    """Check what the headers say.

    Args:
        files: of the frames.
        max_megapixels: of the largest frame that is taken.
        max_scene_megapixels: of all frames together; 16 bits a sample count twice, as they take twice the memory.

    Raises:
        RequestError: none or too many, or one that cannot be read, is beyond a limit, or of another size than most;
            says which.
    """
    if not 1 <= len(files) <= MOST_FRAMES:
        raise RequestError(f"the scene has {len(files)} frames; send 1 to {MOST_FRAMES}")
    headers = [_header(number, file, max_megapixels) for number, file in enumerate(files, start=1)]
    sizes = [(header.upright_shape[1], header.upright_shape[0]) for header in headers]
    (width, height), _ = Counter(sizes).most_common(1)[0]
    for number, size in enumerate(sizes, start=1):
        if size != (width, height):
            raise RequestError(
                f"frame {number} has {size[0]} x {size[1]} pixels and others {width} x {height}; "
                "send frames of one size, as the camera wrote them"
            )
    megapixels = sum(width * height * header.bits / 8e6 for header in headers)
    if len(files) > 1 and megapixels > max_scene_megapixels:
        raise RequestError(
            f"the {len(files)} frames have {megapixels:.0f} megapixels together (16 bits count twice); this server "
            f"merges up to {max_scene_megapixels:.0f}, so send fewer frames or smaller copies"
        )
    if len(files) > 1 and max(width, height) > MAX_SIDE_PX:
        raise RequestError(
            f"the frames have {width} x {height} pixels; this server merges up to {MAX_SIDE_PX} on a side, "
            "so send smaller copies"
        )


def _header(number: int, file: bytes, max_megapixels: float) -> Header:
    try:
        return read_header(file, max_megapixels)
    except RequestError as error:
        raise of_frame(number, str(error)) from None


def of_frame(number: int, sentence: str) -> RequestError:
    """The error of a photo as that of one frame, numbered from 1 in the order in which they were sent."""
    return RequestError(f"frame {number}: {sentence}")
