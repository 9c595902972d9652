"""JPEG files to RGB with DALI: libjpeg-turbo on the CPU, nvJPEG in front of it on a GPU."""

import contextlib
import hashlib
import importlib.util
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from nvidia.dali import fn, pipeline_def, types
from nvidia.dali.data_node import DataNode
from nvidia.dali.pipeline import Pipeline

from codec.header import Header

DECODERS = {"cpu": ("libjpeg_turbo_ext.so*",), "mixed": ("libjpeg_turbo_ext.so*", "libnvjpeg_ext.so*")}
EXTENSIONS = "NVIMGCODEC_EXTENSIONS_PATH"


class JpegReader:
    """A DALI pipeline, built once and tried.

    Args:
        device: of DALI's decoder, "cpu" or "mixed".

    Raises:
        RuntimeError: it decodes nothing, so that no photo would be to blame.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._pipeline = self._build()
        _, black = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))
        self(black.data)

    def __call__(self, file: memoryview, _header: Header | None = None) -> NDArray[np.uint8]:
        """RGB (height, width, 3) in memory that the next photo gets.

        Raises:
            RuntimeError: a damaged file.
        """
        try:
            self._pipeline.feed_input("IMAGE", [np.frombuffer(file, np.uint8)])
            (photos,) = self._pipeline.run()
        except RuntimeError:
            self._pipeline = self._build()  # an error ends a DALI pipeline
            raise
        return np.asarray(photos.as_cpu()[0] if self._device == "mixed" else photos[0])

    def _build(self) -> Pipeline:
        pipe = pipeline_def(_decoded)(
            self._device, batch_size=1, num_threads=1, device_id=None if self._device == "cpu" else 0,
            prefetch_queue_depth=1, exec_pipelined=False, exec_async=False, exec_dynamic=False,
        )  # fmt: skip
        pipe.build()
        return pipe


def _decoded(device: str) -> DataNode:
    """The graph: input IMAGE, the bytes of a file; output (height, width, 3) as stored."""
    file = fn.external_source(device="cpu", name="IMAGE", dtype=types.UINT8, ndim=1)
    # Fancy upsampling is what libjpeg and Pillow do: the same pixels on every profile.
    return fn.decoders.image(
        file, device=device, output_type=types.RGB, jpeg_fancy_upsampling=True, adjust_orientation=False
    )


def find_only_jpeg_decoders(device: str) -> None:
    """Let nvImageCodec find the decoders of JPEG alone: no OpenCV takes over where they refuse.

    To be called before the first pipeline of a process is built. It takes a folder, of which there is one for each
    installation, in the folder for temporary files.

    Raises:
        FileNotFoundError: nvImageCodec is not installed as it should be.
        PermissionError: somebody else has made that folder.
    """
    package = importlib.util.find_spec("nvidia.nvimgcodec")
    folders = list(package.submodule_search_locations or []) if package else []
    found = [path for folder in folders for name in DECODERS[device] for path in Path(folder, "extensions").glob(name)]
    if len(found) < len(DECODERS[device]):
        raise FileNotFoundError(f"no {' or '.join(DECODERS[device])} in {folders}; install nvidia-nvimgcodec again")
    installation = hashlib.sha256("".join(map(str, found)).encode()).hexdigest()[:16]
    alone = Path(tempfile.gettempdir(), f"enhancer-decoders-{os.getuid()}-{installation}")
    alone.mkdir(mode=0o700, exist_ok=True)
    if alone.is_symlink() or alone.stat().st_uid != os.getuid():
        raise PermissionError(f"{alone} belongs to somebody else; remove it")
    for path in found:
        with contextlib.suppress(FileExistsError):
            Path(alone, path.name).symlink_to(path)
    os.environ[EXTENSIONS] = str(alone)
