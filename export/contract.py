"""What a served network promises, read from its Triton configuration: the one source of names, shapes and files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

from export.errors import ExportError
from serving.versions import NETWORKS, weights_name

REPOSITORY = Path("model_repository")


@dataclass(frozen=True)
class Tensor:
    """One input or output: its shape counts no batch axis."""

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]

    @property
    def white(self) -> int:
        """What white is stored as: 1 where values are floats."""
        return int(np.iinfo(self.dtype.name).max) if self.dtype.kind == "u" else 1

    def batched(self, batch: int) -> tuple[int, ...]:
        """Shape of ``batch`` of these, the batch axis first."""
        return (batch, *self.shape)


@dataclass(frozen=True)
class Contract:
    """Names, types and sizes that every artefact of a network must keep, and what its files are called in a run.

    Attributes:
        name: of the model.
        inputs: in the order of the configuration, which is the order of the network's arguments.
        outputs: likewise.
        max_batch: most tiles that Triton puts into one execution.
        plan_names: file name of the plan by compute capability ("12.1"), as in ``cc_model_filenames``.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    max_batch: int
    plan_names: dict[str, str]

    @property
    def tile_px(self) -> int:
        """Edge of the square tile in pixels."""
        return self.inputs[0].shape[0]

    @property
    def weights(self) -> str:
        """File name of the weights."""
        return weights_name(self.name)

    @property
    def fp32_onnx(self) -> str:
        """File name of the FP32 ONNX."""
        return f"{self.name}.onnx"

    @property
    def fp16_onnx(self) -> str:
        """File name of the FP16 ONNX."""
        return f"{self.name}_fp16.onnx"

    def in_run(self, plan_name: str) -> str:
        """File name, in a run, of the plan that is served as plan_name."""
        return f"{self.name}.{plan_name}"

    def plan(self, compute_capability: str) -> str:
        """File name, in a run, of the plan for a GPU of this compute capability.

        Raises:
            ExportError: the configuration serves no such GPU.
        """
        if compute_capability not in self.plan_names:
            served = ", ".join(self.plan_names) or "none"
            raise ExportError(
                f"the configuration serves no GPU of compute capability {compute_capability} (only {served}): "
                f"add it to cc_model_filenames in {REPOSITORY / self.name / 'config.pbtxt'}"
            )
        return self.in_run(self.plan_names[compute_capability])

    def published_plan(self, version: Path, compute_capability: str) -> Path:
        """The plan for a GPU in a version's folder.

        Raises:
            ExportError: the configuration serves no such GPU, or the plan was not built.
        """
        self.plan(compute_capability)
        plan = version / self.plan_names[compute_capability]
        if not plan.exists():
            raise ExportError(f"no plan for compute capability {compute_capability} is published: make plan RUN=name")
        return plan


def read_contracts(repository: Path = REPOSITORY) -> list[Contract]:
    """The contracts of all networks; raises as :func:`read_contract`."""
    return [read_contract(repository / name) for name in NETWORKS]


def read_contract(model_dir: Path) -> Contract:
    """Read ``config.pbtxt`` of a model folder.

    Raises:
        ExportError: the file is missing, does not parse, or leaves a size open.
    """
    path = model_dir / "config.pbtxt"
    try:
        config = text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
    except FileNotFoundError:
        raise ExportError(f"{path} is missing: run from the repository's root") from None
    except text_format.ParseError as error:
        raise ExportError(f"{path}: {error}") from None
    contract = Contract(
        name=model_dir.name,
        inputs=tuple(map(_tensor, config.input)),
        outputs=tuple(map(_tensor, config.output)),
        max_batch=config.max_batch_size,
        plan_names=dict(config.cc_model_filenames),
    )
    if any(size < 1 for tensor in contract.inputs + contract.outputs for size in tensor.shape):
        raise ExportError(
            f"{path}: tiles need fixed sizes (found -1), or tiles of different photos never share a batch"
        )
    return contract


def _tensor(config: model_config_pb2.ModelInput | model_config_pb2.ModelOutput) -> Tensor:
    type_name = model_config_pb2.DataType.Name(config.data_type).removeprefix("TYPE_")
    return Tensor(config.name, np.dtype(triton_to_np_dtype(type_name)), tuple(config.dims))
