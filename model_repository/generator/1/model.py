"""generator, CPU profile: the ONNX file in OpenVINO."""

from pixels.engine import Engine as TritonPythonModel

__all__ = ["TritonPythonModel"]
