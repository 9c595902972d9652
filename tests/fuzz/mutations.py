"""One file from one seed number: an ordinary photo, changed in one to four places."""

import random
from collections.abc import Callable
from dataclasses import replace

from tests.fuzz.structure import FORMATS, Part
from tests.kinds import Kind

Parts = list[Part]
ODD_NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    16,
    17,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
STRANGE_NAMES = (b"IDAT", b"PLTE", b"tRNS", b"IEND", b"acTL", b"VP8X", b"ALPH", b"ANMF", b"EXIF", b"eXIf")


def mutated(kinds: list[Kind], number: int) -> tuple[str, bytes]:
    """(name of the kind it came from, the file); always the same for a number."""
    chance = random.Random(number)
    kind = chance.choice(kinds)
    file = kind.file
    if chance.random() < 0.8:
        take_apart, put_together = FORMATS[kind.format]
        parts = take_apart(file)
        donor = chance.choice([other for other in kinds if other.format == kind.format])
        for _ in range(chance.randint(1, 4)):
            parts = chance.choice(STRUCTURAL)(chance, parts, take_apart(donor.file))
        file = put_together(parts)
    if chance.random() < 0.35:
        file = chance.choice(BLIND)(chance, file)
    return kind.name, file


def drop(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    at = _place(chance, parts)
    return parts[:at] + parts[at + 1 :]


def repeat(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    at = _place(chance, parts)
    return parts[:at] + parts[at : at + 1] * chance.choice((2, 2, 2, 3, 50)) + parts[at + 1 :]


def swap(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    swapped = list(parts)
    first, second = _place(chance, parts), _place(chance, parts)
    if parts:
        swapped[first], swapped[second] = swapped[second], swapped[first]
    return swapped


def splice(chance: random.Random, parts: Parts, donor: Parts) -> Parts:
    at = _place(chance, parts)
    return [*parts[:at], chance.choice(donor), *parts[at + chance.randint(0, 1) :]]


def rename(chance: random.Random, parts: Parts, donor: Parts) -> Parts:
    def renamed(part: Part) -> Part:
        strange = chance.randrange(0xC0, 0x100) if isinstance(part.name, int) else chance.choice(STRANGE_NAMES)
        return replace(part, name=chance.choice((strange, chance.choice(donor).name)))

    return _changed(chance, parts, renamed)


def lie(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    return _changed(
        chance, parts, lambda part: part.lying(chance.choice((*ODD_NUMBERS, part.claimed() + chance.randint(-9, 9))))
    )


def cut(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    return _changed(chance, parts, lambda part: replace(part, data=part.data[: chance.randint(0, len(part.data))]))


def grow(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    extra = chance.choice((b"\0", b"\xff", chance.randbytes(4))) * chance.choice((1, 2, 100))
    return _changed(chance, parts, lambda part: replace(part, data=part.data + extra))


def flip(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    return _changed(chance, parts, lambda part: replace(part, data=_flipped(chance, part.data)))


def odd_number(chance: random.Random, parts: Parts, _: Parts) -> Parts:
    """Over two or four bytes, in either order: sizes, counts and offsets."""

    def changed(part: Part) -> Part:
        size = chance.choice((1, 2, 4))
        at = chance.randint(0, max(0, len(part.data) - size))
        number = (chance.choice(ODD_NUMBERS) & (256**size - 1)).to_bytes(size, chance.choice(("big", "little")))
        return replace(part, data=(part.data[:at] + number + part.data[at + size :])[: len(part.data)])

    return _changed(chance, parts, changed)


def truncated(chance: random.Random, file: bytes) -> bytes:
    return file[: chance.randint(0, len(file))]


def flipped(chance: random.Random, file: bytes) -> bytes:
    return _flipped(chance, file)


def without_middle(chance: random.Random, file: bytes) -> bytes:
    at = chance.randint(0, len(file))
    return file[:at] + file[at + chance.randint(1, 64) :]


def with_more(chance: random.Random, file: bytes) -> bytes:
    at = chance.randint(0, len(file))
    return file[:at] + chance.choice((b"\xff" * 3, b"\0" * 8, chance.randbytes(9), file[-at:][:40])) + file[at:]


STRUCTURAL = (drop, repeat, swap, splice, rename, lie, cut, grow, flip, odd_number, odd_number, flip)
BLIND = (truncated, flipped, without_middle, with_more)


def _place(chance: random.Random, parts: Parts) -> int:
    return chance.randrange(len(parts)) if parts else 0


def _changed(chance: random.Random, parts: Parts, change: Callable[[Part], Part]) -> Parts:
    at = _place(chance, parts)
    return parts[:at] + [change(part) for part in parts[at : at + 1]] + parts[at + 1 :]


def _flipped(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 8)) if data else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)
