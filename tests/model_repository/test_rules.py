"""What the server and its backends ask of a configuration, rule by rule, for what no test here can load.

Each rule names the source that enforces it, in triton-inference-server/core, tensorrt_backend and python_backend as of
August 2026. The CPU profile's configurations are held to them too, although the server in the tests loads those.
"""

import pytest
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from files.checkout import MODEL_REPOSITORY
from tests.model_repository.configs import CPU, ENSEMBLES, GPU, MODELS, NETWORKS, PROFILES, PYTHON, config, type_name

CAPABILITIES = ["8.6", "8.9", "9.0", "10.0", "12.0", "12.1"]
"""Ampere and Ada workstations, Hopper, Blackwell in the data centre, on a desk, and in the DGX Spark."""
TENSORRT_TYPES = {f"TYPE_{name}" for name in ("FP32", "FP16", "BF16", "INT8", "UINT8", "INT32", "INT64", "BOOL")}
"""tensorrt_utils.cc, ConvertDataTypeToTrtType."""

every_config = pytest.mark.parametrize(("model", "profile"), [(model, each) for model in MODELS for each in PROFILES])
every_network = pytest.mark.parametrize("model", NETWORKS)


@every_config
def test_a_model_says_what_runs_it(model: str, profile: str) -> None:
    """core/model_config_utils.cc, ValidateModelConfig: a backend, or a platform; an ensemble has no backend."""
    settings = config(model, profile)
    assert settings.name in (model, "")  # which is the folder's name then
    assert bool(settings.backend) != bool(settings.platform)
    assert (settings.platform == "ensemble") == settings.HasField("ensemble_scheduling")


@every_config
def test_every_tensor_has_a_type_and_a_shape(model: str, profile: str) -> None:
    """core/model_config_utils.cc, ValidateIOShape: sizes are 1 or more, or -1 where they vary; no scalars."""
    settings = config(model, profile)
    for tensor in (*settings.input, *settings.output):
        assert tensor.name and type_name(tensor) != "TYPE_INVALID"
        assert tensor.dims and all(size == -1 or size >= 1 for size in tensor.dims)


@every_config
def test_every_model_says_where_it_runs(model: str, profile: str) -> None:
    """core/model_config_utils.cc: without a kind the backend chooses, and Python's chooses a GPU (python_be.cc)."""
    settings = config(model, profile)
    expected = ModelInstanceGroup.KIND_GPU if settings.platform == "tensorrt_plan" else ModelInstanceGroup.KIND_CPU
    assert {group.kind for group in settings.instance_group} == (set() if model in ENSEMBLES else {expected})
    assert all(group.count >= 1 for group in settings.instance_group)


@every_config
def test_no_queue_policy_on_a_single_instance(model: str, profile: str) -> None:
    """core/scheduler_utils.cc, PriorityQueue: a policy turns prefetching off, and a single instance then idles."""
    settings = config(model, profile)
    if settings.dynamic_batching.HasField("default_queue_policy"):
        assert sum(group.count for group in settings.instance_group) >= 2


@every_config
def test_warm_up_is_a_request_that_the_model_takes(model: str, profile: str) -> None:
    """core/backend_model_instance.cc, GenerateWarmupData: every size stated; all inputs, as for any request."""
    settings = config(model, profile)
    inputs = {each.name: (each.data_type, list(each.dims)) for each in settings.input}
    for sample in settings.model_warmup:
        assert 1 <= sample.batch_size <= settings.max_batch_size
        assert {name: (each.data_type, list(each.dims)) for name, each in sample.inputs.items()} == inputs


@pytest.mark.parametrize("model", ENSEMBLES)
@pytest.mark.parametrize("profile", PROFILES)
def test_an_ensembles_tensors_fit(model: str, profile: str) -> None:
    """core/ensemble_utils.cc: each input of a step is mapped once, one type for a tensor, shapes equal but for -1."""
    ensemble = config(model, profile)
    known = {each.name: each for each in ensemble.input}
    for step in ensemble.ensemble_scheduling.step:
        settings = config(step.model_name, profile)
        assert settings.max_batch_size in (0, ensemble.max_batch_size)
        inputs, outputs = ({each.name: each for each in tensors} for tensors in (settings.input, settings.output))
        assert set(step.input_map) == set(inputs) and set(step.output_map) <= set(outputs)
        for name, tensor in step.input_map.items():
            assert fits(known[tensor], inputs[name]), (step.model_name, name)
        assert not set(step.output_map.values()) & known.keys()
        known |= {tensor: outputs[name] for name, tensor in step.output_map.items()}
    assert all(fits(known[each.name], each) for each in ensemble.output)


def fits(one: object, other: object) -> bool:
    sizes = list(zip(one.dims, other.dims, strict=False))
    same = len(one.dims) == len(other.dims) and all(a == b or -1 in (a, b) for a, b in sizes)
    return type_name(one) == type_name(other) and same


@pytest.mark.parametrize("model", PYTHON)
def test_python_models_get_host_memory(model: str) -> None:
    """python_be.cc: tensors stay in the GPU's memory only where FORCE_CPU_ONLY_INPUT_TENSORS says "no"."""
    for profile in PROFILES:
        parameter = config(model, profile).parameters["FORCE_CPU_ONLY_INPUT_TENSORS"]
        assert parameter.string_value in ("", "yes")


@every_network
def test_tensorrt_knows_the_types_of_its_tensors(model: str) -> None:
    """tensorrt_utils.cc, ConvertDataTypeToTrtType. TensorRT takes UINT8 at a network's ends alone, behind a Cast."""
    settings = config(model, GPU)
    assert {type_name(each) for each in (*settings.input, *settings.output)} <= TENSORRT_TYPES


@every_network
def test_a_plans_batch_is_its_first_axis(model: str) -> None:
    """tensorrt_backend, model_state.cc: an engine has one dim more than its configuration; fixed dims share batches."""
    settings = config(model, GPU)
    assert settings.max_batch_size >= 1 and settings.HasField("dynamic_batching")
    assert all(size >= 1 for each in (*settings.input, *settings.output) for size in each.dims)
    assert all(1 <= size <= settings.max_batch_size for size in settings.dynamic_batching.preferred_batch_size)


@every_network
def test_every_gpu_has_a_plan_of_its_own(model: str) -> None:
    """tensorrt_backend, model_state.cc: a key is major.minor; a GPU without one would be given model.plan."""
    settings = config(model, GPU)
    assert dict(settings.cc_model_filenames) == {each: f"model.sm{each.replace('.', '')}.plan" for each in CAPABILITIES}
    assert not settings.default_model_filename


@every_network
def test_no_cuda_graph_is_captured(model: str) -> None:
    """With them a request may get another one's result (triton-inference-server/server, issue 8550)."""
    assert not config(model, GPU).HasField("optimization")


@every_config
def test_model_files_have_the_names_that_backends_look_for(model: str, profile: str) -> None:
    """python_be.cc: model.py unless default_model_filename says otherwise. One copy serves every version."""
    settings: ModelConfig = config(model, profile)
    folder = MODEL_REPOSITORY / model / "1"
    assert folder.is_dir()
    if settings.backend == "python":
        assert not settings.default_model_filename and (folder / "model.py").is_file()


def test_every_model_has_a_cpu_profile_without_a_gpu() -> None:
    """core/model_repository_manager.cc: where configs/cpu.pbtxt is missing, the GPU's is taken."""
    for model in MODELS:
        settings = config(model, CPU)
        assert settings.backend == "python" or model in ENSEMBLES
        assert [path.name for path in (MODEL_REPOSITORY / model / "configs").iterdir()] == ["cpu.pbtxt"]
