"""A short run of the fuzzer. `python -m tests.faults` has the long one."""

import struct
from typing import Literal

import numpy as np
import pytest

from tests.fuzz.__main__ import fuzz
from tests.fuzz.judge import verdict
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Answer, Target, worker
from tests.kinds import DEEP, KINDS, tiff

COUNT = 300


def test_broken_files_are_right_pictures_or_refused() -> None:
    with worker() as target:
        assert fuzz(target, seed=1, count=COUNT) == []


def test_a_number_always_names_the_same_file() -> None:
    assert all(mutated(KINDS, number) == mutated(KINDS, number) for number in range(50))


def test_wrong_answers_and_deaths_are_found() -> None:
    nothing = Answer("answered", np.zeros((1, 1, 3), np.uint8))
    target = Target(lambda file: nothing, in_flight=3, deaths=lambda: ["1 restarts"])
    findings = fuzz(target, seed=1, count=40)
    assert len(findings) == 41 and "to be refused" in str(findings) and "the header says" in str(findings)


def test_the_judge_sees_wrong_pictures() -> None:
    """Or the fuzzer could find nothing, whatever is served."""
    kind = KINDS[0]
    assert verdict(kind.file, kind.pixels) == ""
    assert "differ" in verdict(kind.file, 255 - kind.pixels)
    assert "header says" in verdict(kind.file, kind.pixels[:-1])


def test_the_judge_does_not_take_bigtiff_for_exif() -> None:
    """Pillow does, and would turn this picture."""
    kind = next(each for each in KINDS if each.file.startswith(b"\xff\xd8") and each.pixels.shape[-1] == 3)
    block = b"Exif\0\0MM\0+" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    assert verdict(kind.file[:2] + segment + kind.file[2:], kind.pixels) == ""


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [1, 3], ids=["BYTE", "SHORT"])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
def test_the_judge_tells_planes_from_pixels(planarconfig: str, kind: int, order: Literal["<", ">"]) -> None:
    """Whatever the type of the number that says so."""
    deep = DEEP[..., :3]
    planes = np.ascontiguousarray(deep.transpose(2, 0, 1))
    number = 1 if planarconfig == "contig" else 2
    file = tiff(deep if number == 1 else planes, "rgb", planarconfig=planarconfig, tile=(32, 48), byteorder=order)
    entry = struct.pack(order + "HHIHH", 284, 3, 1, number, 0)
    narrow = struct.pack(order + "HHI4s", 284, 1, 1, bytes([number]))
    assert file.count(entry) == 1
    file = file.replace(entry, narrow) if kind == 1 else file
    assert verdict(file, deep.view(np.uint8)) == ""
    assert "differ" in verdict(file, planes.reshape(deep.shape).view(np.uint8))
