"""Photos through the service: every format, bad ones, the same ones again, the CPU profile's pixels, large ones."""

import io
import struct
import zlib
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clients import Enhancer
from clients.errors import PhotoError
from codec.options import MODES
from deploy.gpu_check.session import Session
from deploy.gpu_check.steps import Finding, Wrong
from perf.photos import SAMPLES, photo_file
from perf.timing import medians_s
from pixels.difference import EQUAL_DB, psnr_db

SIZE_PX = (640, 427)
LARGE_PX = (6000, 4000)
TURNS = 6
LEAST_PSNR_DB = 45.0
"""Between the profiles: FP16 against FP32, and the GPU's JPEG decoder against the CPU's."""
REPEATS = 3


def formats(session: Session) -> Finding:
    """One photo of each kind comes back in its format, its size and its depth, over gRPC."""
    figures = {}
    with session.enhancer() as enhancer:
        for name, file in kinds().items():
            answer = enhancer.enhance(file)
            figures[name] = f"{answer.format}, {answer.size_px[0]} x {answer.size_px[1]}"
            if answer.format != name.split()[0] or answer.size_px != SIZE_PX:
                raise Wrong(f"{name} came back as {figures[name]}", figures)
            if depth(answer.data) != depth(file):
                raise Wrong(f"{name} came back with another depth", figures)
    return Finding(f"{len(figures)} kinds, each in its format and size", figures)


def damaged(session: Session) -> Finding:
    """Half a photo is refused with a sentence, and the next photo is served."""
    file = photo_file(*SIZE_PX)
    return _refused_and_served(session, file[: len(file) // 2])


def over_the_limit(session: Session) -> Finding:
    """A file that claims 3,600 megapixels is refused by its header, and the next photo is served."""
    return _refused_and_served(session, png_header(60000, 60000), "megapixels")


def _refused_and_served(session: Session, bad: bytes, reason: str = "") -> Finding:
    with session.enhancer() as enhancer:
        try:
            enhancer.enhance(bad)
        except PhotoError as refusal:
            if reason not in str(refusal):
                raise Wrong(f"refused for another reason: {refusal}") from None
            enhancer.enhance(photo_file(*SIZE_PX))
            return Finding(f"refused: {refusal}")
    raise Wrong("it was not refused")


def in_turn(session: Session) -> Finding:
    """Two photos again and again, in both modes: each answer is the first one's.

    A captured CUDA graph that reads old memory would answer with the other photo's result.
    """
    files = [photo_file(*SIZE_PX, sample=sample) for sample in SAMPLES[:2]]
    with session.enhancer() as enhancer:
        for mode in MODES:
            first = [enhancer.enhance(file, mode=mode, format="png").data for file in files]
            for turn in range(TURNS):
                again = enhancer.enhance(files[turn % 2], mode=mode, format="png").data
                if psnr_db(decoded(again), decoded(first[turn % 2])) < EQUAL_DB:
                    raise Wrong(f"mode {mode}: the same photo came back with other pixels in turn {turn + 1}")
    return Finding(f"{TURNS} turns in each mode, all alike")


def pixels(session: Session) -> Finding:
    """The same photo through both profiles."""
    file = photo_file(1500, 1000)
    with session.enhancer() as ours, session.reference() as theirs:
        figures = {
            f"PSNR in mode {mode}, dB": psnr_db(
                *(decoded(each.enhance(file, mode=mode, format="png").data) for each in (ours, theirs))
            )
            for mode in MODES
        }
    if min(figures.values()) < LEAST_PSNR_DB:
        raise Wrong(
            f"{min(figures.values()):.1f} dB from the CPU profile; at least {LEAST_PSNR_DB:.0f} are promised", figures
        )
    return Finding(f"at least {min(figures.values()):.1f} dB from the CPU profile", figures)


def large(session: Session) -> Finding:
    """A photo of 24 megapixels in both modes, in turn: median of three, and its size."""
    file = photo_file(*LARGE_PX)
    with session.enhancer() as enhancer:
        times = medians_s([partial(_same_size, enhancer, file, mode) for mode in MODES], REPEATS)
    figures = {f"{mode}, s": seconds for mode, seconds in zip(MODES, times, strict=True)}
    return Finding(", ".join(f"{name.partition(',')[0]} {seconds:.2f} s" for name, seconds in figures.items()), figures)


def _same_size(enhancer: Enhancer, file: bytes, mode: str) -> None:
    answer = enhancer.enhance(file, mode=mode)
    if answer.size_px != LARGE_PX:
        raise Wrong(f"mode {mode}: came back with {answer.size_px}")


def kinds() -> dict[str, bytes]:
    """A photo of each kind that is served; the first word is its format."""
    photo = Image.open(io.BytesIO(photo_file(*SIZE_PX)))
    deep = cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2BGR).astype(np.uint16) * 257
    return {
        "jpeg": encoded(photo, "JPEG"),
        "jpeg progressive": encoded(photo, "JPEG", progressive=True),
        "jpeg grey": encoded(photo.convert("L"), "JPEG"),
        "jpeg CMYK": encoded(photo.convert("CMYK"), "JPEG"),
        "png": encoded(photo, "PNG"),
        "png 16 bits": cv2.imencode(".png", deep)[1].tobytes(),
        "tiff": encoded(photo, "TIFF"),
        "tiff 16 bits": cv2.imencode(".tiff", deep)[1].tobytes(),
        "webp": encoded(photo, "WEBP"),
    }


def encoded(photo: Image.Image, kind: str, **options: object) -> bytes:
    """A photo file in memory."""
    file = io.BytesIO()
    photo.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (header, b"IDAT" + zlib.compress(b""), b"IEND")
    whole = (struct.pack(">I", len(each) - 4) + each + struct.pack(">I", zlib.crc32(each)) for each in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


def depth(file: bytes) -> int:
    """Bits of a sample."""
    return 8 * decoded(file).itemsize


def decoded(file: bytes) -> NDArray[np.generic]:
    """Pixels as stored, uint8 or uint16."""
    found: NDArray[np.generic] | None = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise Wrong("the answer does not read as a photo")
    return found
