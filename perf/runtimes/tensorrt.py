"""The FP16 plan that the GPU profile serves, through TensorRT's own Python API; PyTorch lends the GPU's memory.

Not run yet: written from the documentation of TensorRT 10 and 11 (Python API, "Performing Inference").
"""

from pathlib import Path

import numpy as np

from perf.runtimes import Array, Run, Tiles, Unavailable


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
            f"{plan.name} does not load: it was built for another GPU or TensorRT; build it again: make plan"
        )
    context = engine.create_execution_context()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    names = [engine.get_tensor_name(number) for number in range(engine.num_io_tensors)]
    (output,) = (name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.OUTPUT)
    kind = {trt.float32: torch.float32, trt.uint8: torch.uint8}[engine.get_tensor_dtype(output)]

    def run(tiles: Tiles) -> Array:
        with torch.cuda.stream(stream):
            tensors = {name: torch.from_numpy(array).cuda() for name, array in tiles.items()}
            for name, tensor in tensors.items():
                context.set_input_shape(name, tuple(tensor.shape))
            tensors[output] = torch.empty(tuple(context.get_tensor_shape(output)), dtype=kind, device="cuda")
            for name, tensor in tensors.items():
                context.set_tensor_address(name, tensor.data_ptr())
            if not context.execute_async_v3(stream.cuda_stream):
                raise RuntimeError("TensorRT did not run the plan")
            return np.asarray(tensors[output].cpu().numpy())

    return run, f"tensorrt {trt.__version__}"


def plan_beside(onnx: Path, compute_capability: str) -> Path:
    """The plan for a GPU.

    Raises:
        Unavailable: the configuration names none, or it was not built.
    """
    from export.contract import read_contract
    from export.errors import ExportError

    try:
        contract = read_contract(onnx.parent.parent)
        contract.plan(compute_capability)
    except ExportError as error:
        raise Unavailable(str(error)) from None
    plan = onnx.with_name(contract.plan_names[compute_capability])
    if not plan.exists():
        raise Unavailable(f"no plan for compute capability {compute_capability} is published: make plan RUN=name")
    return plan
