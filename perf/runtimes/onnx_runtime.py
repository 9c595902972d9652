"""The served ONNX file in ONNX Runtime."""

from pathlib import Path

from perf.runtimes import CPU_THREADS, Array, Run, Tiles, Unavailable


def onnx_runtime(onnx: Path, provider: str) -> tuple[Run, str]:
    """ONNX Runtime with one execution provider.

    Raises:
        Unavailable: this build of onnxruntime lacks it.
    """
    import onnxruntime

    if provider not in onnxruntime.get_available_providers():
        raise Unavailable(f"this onnxruntime has no {provider}: install onnxruntime-gpu in its place")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = CPU_THREADS
    session = onnxruntime.InferenceSession(onnx, options, providers=[provider])

    def run(tiles: Tiles) -> Array:
        result: Array = session.run(None, tiles)[0]
        return result

    return run, f"onnxruntime {onnxruntime.__version__}"
