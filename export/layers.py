"""Layer information of a plan, as trtexec's ``--exportLayerInfo`` writes it: which precision did the builder choose?

A layer of a finished engine may be called anything: Myelin, the compiler inside TensorRT, fuses and renames. Its
``Metadata`` names the ONNX nodes that went into it, ``[ONNX Layer: node_conv2d]``, one after the other. What
the layer computes in is told by its weights' type, else by its tactic ("..._gemm_f16f16_..."), else by its tensors:
TensorRT 10 writes their type into ``Format/Datatype``, TensorRT 11 into a field ``DataType`` of its own.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import onnx

from export.errors import ExportError

CONVOLUTIONS = ("Conv", "ConvTranspose")
UNKNOWN = "could not tell"
TYPES = {
    "FP16": r"\b(half|fp16)\b",
    "BF16": r"\b(bf16|bfloat16)\b",
    "INT8": r"\bint8\b",
    "FP32": r"\b(float|fp32|tf32)\b",
}
TACTIC = re.compile(r"gemm_(bf16|tf32|f16|f32|i8)")
TACTIC_TYPES = {"bf16": "BF16", "tf32": "FP32", "f16": "FP16", "f32": "FP32", "i8": "INT8"}
ONNX_NODE = re.compile(r"\[ONNX Layer: ([^\]]+)\]")


@dataclass(frozen=True)
class Precisions:
    """What the convolutions of a plan run in.

    Attributes:
        found: precision, or UNKNOWN, by the name of the ONNX node.
    """

    found: dict[str, str]

    def count(self) -> dict[str, int]:
        """Number of convolutions by precision."""
        return dict(sorted(Counter(self.found.values()).items()))

    def require_fp16(self) -> str | None:
        """Hold every convolution to FP16, as far as can be told.

        Returns:
            A warning, where some of them cannot be told.

        Raises:
            ExportError: names a convolution in another precision.
        """
        others = {name: kind for name, kind in sorted(self.found.items()) if kind not in ("FP16", UNKNOWN)}
        if others:
            name, kind = next(iter(others.items()))
            raise ExportError(
                f"the plan runs {len(others)} of {len(self.found)} FP16 convolutions in another precision, "
                f"such as {name} in {kind}: it fell back, and would be slow"
            )
        unknown = list(self.found.values()).count(UNKNOWN)
        return f"could not tell the precision of {unknown} of {len(self.found)} convolutions" if unknown else None


def half_convolutions(model: onnx.ModelProto) -> set[str]:
    """Names of the convolutions whose weights are FP16: those that a plan must run in it."""
    halves = {each.name for each in model.graph.initializer if each.data_type == onnx.TensorProto.FLOAT16}
    return {node.name for node in model.graph.node if node.op_type in CONVOLUTIONS and node.input[1] in halves}


def precisions(engine: dict[str, Any], convolutions: set[str]) -> Precisions:
    """Find what became of convolutions.

    Args:
        engine: the parsed file: ``{"Layers": [...], ...}``; layers are objects where the plan has detailed verbosity.
        convolutions: names of ONNX nodes.
    """
    layers = [layer for layer in engine.get("Layers", []) if isinstance(layer, dict)]
    made_of = [(layer, onnx_nodes(layer)) for layer in layers]
    found = {}
    for name in sorted(convolutions):
        ours = [layer for layer, nodes in made_of if name in nodes]
        kinds = {precision(layer) for layer in [each for each in ours if _computes(each)] or ours}
        found[name] = kinds.pop() if len(kinds) == 1 else UNKNOWN
    return Precisions(found)


def onnx_nodes(layer: dict[str, Any]) -> set[str]:
    """ONNX nodes that went into a layer; its own name, where it has no metadata."""
    return set(ONNX_NODE.findall(str(layer.get("Metadata", "")))) or {str(layer.get("Name"))}


def precision(layer: dict[str, Any]) -> str:
    """Precision of one layer, by its weights, its tactic, or its tensors, of which one in half precision is enough."""
    weights = layer.get("Weights")
    if isinstance(weights, dict) and (kind := _named(str(weights.get("Type", "")))) != UNKNOWN:
        return kind
    if tactic := TACTIC.search(str(layer.get("TacticName", ""))):
        return TACTIC_TYPES[tactic[1]]
    return _named(" ".join(json.dumps(tensor) for tensor in (*layer.get("Inputs", []), *layer.get("Outputs", []))))


def _named(text: str) -> str:
    return next((kind for kind, pattern in TYPES.items() if re.search(pattern, text, re.IGNORECASE)), UNKNOWN)


def _computes(layer: dict[str, Any]) -> bool:
    """Whether it multiplies, and does not only move or convert (Myelin's ``kgen``, TensorRT's Reformat)."""
    text = " ".join(str(layer.get(key, "")) for key in ("LayerType", "ParameterType", "TacticName"))
    return re.search(r"conv|gemm|fprop", text, re.IGNORECASE) is not None and "reformat" not in text.lower()
