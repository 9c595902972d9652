"""JPEG files to RGB with DALI: libjpeg-turbo on the CPU, nvJPEG in front of it on a GPU."""

import importlib.util
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from nvidia.dali import fn, pipeline_def, types
from nvidia.dali.data_node import DataNode
from nvidia.dali.pipeline import Pipeline

from pixels.codecs.header import Header

DECODERS = {"cpu": ("libjpeg_turbo_ext.so*",), "mixed": ("libjpeg_turbo_ext.so*", "libnvjpeg_ext.so*")}
EXTENSIONS = "NVIMGCODEC_EXTENSIONS_PATH"


class JpegReader:
    """A DALI pipeline, built once.

    Args:
        device: of DALI's decoder, "cpu" or "mixed".
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._pipeline = self._build()

    def __call__(self, file: memoryview, header: Header) -> NDArray[np.uint8]:
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


def only_jpeg_decoders(device: str) -> tempfile.TemporaryDirectory[str]:
    """Let nvImageCodec find the decoders of JPEG alone: no OpenCV takes over where they refuse.

    To be called before the first pipeline of a process is built; the folder has to stay.

    Raises:
        FileNotFoundError: nvImageCodec is not installed as it should be.
    """
    package = importlib.util.find_spec("nvidia.nvimgcodec")
    folders = list(package.submodule_search_locations or []) if package else []
    found = [path for folder in folders for name in DECODERS[device] for path in Path(folder, "extensions").glob(name)]
    if len(found) < len(DECODERS[device]):
        raise FileNotFoundError(f"no {' or '.join(DECODERS[device])} in {folders}; install nvidia-nvimgcodec again")
    alone = tempfile.TemporaryDirectory(prefix="enhancer-decoders-")
    for path in found:
        Path(alone.name, path.name).symlink_to(path)
    os.environ[EXTENSIONS] = alone.name
    return alone
