"""generator, CPU profile: the ONNX file in OpenVINO."""

from serving.engine import Engine as TritonPythonModel

__all__ = ["TritonPythonModel"]
