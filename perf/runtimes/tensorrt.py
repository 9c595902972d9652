"""The FP16 plan that the GPU profile serves, through TensorRT's own Python API; PyTorch lends the GPU's memory.

Not run yet: written from the documentation of TensorRT 10 and 11 (Python API, "Performing Inference").
"""

from pathlib import Path

import numpy as np

from perf.runtimes import Floats, Run, Unavailable


def tensorrt(onnx: Path) -> tuple[Run, str]:
    """The plan beside the served ONNX file.

    Raises:
        Unavailable: TensorRT, or a plan for this GPU, is missing.
    """
    import torch

    try:
        import tensorrt as trt  # type: ignore[import-not-found]
    except ImportError:
        raise Unavailable(
            "TensorRT's Python package is missing: it comes with the image of deploy/Dockerfile"
        ) from None
    plan = plan_beside(onnx, "{}.{}".format(*torch.cuda.get_device_capability()))
    engine = trt.Runtime(trt.Logger(trt.Logger.ERROR)).deserialize_cuda_engine(plan.read_bytes())
    if engine is None:
        raise Unavailable(
            f"{plan.name} does not load: it was built for another GPU or TensorRT; build it anew: make plan"
        )
    context = engine.create_execution_context()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def run(tiles: Floats, exponents: Floats) -> Floats:
        with torch.cuda.stream(stream):
            tensors = {"TILE": torch.from_numpy(tiles).cuda(), "EXPONENT": torch.from_numpy(exponents).cuda()}
            for name, tensor in tensors.items():
                context.set_input_shape(name, tuple(tensor.shape))
            tensors["EDITED"] = torch.empty(tiles.shape, dtype=torch.float32, device="cuda")
            for name, tensor in tensors.items():
                context.set_tensor_address(name, tensor.data_ptr())
            if not context.execute_async_v3(stream.cuda_stream):
                raise RuntimeError("TensorRT did not run the plan")
            return np.asarray(tensors["EDITED"].cpu().numpy())

    return run, f"tensorrt {trt.__version__}"


def plan_beside(onnx: Path, compute_capability: str) -> Path:
    """The plan for a GPU.

    Raises:
        Unavailable: the configuration names none, or it was not built.
    """
    from export.contract import read_contract
    from export.errors import ExportError

    try:
        plan = onnx.parent / read_contract(onnx.parent.parent).plan_name(compute_capability)
    except ExportError as error:
        raise Unavailable(str(error)) from None
    if not plan.exists():
        raise Unavailable(f"no plan for compute capability {compute_capability} is published: make plan RUN=name")
    return plan
