"""Layer information of a plan, as trtexec's ``--exportLayerInfo`` writes it: which precision did the builder choose?

TensorRT 10 writes a tensor's type into ``Format/Datatype`` ("Channel major FP16 format ..."), TensorRT 11 into a field
``DataType`` of its own. Weights carry their type ("Half", "Float") in both.
"""

import json
import re
from typing import Any

from export.errors import ExportError


def require_fp16(engine: dict[str, Any]) -> dict[str, int]:
    """Hold every convolution to FP16.

    Args:
        engine: the parsed file: ``{"Layers": [...], ...}``; layers are objects where the plan has detailed verbosity.

    Returns:
        Number of convolutions by precision.

    Raises:
        ExportError: names a convolution in FP32, or says that nothing can be proven.
    """
    layers = [layer for layer in engine.get("Layers", []) if isinstance(layer, dict)]
    convolutions = {str(layer.get("Name")): precision(layer) for layer in layers if _is_convolution(layer)}
    full = sorted(name for name, kind in convolutions.items() if kind == "FP32")
    if full:
        raise ExportError(f"the plan runs {len(full)} of {len(convolutions)} convolutions in FP32, such as {full[0]}")
    if "FP16" not in convolutions.values():
        raise ExportError(
            "the plan's layer information shows no FP16 convolution: build with --profilingVerbosity=detailed"
        )
    kinds = list(convolutions.values())
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def precision(layer: dict[str, Any]) -> str:
    """FP16, FP32 or unknown: by the weights where the layer shows them, else FP16 if any tensor is."""
    weights = layer.get("Weights")
    named = [str(weights.get("Type", ""))] if isinstance(weights, dict) else []
    named = named or [json.dumps(tensor) for tensor in (*layer.get("Inputs", []), *layer.get("Outputs", []))]
    text = " ".join(named)
    if re.search(r"\b(half|fp16)\b", text, re.IGNORECASE):
        return "FP16"
    return "FP32" if re.search(r"\b(float|fp32)\b", text, re.IGNORECASE) else "unknown"


def _is_convolution(layer: dict[str, Any]) -> bool:
    kinds = f"{layer.get('LayerType', '')} {layer.get('ParameterType', '')}"
    return "conv" in kinds.lower() and "reformat" not in kinds.lower()
