"""Photo file to upright RGB with DALI: served by the DALI backend on a GPU, by model.py beside it on the CPU."""

from nvidia.dali import fn, pipeline_def, types
from nvidia.dali.data_node import DataNode
from nvidia.dali.plugin.triton import autoserialize


def decoded(device: str, dtype: types.DALIDataType = types.UINT8) -> DataNode:
    """The graph: input IMAGE, the bytes of a file; output (height, width, 3), EXIF orientation applied."""
    file = fn.external_source(device="cpu", name="IMAGE", dtype=types.UINT8, ndim=1)
    # Fancy upsampling is what libjpeg and Pillow do: the same pixels on every profile.
    return fn.decoders.image(file, device=device, dtype=dtype, output_type=types.RGB, jpeg_fancy_upsampling=True)


@autoserialize
@pipeline_def(batch_size=1, num_threads=4, device_id=0, output_dtype=[types.UINT8], output_ndim=[3])
def pipeline() -> DataNode:
    """The pipeline of the DALI backend: "mixed" decodes on the GPU what nvJPEG takes."""
    return decoded("mixed")
