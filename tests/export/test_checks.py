"""Every kind of damage is caught by a check that names it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from safetensors.torch import load_file, save_file

from export import steps
from export.compare import FP16_BUDGET, Budget, Difference, compare, onnxruntime_runner
from export.contract import Contract, read_contract
from export.errors import ExportError
from export.fp16 import HalfGenerator, RoundedGenerator, check_activations, check_fp16
from export.manifest import FP16_ONNX, FP32_ONNX, INT8_ONNX, Run
from export.operators import FP16_OPERATORS
from export.tiles import batch_sizes, batches, extreme_samples, photo_samples
from export.torch_runner import TorchRunner
from export.tracing import OPSET
from tests.export.conftest import TILE_PX, WIDTH, random_network, write_checkpoint, write_config

Spoil = Callable[[onnx.ModelProto], None]


def spoil(path: Path, change: Spoil) -> None:
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def corrupt_weight(model: onnx.ModelProto) -> None:
    (weight,) = [tensor for tensor in model.graph.initializer if tensor.name == "blocks.4.widen.weight"]
    values = numpy_helper.to_array(weight).copy()
    values.flat[7] += 0.01
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


def swap_inputs(model: onnx.ModelProto) -> None:
    model.graph.input[0].name, model.graph.input[1].name = "EXPONENT", "TILE"


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "OUTPUT"


def other_tile(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_value = 2 * TILE_PX


def fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_value = 1


def other_type(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16


def foreign_operator(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.op_type == "LeakyRelu").op_type = "Mish"


DAMAGE = [
    (corrupt_weight, r"weight blocks\.4\.widen\.weight differs"),
    (swap_inputs, r"inputs are named \['EXPONENT', 'TILE'\], the configuration says \['TILE', 'EXPONENT'\]"),
    (rename_output, r"outputs are named \['OUTPUT'\]"),
    (other_tile, r"input TILE has tile shape \(3, 64, 128\), the configuration says \(3, 64, 64\)"),
    (fixed_batch, r"input EXPONENT has a fixed batch of 1"),
    (other_type, r"output EDITED is float16, the configuration says float32"),
    (foreign_operator, r"no FP16 layer for Mish"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGE)
def test_damage_to_the_fp32_onnx_is_named(
    run: Run, contract: Contract, photos: Path, change: Spoil, message: str
) -> None:
    spoil(run.folder / FP32_ONNX, change)
    with pytest.raises(ExportError, match=message):
        steps.check_onnx_step(run, contract, photos)
    record = run.steps()[-1]
    assert (record.name, record.passed) == ("check-onnx", False)


@pytest.mark.parametrize(("change", "message"), DAMAGE)
def test_damage_to_the_fp16_onnx_is_named(
    run: Run, contract: Contract, photos: Path, change: Spoil, message: str
) -> None:
    spoil(run.folder / FP16_ONNX, change)
    with pytest.raises(ExportError, match=message):
        steps.check_fp16_step(run, contract, photos)


def test_a_file_that_is_no_onnx(run: Run, contract: Contract, photos: Path) -> None:
    (run.folder / FP32_ONNX).write_bytes(b"not an ONNX file")
    with pytest.raises(ExportError, match="does not read as ONNX"):
        steps.check_onnx_step(run, contract, photos)


def test_a_graph_that_computes_something_else_is_over_budget(run: Run, contract: Contract, photos: Path) -> None:
    def steeper(model: onnx.ModelProto) -> None:
        next(node for node in model.graph.node if node.op_type == "LeakyRelu").attribute[0].f = 0.2

    spoil(run.folder / FP32_ONNX, steeper)
    with pytest.raises(ExportError, match=r"differs from .*max error .* exceeds 1\.00e-04"):
        steps.check_onnx_step(run, contract, photos)


def test_a_convolution_left_in_fp32_is_named(run: Run) -> None:
    """TensorRT would build it in FP32 without a word."""
    with pytest.raises(ExportError, match=r"convolution node_conv2d\w* has weights that are not FP16"):
        check_fp16(onnx.load(run.folder / FP32_ONNX))


def test_activations_near_the_fp16_range_are_refused(run: Run, contract: Contract) -> None:
    def louder(model: onnx.ModelProto) -> None:
        (bias,) = [tensor for tensor in model.graph.initializer if tensor.name == "stem.0.bias"]
        bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 10_000, bias.name))

    feeds = batches(extreme_samples(TILE_PX), contract)
    check_activations(onnx.load(run.folder / FP32_ONNX), feeds)
    spoil(run.folder / FP32_ONNX, louder)
    with pytest.raises(ExportError, match=r"activation conv2d\w* reaches \d{5}, too near the end of the FP16 range"):
        check_activations(onnx.load(run.folder / FP32_ONNX), feeds)


@pytest.mark.parametrize("difference", [Difference(0.02, 60.0), Difference(0.001, 49.0), Difference(np.nan, np.nan)])
def test_either_half_of_a_budget_counts_and_nan_breaks_it(difference: Difference) -> None:
    with pytest.raises(ExportError):
        difference.require(FP16_BUDGET, Path("copy"), Path("reference"))


def test_the_difference_is_the_worst_value_and_the_worst_batch(run: Run, contract: Contract) -> None:
    """An offset of a tenth: error 0.1, mean squared error 0.01, 20 dB."""
    model = onnx.load(run.folder / FP32_ONNX)
    model.graph.node[-1].output[0] = "before"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.1), "tenth"))
    model.graph.node.append(onnx.helper.make_node("Add", ["before", "tenth"], ["EDITED"]))
    feeds = batches(extreme_samples(TILE_PX), contract)[:1]
    reference = onnxruntime_runner((run.folder / FP32_ONNX).read_bytes())
    difference = compare(reference, onnxruntime_runner(model.SerializeToString()), feeds, contract)
    assert difference.max_abs_error == pytest.approx(0.1, rel=1e-5)
    assert difference.min_psnr_db == pytest.approx(20.0, abs=1e-3)
    difference.require(Budget(max_abs_error=0.11, min_psnr_db=19.9), Path("copy"), Path("reference"))


def test_every_operator_of_both_graphs_runs_in_fp16(run: Run) -> None:
    for name in (FP32_ONNX, FP16_ONNX):
        assert {node.op_type for node in onnx.load(run.folder / name).graph.node} <= FP16_OPERATORS


def test_the_graph_is_clean(run: Run, contract: Contract) -> None:
    """One opset, a dynamic batch, and nothing that tells of the machine it was exported on."""
    content = (run.folder / FP32_ONNX).read_bytes()
    model = onnx.load_from_string(content)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", OPSET)]
    assert b".py" not in content and str(Path.cwd()).encode() not in content
    assert not {"Identity", "Constant", "Shape", "Cast"} & {node.op_type for node in model.graph.node}


def test_the_fp16_body_has_fp32_ends(run: Run) -> None:
    model = onnx.load(run.folder / FP16_ONNX)
    casts = [node.op_type for node in model.graph.node].count("Cast")
    assert casts == 3  # exposures in; gains and offset out
    assert (run.folder / FP16_ONNX).stat().st_size < 0.6 * (run.folder / FP32_ONNX).stat().st_size


def test_the_same_checkpoint_gives_the_same_file(run: Run, contract: Contract) -> None:
    before = (run.folder / FP32_ONNX).read_bytes()
    steps.onnx_step(run, contract, Path("small.safetensors"))
    assert (run.folder / FP32_ONNX).read_bytes() == before


def test_batches_of_one_an_odd_number_and_the_maximum_hold_every_tile(contract: Contract, photos: Path) -> None:
    samples = [*extreme_samples(TILE_PX), *photo_samples(photos, TILE_PX)]
    feeds = batches(samples, contract)
    assert {len(feed["TILE"]) for feed in feeds} == {1, 3, 8} == set(batch_sizes(8))
    fed = {tile.tobytes() for feed in feeds for tile in feed["TILE"]}
    assert fed == {tile.tobytes() for tile, _ in samples}


@pytest.mark.parametrize("max_batch", [1, 2, 3, 4, 8, 16])
def test_batch_sizes(max_batch: int) -> None:
    sizes = batch_sizes(max_batch)
    assert sizes[0] == 1 and sizes[-1] == max_batch
    assert any(size % 2 for size in sizes)


def test_photos_are_cut_as_serving_cuts_them(photos: Path) -> None:
    """The coarse tile holds the whole photo: its mean is the photo's."""
    (coarse, exponent), *detail = photo_samples(photos, TILE_PX)
    assert coarse.shape == (3, TILE_PX, TILE_PX) and exponent.shape == (3,)
    assert 1 <= len(detail) <= 4
    assert all(0 < tile.max() <= 1 and tile.std() > 0.01 for tile, _ in detail)  # pictures, all of them


