"""What the headers of a scene's frames say is checked before any of them is decoded: each refusal names its frame."""

import pytest

from codec.errors import RequestError
from codec.frames import MAX_SIDE_PX, check_files
from tests.codec.files import empty_png

PX = 8192, 5464  # 45 megapixels
FRAME = empty_png(*PX)


def check(*files: bytes) -> None:
    check_files(files, max_megapixels=120, max_scene_megapixels=420)


def test_nine_frames_of_45_megapixels_are_taken() -> None:
    check(*[FRAME] * 9)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "the scene has 0 frames; send 1 to 9"),
        ([FRAME] * 10, "the scene has 10 frames; send 1 to 9"),
        (
            [empty_png(*PX, bits=16)] * 9,
            r"the 9 frames have 806 megapixels together \(16 bits count twice\); this server merges up to 420, "
            "so send fewer frames or smaller copies",
        ),
        (
            [FRAME, empty_png(*reversed(PX)), FRAME],
            "frame 2 has 5464 x 8192 pixels and others 8192 x 5464; send frames of one size",
        ),
        ([FRAME, FRAME[:40]], "frame 2: the PNG file is damaged or incomplete"),
        ([FRAME, FRAME, b""], "frame 3: the photo is empty"),
        ([empty_png(13000, 13000), FRAME], "frame 1: .* up to 120 megapixels, so send a smaller copy"),
        (
            [empty_png(MAX_SIDE_PX + 1, 2)] * 2,
            f"the frames have {MAX_SIDE_PX + 1} x 2 pixels; this server merges up to {MAX_SIDE_PX} on a side",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused_in_a_sentence(files: list[bytes], told: str) -> None:
    with pytest.raises(RequestError, match=f"^{told}"):
        check(*files)


def test_a_single_photo_may_be_as_long_as_any() -> None:
    check(empty_png(MAX_SIDE_PX + 1, 2))
    check(empty_png(12000, 10000, bits=16))
