"""The engines that run a network outside the server, each as a Polygraphy runner: activated once, fed batches by name.

Exports are compared in them, benchmarks time them. PyTorch is `export.torch_runner`. OpenVINO, which the server's own
environment has and this one lacks, is `serving.inference`.
"""

from pathlib import Path

from polygraphy.backend.base import BaseRunner
from polygraphy.backend.onnxrt import OnnxrtRunner

from export.errors import ExportError


def onnxruntime_runner(model: bytes | str, threads: int = 2, provider: str = "CPUExecutionProvider") -> BaseRunner:
    """ONNX Runtime with one execution provider.

    Args:
        model: the ONNX file's bytes, or its path.
        threads: of the CPU.
        provider: its name.

    Raises:
        ExportError: this build of onnxruntime lacks the provider.
    """
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise ExportError(f"this onnxruntime has no {provider}: install onnxruntime-gpu in its place")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return OnnxrtRunner(lambda: onnxruntime.InferenceSession(model, options, providers=[provider]), name="onnxruntime")


def tensorrt_runner(plan: Path) -> BaseRunner:
    """TensorRT on the GPU.

    Raises:
        ExportError: TensorRT's Python package is missing.
    """
    try:
        import tensorrt  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        raise ExportError(
            "TensorRT's Python package is missing: it comes with the image of deploy/container/Dockerfile"
        ) from None
    from polygraphy.backend.common import BytesFromPath
    from polygraphy.backend.trt import EngineFromBytes, TrtRunner

    return TrtRunner(EngineFromBytes(BytesFromPath(str(plan))), name="tensorrt")