def test_no_photos_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no photo in"):
        photo_samples(tmp_path, TILE_PX)


def test_torch_and_onnxruntime_agree_on_the_runner_level(run: Run, contract: Contract) -> None:
    network = steps.load_network(run.folder / "generator.safetensors")
    feeds = batches(extreme_samples(TILE_PX), contract)
    ours = onnxruntime_runner((run.folder / FP32_ONNX).read_bytes())
    assert compare(TorchRunner(network, contract), ours, feeds, contract).max_abs_error < 1e-4


def test_a_checkpoint_of_another_width_than_it_states(tmp_path: Path, run: Run, contract: Contract) -> None:
    path = write_checkpoint(tmp_path / "wide.safetensors", width=8)
    save_file(load_file(path), path, metadata={"width": "4"})
    with pytest.raises(ExportError, match=r"weights of another architecture .*size mismatch"):
        steps.onnx_step(run, contract, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file; train one"), (b"text", "not weights of a generator"), (b"", "not weights of a generator")],
)
def test_checkpoints_that_are_none(
    tmp_path: Path, run: Run, contract: Contract, content: bytes | None, message: str
) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ExportError, match=message):
        steps.onnx_step(run, contract, path)


def test_a_configuration_without_fixed_tiles(tmp_path: Path) -> None:
    write_config(tmp_path, tile_px=-1)
    with pytest.raises(ExportError, match="tiles need fixed sizes"):
        read_contract(tmp_path)


