"""Camera files and HEIC: developed into TIFF that a server takes, or refused in words; nothing they do ends a run."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clients.camera
from clients.camera import EXTRA, is_installed, sendable
from clients.commands.cli import main
from clients.errors import PhotoError
from codec.metadata.fields import (
    ASCII,
    BYTE,
    HEADER,
    RATIONAL,
    SIGNED_RATIONAL,
    UNDEFINED,
    Directory,
    Field,
    longs,
    packed,
    shorts,
)
from codec.reading import read_header
from deploy.server.triton import TritonServer
from tests.photos import encoded, photo

installed = pytest.mark.skipif(not is_installed(), reason="camera files need more packages: make setup PART=camera")
LENS, SHUTTER, EXIF, MAKER = 0xA434, 0x829A, 0x8769, 0x010F
HEIC = Path(__file__).with_name("heic")
"""Made with pillow-heif, which can encode: `photo(64, 48)` at quality 98 in 4:4:4, and the 16-bit ramp without loss."""
XYZ_TO_SRGB = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)


def fractions(kind: int, *values: float) -> Field:
    return Field(kind, b"".join(struct.pack("<iI", round(value * 10_000), 10_000) for value in values))


def raw_tags(width: int, height: int, orientation: int, start: int, more: Directory) -> Directory:
    """Those of a camera whose sensor sees in linear sRGB, in daylight (DNG 1.4)."""
    exif: Directory = {0x9000: Field(UNDEFINED, b"0232"), LENS: Field(ASCII, b"Own Lens 35mm\0")}
    exif[SHUTTER] = Field(RATIONAL, struct.pack("<II", 1, 125))
    exif |= more
    return {
        0x00FE: longs(0),
        0x0100: longs(width),
        0x0101: longs(height),
        0x0102: shorts(16),
        0x0103: shorts(1),
        0x0106: shorts(32803),  # colour filter array
        MAKER: Field(ASCII, b"Maker\0"),
        0x0110: Field(ASCII, b"Model\0"),
        0x0111: longs(start),
        0x0112: shorts(orientation),
        0x0115: shorts(1),
        0x0116: longs(height),
        0x0117: longs(2 * width * height),
        0x828D: shorts(2, 2),
        0x828E: Field(BYTE, bytes([0, 1, 1, 2])),  # red, green, green, blue
        EXIF: exif,
        0xC612: Field(BYTE, bytes([1, 4, 0, 0])),
        0xC614: Field(ASCII, b"Maker Model\0"),
        0xC61D: longs(65535),
        0xC621: fractions(SIGNED_RATIONAL, *XYZ_TO_SRGB),
        0xC628: fractions(RATIONAL, 1, 1, 1),
        0xC65A: shorts(21),  # D65
    }


def dng(linear: np.ndarray, orientation: int = 1, exif: Directory = {}) -> bytes:  # noqa: B006  (never changed)
    """A DNG of grey light, uint16 (height, width)."""
    height, width = linear.shape
    start = len(HEADER) + len(packed(raw_tags(width, height, orientation, 0, exif), len(HEADER)))
    return HEADER + packed(raw_tags(width, height, orientation, start, exif), len(HEADER)) + linear.tobytes()


def ramp(width: int = 120, height: int = 80) -> np.ndarray:
    return np.tile(np.linspace(1000, 60000, width).astype(np.uint16), (height, 1))


def pixels(tiff: bytes) -> np.ndarray:
    """Of a TIFF as `write_tiff` writes it: they end the file."""
    header = read_header(tiff, 1e9)
    kind = np.dtype(np.uint8 if header.bits == 8 else "<u2")
    size = int(np.prod(header.upright_shape)) * kind.itemsize
    return np.frombuffer(tiff[-size:], kind).reshape(header.upright_shape)


@installed
def test_raw_is_developed_to_16_bits_of_srgb() -> None:
    developed = pixels(sendable(Path("a.DNG"), dng(ramp())))
    assert developed.dtype == np.uint16 and developed.shape == (80, 120, 3)
    light = ramp()[0] / 65535
    expected = np.where(light < 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    middle = developed[40, 4:-4] / 65535
    assert np.abs(middle - expected[4:-4, None]).max() < 0.02  # grey stays grey, and no brightness is made up
    assert (developed % 257).any()  # 8 bits would be multiples of it


@installed
def test_raw_is_upright_and_keeps_exif_and_lens() -> None:
    tiff = sendable(Path("a.dng"), dng(ramp(), orientation=6))
    header = read_header(tiff, 1e9)
    assert header.upright_shape == (120, 80, 3) and header.orientation == 1 and header.bits == 16
    exif = Image.Exif()
    exif.load(tiff)
    assert exif[MAKER] == "Maker" and exif.get_ifd(EXIF)[LENS] == "Own Lens 35mm"


def avif() -> bytes:
    exif = Image.Exif()
    exif[MAKER] = "Maker"
    return encoded(photo(64, 48), "AVIF", quality=98, exif=exif)


@installed
@pytest.mark.parametrize(("suffix", "content"), [(".heic", (HEIC / "photo.heic").read_bytes()), (".avif", avif())])
def test_heic_and_avif_keep_pixels_exif_and_profile(suffix: str, content: bytes) -> None:
    tiff = sendable(Path(f"a{suffix}"), content)
    assert np.abs(pixels(tiff).astype(int) - photo(64, 48)).mean() < 6
    found = Image.Exif()
    found.load(tiff)
    assert found[MAKER] == "Maker"


@installed
def test_ten_bits_of_heic_are_kept() -> None:
    deep = np.repeat(np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (48, 1))[..., None], 3, axis=2)
    developed = pixels(sendable(Path("a.heif"), (HEIC / "ramp.heif").read_bytes()))
    assert developed.dtype == np.uint16 and np.abs(developed.astype(int) - deep).max() < 200


def thumbnail_only() -> bytes:
    """What a camera file is to a reader that knows no RAW: a TIFF of its preview."""
    return encoded(photo(160, 120), "TIFF")


@installed
@pytest.mark.parametrize("name", ["a.dng", "a.nef", "a.cr3", "a.heic", "a.avif"])
@pytest.mark.parametrize("content", [b"", b"text", dng(ramp())[:3000], thumbnail_only(), encoded(photo(64, 48))])
def test_what_holds_no_raw_picture_is_refused_in_words(name: str, content: bytes) -> None:
    with pytest.raises(PhotoError, match=r"cannot be developed: .") as refused:
        sendable(Path(name), content)
    assert "Traceback" not in str(refused.value) and len(str(refused.value).splitlines()) == 1


@installed
def test_a_library_that_dies_is_one_photos_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(PhotoError, match=r"LibRaw died of it \(1\)"):
        sendable(Path("a.dng"), dng(ramp()))


def test_without_the_packages_the_message_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.camera, "is_installed", lambda: False)
    with pytest.raises(PhotoError, match="make setup PART=camera"):
        sendable(Path("a.nef"), b"raw")
    assert sendable(Path("a.jpg"), b"as it is") == b"as it is"


def fill(shoot: Path) -> None:
    (shoot / "inside").mkdir(parents=True)
    (shoot / "a.jpg").write_bytes(encoded(photo(90, 60)))
    (shoot / "inside/b.dng").write_bytes(dng(ramp()))
    (shoot / "c.NEF").write_bytes(b"no camera file")
    for name in ("notes.txt", "inside/more.txt", "clip.mov", "Thumbs"):
        (shoot / name).write_bytes(b"junk")


@installed
def test_a_folder_with_camera_files_and_junk(
    tmp_path: Path, identity_server: TritonServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "in")
    command = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--url", identity_server.grpc_url, "--json"]
    assert main(command) == 1
    report, told = capsys.readouterr()
    assert "passed over: 2 .txt" in told and json.loads(report)["passed_over"] == {".txt": 2, "Thumbs": 1, ".mov": 1}
    assert [each["source"] for each in json.loads(report)["failed"]] == ["c.NEF"]
    with Image.open(tmp_path / "out/inside/b.jpg") as image:
        assert (image.format, image.size) == ("JPEG", (120, 80)) and image.getexif()[MAKER] == "Maker"
    assert main([str(tmp_path / "in/inside/b.dng"), "-o", f"{tmp_path}/b.tif", "--url", identity_server.grpc_url]) == 0
    assert read_header((tmp_path / "b.tif").read_bytes(), 1e9).bits == 16


def test_camera_files_are_passed_over_and_counted_without_the_packages(
    tmp_path: Path, identity_server: TritonServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.batch.folders.is_installed", lambda: False)
    fill(tmp_path / "in")
    assert main([str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--url", identity_server.grpc_url]) == 0
    told = capsys.readouterr().err
    assert "1 done" in told and "1 .dng" in told and "1 .nef" in told and EXTRA in told
