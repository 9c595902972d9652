"""Network to ONNX: torch's exporter, then cleaning."""

import logging
import warnings

import numpy as np
import onnx
import torch

from export.contract import Contract
from export.graph import clean

OPSET = 18  # the newest that torch's exporter writes without conversion; TensorRT 10.12 and later parse it
BATCH_AXIS = "batch"


def export_onnx(network: torch.nn.Module, contract: Contract) -> onnx.ModelProto:
    """Trace the network and clean the graph.

    Args:
        network: takes the contract's inputs in order, returns its one output.
        contract: names and shapes.

    Returns:
        FP32 ONNX of opset OPSET with a dynamic batch axis, weights inside.
    """
    example = tuple(
        torch.from_numpy(np.zeros(tensor.batched(2), tensor.dtype)) for tensor in contract.inputs
    )  # 2: torch specialises on 0 and 1
    batch = torch.export.Dim(BATCH_AXIS, min=1, max=max(contract.max_batch, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network,
            example,
            input_names=[tensor.name for tensor in contract.inputs],
            output_names=[tensor.name for tensor in contract.outputs],
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=tuple({0: batch} for _ in example),
            external_data=False,
            verbose=False,
        )
    assert program is not None  # for the type checker: None is what the exporter without dynamo returns
    return clean(onnx.ModelProto.FromString(program.model_proto.SerializeToString()))
