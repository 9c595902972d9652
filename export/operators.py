# ruff: noqa: SIM905 (a list of strings would be unreadable)
"""ONNX operators that TensorRT builds in FP16.

Source: docs/operators.md of onnx/onnx-tensorrt, TensorRT's ONNX parser; its rows whose supported types name FP16, in
the matrix of release 9.2. Releases 10 and 11 add to it. DequantizeLinear takes INT8 and gives FP16.
"""

import onnx

from export.errors import ExportError

FP16_OPERATORS = frozenset(
    """
    Abs Acos Acosh Add ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization Cast CastLike Ceil Celu Clip
    Concat Constant Conv ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf
    Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gemm GlobalAveragePool GlobalLpPool
    GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity If
    ImageScaler InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
    Loop LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mod Mul Neg NonMaxSuppression
    NonZero OneHot PRelu Pad ParametricSoftplus Pow QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform
    RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize ReverseSequence RoiAlign Round ScaledTanh Scan Scatter
    ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax Softplus Softsign SpaceToDepth
    Split Sqrt Squeeze Sub Sum Tan Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where
    """.split()
)


def check_operators(model: onnx.ModelProto) -> None:
    """Refuse a graph with an operator that TensorRT would not run in FP16.

    Raises:
        ExportError: names the operators.
    """
    foreign = sorted({node.op_type for node in model.graph.node if node.domain or node.op_type not in FP16_OPERATORS})
    if foreign:
        raise ExportError(f"TensorRT builds no FP16 layer for {', '.join(foreign)}: see export/operators.py")


def check_bytes(model: onnx.ModelProto) -> None:
    """Refuse a graph that computes on UINT8: TensorRT converts it right at an input or an output, and no more.

    Source: its documentation of DataType.UINT8. No value may leave 0 to 255 before the Cast at an output.

    Raises:
        ExportError: names the node.
    """
    names = {
        value.name
        for value in (*model.graph.input, *model.graph.output)
        if value.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    }
    for node in model.graph.node:
        if node.op_type != "Cast" and names.intersection((*node.input, *node.output)):
            raise ExportError(
                f"{node.name} computes on UINT8, which TensorRT cannot: cast first, and last at the output"
            )