def test_a_configuration_that_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="run from the repository's root"):
        read_contract(tmp_path)
    (tmp_path / "config.pbtxt").write_text("max_batch_size: many")
    with pytest.raises(ExportError, match=r"config\.pbtxt: 1:17"):
        read_contract(tmp_path)


def test_rounding_to_fp16_is_what_pytorch_in_fp16_does() -> None:
    """The stand-in for FP16 on a CPU errs as much as the real thing, and is not FP32 in disguise."""
    network = random_network(WIDTH, seed=0)
    tile, exponent = torch.rand(2, 3, TILE_PX, TILE_PX), torch.tensor([[0.5] * 3, [2.0] * 3])
    with torch.inference_mode():
        exact = network(tile, exponent)
        half, rounded = (kind.of(network)(tile, exponent) - exact for kind in (HalfGenerator, RoundedGenerator))
    assert 0.5 < float(rounded.abs().mean() / half.abs().mean()) < 2
    assert float(half.abs().mean()) > 1e-6


def test_int8_is_quantised_and_near(
    run: Run, contract: Contract, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights use a wider range than trained ones, so the budget is wider here."""
    monkeypatch.setattr(steps, "INT8_BUDGET", Budget(max_abs_error=1.0, min_psnr_db=35.0))
    steps.int8_step(run, contract, photos)
    steps.check_int8_step(run, contract, photos)
    model = onnx.load(run.folder / INT8_ONNX)
    quantised = {tensor.name for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.INT8}
    inputs = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"}
    weights = [node.input[1] for node in model.graph.node if node.op_type == "Conv"]
    full = {name for name in weights if name not in inputs}
    learned = {name for name in full if name.endswith(".weight")}  # the others are those of exposure fusion
    assert learned == {f"{layer}.weight" for layer in ("stem.0", "head", "refinement.stem.0", "refinement.head")}
    assert all(inputs[name] in quantised for name in weights if name not in full)
    assert run.steps()[-1].details["fp32_vs_int8"]["min_psnr_db"] < 100


def test_int8_over_its_budget_is_refused(run: Run, contract: Contract, photos: Path) -> None:
    """A bias moved by half of the range."""

    def move(model: onnx.ModelProto) -> None:
        model.graph.node[-1].output[0] = "before"
        model.graph.initializer.append(numpy_helper.from_array(np.float32(0.5), "half"))
        model.graph.node.append(onnx.helper.make_node("Add", ["before", "half"], ["EDITED"]))

    steps.int8_step(run, contract, photos)
    spoil(run.folder / INT8_ONNX, move)
    with pytest.raises(ExportError, match=r"PSNR .* dB is under 42\.0 dB"):
        steps.check_int8_step(run, contract, photos)
