"""The two profiles agree, and the ensemble's tensors fit its models. Configurations are parsed by Triton's protobuf."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from files.checkout import MODEL_REPOSITORY
from pixels.curves import CELLS, KNOTS
from pixels.tiling import TILE_PX
from serving.versions import NETWORKS, model_names, styles

MODELS = ("enhance", "enhance_brackets", "decode", "merge", "tiler", *NETWORKS, "encode", "styles")
GPU, CPU = "config.pbtxt", "configs/cpu.pbtxt"


def config(model: str, profile: str) -> ModelConfig:
    return text_format.Parse((MODEL_REPOSITORY / model / profile).read_text(), ModelConfig())


def test_the_repository_holds_these_models_and_no_other() -> None:
    named = {name for style in styles(MODEL_REPOSITORY) for name in model_names(style)}
    assert {path.name for path in MODEL_REPOSITORY.iterdir() if path.is_dir()} == {*MODELS, *named}


@pytest.mark.parametrize("model", MODELS)
def test_profiles_agree(model: str) -> None:
    gpu, cpu = config(model, GPU), config(model, CPU)
    for field in ("name", "input", "output", "max_batch_size", "ensemble_scheduling"):
        assert getattr(gpu, field) == getattr(cpu, field), field
    assert gpu.name == ("" if model in NETWORKS else model)  # styles of other names link to these configurations


@pytest.mark.parametrize("model", MODELS)
def test_no_unknown_file_sits_in_configs(model: str) -> None:
    """A misspelt profile would fall back to config.pbtxt without a word."""
    assert [path.name for path in (MODEL_REPOSITORY / model / "configs").iterdir()] == ["cpu.pbtxt"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("profile", [GPU, CPU])
def test_the_model_file_is_there(model: str, profile: str) -> None:
    settings = config(model, profile)
    if settings.backend == "python":
        assert (MODEL_REPOSITORY / model / "1/model.py").is_file()
    assert (MODEL_REPOSITORY / model / "1").is_dir()


def test_the_cpu_profile_needs_no_gpu() -> None:
    for model in MODELS:
        settings = config(model, CPU)
        assert settings.backend == "python" or settings.platform == "ensemble"
        assert all(group.kind == group.KIND_CPU for group in settings.instance_group)


def test_the_profiles_differ_in_devices_and_engines_alone() -> None:
    gpu, cpu = config("decode", GPU), config("decode", CPU)
    assert gpu.parameters["device"].string_value == "mixed"
    assert cpu.parameters["device"].string_value == "cpu"
    gpu.parameters["device"].string_value = "cpu"
    assert gpu == cpu
    assert {config(network, GPU).platform for network in NETWORKS} == {"tensorrt_plan"}


@pytest.mark.parametrize("profile", [GPU, CPU])
def test_the_limit_of_pixels_holds_from_one_end_to_the_other(profile: str) -> None:
    models = ("decode", "merge", "encode")
    limits = {config(model, profile).parameters["max_megapixels"].string_value for model in models}
    assert len(limits) == 1 and "" not in limits


@pytest.mark.parametrize("profile", [GPU, CPU])
@pytest.mark.parametrize("bound", ["max_waiting_megabytes", "max_waiting_photos"])
def test_photos_and_merged_scenes_wait_in_one_room(profile: str, bound: str) -> None:
    limits = {config(model, profile).parameters[bound].string_value for model in ("decode", "merge")}
    assert len(limits) == 1 and "" not in limits


@pytest.mark.parametrize("name", ["enhance", "enhance_brackets"])
def test_the_ensembles_connect_tensors_of_the_same_type(name: str) -> None:
    ensemble = config(name, GPU)
    known = {each.name: each.data_type for each in ensemble.input}
    for step in ensemble.ensemble_scheduling.step:
        model = config(step.model_name, GPU)
        inputs = {each.name: each.data_type for each in model.input}
        outputs = {each.name: each.data_type for each in model.output}
        assert set(step.input_map) == set(inputs)
        for name, tensor in step.input_map.items():
            assert inputs[name] == known[tensor], (step.model_name, name)
        known |= {tensor: outputs[name] for name, tensor in step.output_map.items()}
    assert all(known[each.name] == each.data_type for each in ensemble.output)


def test_tiles_have_one_fixed_shape() -> None:
    """Only then does the dynamic batcher put tiles of different photos into one batch."""
    refiner, generator = config("refiner", GPU), config("generator", GPU)
    for each in (*refiner.input, *refiner.output, *generator.input):
        assert list(each.dims) == [TILE_PX, TILE_PX, 3]
    assert list(generator.output[0].dims) == [3 * len(KNOTS), CELLS, CELLS]
    assert all(config(network, profile).HasField("dynamic_batching") for network in NETWORKS for profile in (GPU, CPU))


@pytest.mark.parametrize("network", NETWORKS)
def test_the_smallest_and_the_largest_batch_are_warmed_up(network: str) -> None:
    settings = config(network, GPU)
    assert {warmup.batch_size for warmup in settings.model_warmup} == {1, settings.max_batch_size}


@pytest.mark.parametrize("network", NETWORKS)
def test_the_shipped_network_fits_the_configuration(network: str) -> None:
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(MODEL_REPOSITORY / network / "1/model.onnx").graph
    shapes = {
        each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim][1:]
        for each in [*graph.input, *graph.output]
    }
    settings = config(network, GPU)
    assert shapes == {each.name: list(each.dims) for each in [*settings.input, *settings.output]}


def test_the_networks_are_of_one_run() -> None:
    manifests = {(MODEL_REPOSITORY / network / "1/manifest.json").read_text() for network in NETWORKS}
    assert len(manifests) == 1


def test_model_files_are_thin() -> None:
    """The maths lives in pixels, where it is tested without a server."""
    for path in MODEL_REPOSITORY.glob("*/1/*.py"):
        assert len(path.read_text().splitlines()) < 100, Path(path).name
