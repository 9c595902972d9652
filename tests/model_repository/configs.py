"""The repository's configurations, parsed by Triton's protobuf."""

from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import DataType, ModelConfig

from files.checkout import MODEL_REPOSITORY

GPU, CPU = "config.pbtxt", "configs/cpu.pbtxt"
PROFILES = (GPU, CPU)


def config(model: str, profile: str) -> ModelConfig:
    return text_format.Parse((MODEL_REPOSITORY / model / profile).read_text(), ModelConfig())


def type_name(tensor: object) -> str:
    """Such as TYPE_UINT8."""
    return str(DataType.Name(tensor.data_type))  # type: ignore[attr-defined]


MODELS = sorted(path.name for path in MODEL_REPOSITORY.iterdir() if (path / GPU).is_file())
NETWORKS = [model for model in MODELS if config(model, GPU).platform == "tensorrt_plan"]
ENSEMBLES = [model for model in MODELS if config(model, GPU).platform == "ensemble"]
PYTHON = [model for model in MODELS if config(model, GPU).backend == "python"]
