"""An ONNX graph: cleaned by GraphSurgeon, and held to the configuration and to the weights it was made from."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from export.contract import Contract, Tensor
from export.errors import ExportError

FP16_TINY = 1e-7  # the smallest FP16 number is 6e-8; converters round smaller weights up to it


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file.

    Raises:
        ExportError: it does not parse.
    """
    try:
        return onnx.load(path)
    except DecodeError:
        raise ExportError(f"{path} does not read as ONNX: export the run again") from None


def clean(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold constants, drop dead nodes, sort, and remove the exporter's notes, which hold paths of this machine."""
    graph = gs.import_onnx(model)
    graph.fold_constants().cleanup(remove_unused_graph_inputs=False).toposort()
    cleaned: onnx.ModelProto = gs.export_onnx(graph, do_type_check=False)
    cleaned.ir_version = min(cleaned.ir_version, 10)  # the parser of TensorRT 10.12 reads up to 10
    for holder in (cleaned, cleaned.graph, *cleaned.graph.node, *cleaned.graph.initializer, *cleaned.graph.value_info):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    onnx.checker.check_model(cleaned, full_check=True)
    return cleaned


def check_contract(model: onnx.ModelProto, contract: Contract) -> None:
    """Compare names, types and shapes of a graph's inputs and outputs with the contract.

    Raises:
        ExportError: the first that differs, named.
    """
    _check_side("input", list(model.graph.input), contract.inputs)
    _check_side("output", list(model.graph.output), contract.outputs)


def _check_side(side: str, values: list[onnx.ValueInfoProto], tensors: tuple[Tensor, ...]) -> None:
    names = [value.name for value in values]
    expected = [tensor.name for tensor in tensors]
    if names != expected:
        raise ExportError(f"{side}s are named {names}, the configuration says {expected}")
    for value, tensor in zip(values, tensors, strict=True):
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        if dtype != tensor.dtype:
            raise ExportError(
                f"{side} {value.name} is {np.dtype(dtype).name}, the configuration says {tensor.dtype.name}"
            )
        batch, *sizes = value.type.tensor_type.shape.dim
        shape = tuple(size.dim_value for size in sizes)
        if shape != tensor.shape:
            raise ExportError(f"{side} {value.name} has tile shape {shape}, the configuration says {tensor.shape}")
        if not batch.dim_param:
            raise ExportError(
                f"{side} {value.name} has a fixed batch of {batch.dim_value}: export with a dynamic batch axis"
            )


def check_weights(model: onnx.ModelProto, weights: Mapping[str, NDArray[np.floating]]) -> None:
    """Find every weight of the reference in a graph, rounded to the graph's type but otherwise unchanged.

    Raises:
        ExportError: names the first weight that is missing or differs.
    """
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, weight in weights.items():
        if name not in stored and not weight.any():
            continue  # the exporter drops a bias of zeros
        if name not in stored or not _same(stored[name], weight):
            raise ExportError(f"weight {name} differs from the checkpoint's: the file is corrupt or of another run")


def _same(values: NDArray[np.floating], weight: NDArray[np.floating]) -> bool:
    return values.shape == weight.shape and np.allclose(values, weight.astype(values.dtype), rtol=0, atol=FP16_TINY)
