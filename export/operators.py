"""ONNX operators that TensorRT builds in FP16.

Source: the operator matrix of TensorRT's ONNX parser (onnx/onnx-tensorrt, docs/operators.md), rows whose types
name FP16. Kept to those that image-to-image networks use; an operator outside is refused until someone looks it up.
"""

import onnx

from export.errors import ExportError

ARITHMETIC = {
    "Add",
    "Div",
    "Exp",
    "Log",
    "MatMul",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Pow",
    "ReduceMean",
    "Sqrt",
    "Sub",
    "Sum",
}
ACTIVATIONS = {
    "Clip",
    "Elu",
    "HardSigmoid",
    "LeakyRelu",
    "PRelu",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
}
LAYERS = {
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "ConvTranspose",
    "Gemm",
    "GlobalAveragePool",
    "MaxPool",
    "Resize",
}
LAYOUT = {"Cast", "Concat", "Constant", "DepthToSpace", "Expand", "Flatten", "Gather", "Identity", "Pad", "Reshape"} | {
    "Shape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
}
QUANTISATION = {"DequantizeLinear", "QuantizeLinear"}
FP16_OPERATORS = ARITHMETIC | ACTIVATIONS | LAYERS | LAYOUT | QUANTISATION


def check_operators(model: onnx.ModelProto) -> None:
    """Refuse a graph with an operator that TensorRT would not run in FP16.

    Raises:
        ExportError: names the operators.
    """
    foreign = sorted({node.op_type for node in model.graph.node if node.domain or node.op_type not in FP16_OPERATORS})
    if foreign:
        raise ExportError(f"TensorRT builds no FP16 layer for {', '.join(foreign)}: see export/operators.py")
