"""The scenario file: what is shipped is valid, and mistakes in it are named."""

from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
from tritonclient.utils import np_to_triton_dtype

from files.checkout import MODEL_REPOSITORY
from perf.errors import PerfError
from perf.load.inputs import model_inputs
from perf.load.scenarios import SCENARIOS, choose, read_scenarios
from perf.photos import photo_file
from tests.photos import decoded

SHIPPED = SCENARIOS.read_text()
MINE = '[scenario.mine]\nabout = "mine"\nphotos = ["2mp"]\nrequests = 3\n'


def read(text: str, folder: Path) -> None:
    path = folder / "scenarios.toml"
    path.write_text(text)
    read_scenarios(path)


def test_the_shipped_file_covers_sizes_modes_ways_models_and_loads() -> None:
    scenarios = read_scenarios().values()
    one_at_a_time = {(round(each.megapixels), each.mode) for each in scenarios if each.levels == (1,)}
    assert one_at_a_time >= {(size, mode) for size in (2, 12, 24, 45) for mode in ("fast", "full")}
    assert {each.transport for each in scenarios} == {"grpc", "http", "shared-memory"}
    assert {each.load for each in scenarios} == {"concurrency", "poisson", "burst"}
    assert {each.model for each in scenarios} == {"enhance", "decode", "tiler", "generator", "refiner", "encode"}
    assert any(len(set(each.sizes_px)) > 2 for each in scenarios)


@pytest.mark.parametrize(
    ("mistake", "named"),
    [
        ("concurency = [1]", "concurency"),
        ("concurrency = [1]\nburst = [4]", "valid under each of"),
        ("", "not valid under any"),
        ("concurrency = [0]", "less than the minimum"),
        ('concurrency = [1]\nmode = "best"', "'best'"),
        ('concurrency = [1]\nphotos = ["3mp"]', "3mp"),
        ('concurrency = [1]\ntransport = "http"\nmode = "fast"', "over HTTP"),
        ("concurrency = [1", "mine|line|Unclosed"),
    ],
)
def test_a_mistake_is_named(mistake: str, named: str, tmp_path: Path) -> None:
    scenario = MINE.replace('photos = ["2mp"]\n', "") if "photos" in mistake else MINE
    with pytest.raises(PerfError, match=named):
        read(f"{SHIPPED}\n{scenario}{mistake}\n", tmp_path)


def test_a_scenario_of_ones_own_is_read(tmp_path: Path) -> None:
    read(f"{SHIPPED}\n{MINE}concurrency = [1]\n", tmp_path)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(PerfError, match="no scenario smoky: choose from smoke, photo-512px"):
        choose(["smoky"])
    assert [each.name for each in choose(["smoke"])] == ["smoke"]


@pytest.mark.parametrize("model", ["enhance", "decode", "tiler", "generator", "refiner", "encode"])
def test_inputs_are_what_the_model_takes(model: str) -> None:
    text = (MODEL_REPOSITORY / model / "config.pbtxt").read_text()
    config = text_format.Parse(text, ModelConfig())
    tensors = model_inputs(model, photo_file(640, 480))
    assert set(tensors) == {each.name for each in config.input}
    for each in config.input:
        tensor = tensors[each.name]
        assert (
            f"TYPE_{np_to_triton_dtype(tensor.dtype)}"
            == ModelConfig.DESCRIPTOR.file.enum_types_by_name["DataType"].values_by_number[each.data_type].name
        )
        assert len(tensor.shape) == len(each.dims)
        assert all(wanted in (-1, size) for wanted, size in zip(each.dims, tensor.shape, strict=True))


def test_photos_have_a_cameras_size_and_grain() -> None:
    file = photo_file(1732, 1155)
    assert decoded(file).shape == (1155, 1732, 3)
    assert len(file) / (1732 * 1155) == pytest.approx(0.25, abs=0.15)  # bytes per pixel; a camera's are 0.2 to 0.4
    assert np.array_equal(decoded(file), decoded(photo_file(1732, 1155)))
