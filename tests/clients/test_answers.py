"""What counts as the edited photo."""

import os

import pytest
from PIL import Image

from clients import Options
from clients.answers import checked_answer
from clients.errors import ServerError
from tests.photos import encoded, photo

KINDS = ("JPEG", "PNG", "TIFF", "WEBP")


def check(answer: bytes, sent: bytes, **options: object) -> tuple[tuple[int, int], str]:
    enhanced = checked_answer(answer, sent, Options(**options), 0.1)
    return enhanced.size_px, enhanced.format


@pytest.mark.parametrize("kind", KINDS)
def test_whole_photos_pass_and_cut_ones_do_not(kind: str) -> None:
    answer = encoded(photo(64, 48), kind)
    assert check(answer, answer, format=kind.lower()) == ((64, 48), kind.lower())
    for length in range(0, len(answer), len(answer) // 37):
        with pytest.raises(ServerError, match="no whole photo"):
            check(answer[:length], answer)


def test_the_answer_is_upright_whatever_the_photo_was() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(photo(64, 48), exif=exif)
    assert check(encoded(photo(48, 64)), lying) == ((48, 64), "jpeg")
    with pytest.raises(ServerError, match=r"has 64 x 48 pixels, the upright photo 48 x 64"):
        check(encoded(photo(64, 48)), lying)


def test_the_answer_has_the_format_that_was_asked_for() -> None:
    with pytest.raises(ServerError, match="is a jpeg, not a png"):
        check(encoded(photo(64, 48)), encoded(photo(64, 48)), format="png")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_a_large_profile_is_no_trouble(kind: str) -> None:
    answer = encoded(photo(64, 48), kind, icc_profile=os.urandom(1_500_000))
    assert check(answer, answer) == ((64, 48), kind.lower())


def test_a_photo_that_only_the_server_can_read_tells_nothing_about_the_answer() -> None:
    assert check(encoded(photo(64, 48)), b"a kind of photo yet to be invented") == ((64, 48), "jpeg")
