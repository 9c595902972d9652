"""Every kind of damage is caught by a check that names it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from PIL import Image
from safetensors.torch import load_file, save_file

from export import steps
from export.compare import FP16_BUDGET, FP32_BUDGET, Budget, Difference, compare
from export.contract import Contract, read_contracts
from export.errors import ExportError
from export.fp16 import check_activations, check_fp16, halved, rounded
from export.manifest import Run
from export.networks import ServedGenerator, ServedRefiner, load_network
from export.operators import FP16_OPERATORS
from export.runners import onnxruntime_runner
from export.tiles import batch_sizes, batches, extreme_samples, photo_samples
from export.torch_runner import TorchRunner
from export.tracing import OPSET
from files.digest import sha256
from tests.export.conftest import TILE_PX, random_network, write_configs, write_weights
from training.networks.refiner import Refiner

Spoil = Callable[[onnx.ModelProto], None]


def spoil(path: Path, change: Spoil) -> None:
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)


def corrupt_weight(model: onnx.ModelProto) -> None:
    (weight,) = [tensor for tensor in model.graph.initializer if tensor.name == "network.body.blocks.4.widen.weight"]
    values = numpy_helper.to_array(weight).copy()
    values.flat[7] += 0.01
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "TILE"


def rename_output(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "OUTPUT"


def other_tile(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2 * TILE_PX


def fixed_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def other_type(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16


def foreign_operator(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.op_type == "LeakyRelu").op_type = "Mish"


DAMAGE = [
    (corrupt_weight, r"weight network\.body\.blocks\.4\.widen\.weight differs"),
    (rename_input, r"inputs are named \['TILE'\], the configuration says \['COARSE'\]"),
    (rename_output, r"outputs are named \['OUTPUT'\]"),
    (other_tile, r"input COARSE has tile shape \(64, 128, 3\), the configuration says \(64, 64, 3\)"),
    (fixed_batch, r"input COARSE has a fixed batch of 1"),
    (other_type, r"output CURVES is float16, the configuration says float32"),
    (foreign_operator, r"no FP16 layer for Mish"),
]


@pytest.mark.parametrize(("change", "message"), DAMAGE)
def test_damage_to_the_fp32_onnx_is_named(
    run: Run, contract: Contract, photos: Path, change: Spoil, message: str
) -> None:
    spoil(run.folder / contract.fp32_onnx, change)
    with pytest.raises(ExportError, match=message):
        steps.check_onnx_step(run, contract, photos)
    record = run.steps()[-1]
    assert (record.name, record.passed) == ("check-onnx", False)


@pytest.mark.parametrize(("change", "message"), DAMAGE)
def test_damage_to_the_fp16_onnx_is_named(
    run: Run, contract: Contract, photos: Path, change: Spoil, message: str
) -> None:
    spoil(run.folder / contract.fp16_onnx, change)
    with pytest.raises(ExportError, match=message):
        steps.check_fp16_step(run, contract, photos)


def test_a_file_that_is_no_onnx(run: Run, contract: Contract, photos: Path) -> None:
    (run.folder / contract.fp32_onnx).write_bytes(b"not an ONNX file")
    with pytest.raises(ExportError, match="does not read as ONNX"):
        steps.check_onnx_step(run, contract, photos)


def test_a_graph_that_computes_something_else_is_over_budget(run: Run, contract: Contract, photos: Path) -> None:
    def steeper(model: onnx.ModelProto) -> None:
        next(node for node in model.graph.node if node.op_type == "LeakyRelu").attribute[0].f = 0.2

    spoil(run.folder / contract.fp32_onnx, steeper)
    with pytest.raises(ExportError, match=r"differs from .*max error .* exceeds 1\.00e-03"):
        steps.check_onnx_step(run, contract, photos)


def test_a_convolution_left_in_fp32_is_named(run: Run, contract: Contract) -> None:
    """TensorRT would build it in FP32 without a word."""
    with pytest.raises(ExportError, match=r"convolution node_conv2d\w* has weights that are not FP16"):
        check_fp16(onnx.load(run.folder / contract.fp32_onnx))


def test_activations_near_the_fp16_range_are_refused(run: Run, contract: Contract) -> None:
    def louder(model: onnx.ModelProto) -> None:
        (bias,) = [tensor for tensor in model.graph.initializer if tensor.name == "network.body.stem.0.bias"]
        bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 10_000, bias.name))

    feeds = batches(extreme_samples(contract), contract)
    check_activations(onnx.load(run.folder / contract.fp32_onnx), feeds)
    spoil(run.folder / contract.fp32_onnx, louder)
    with pytest.raises(ExportError, match=r"activation conv2d\w* reaches \d{5}, too near the end of the FP16 range"):
        check_activations(onnx.load(run.folder / contract.fp32_onnx), feeds)


@pytest.mark.parametrize("difference", [Difference(0.02, 60.0), Difference(0.001, 49.0), Difference(np.nan, np.nan)])
def test_either_half_of_a_budget_counts_and_nan_breaks_it(difference: Difference) -> None:
    with pytest.raises(ExportError):
        difference.require(FP16_BUDGET, Path("copy"), Path("reference"))


def test_the_difference_is_the_worst_value_and_the_worst_batch(run: Run, contract: Contract) -> None:
    """An offset of a tenth: error 0.1, mean squared error 0.01, 20 dB."""
    model = onnx.load(run.folder / contract.fp32_onnx)
    model.graph.node[-1].output[0] = "before"
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.1), "tenth"))
    model.graph.node.append(onnx.helper.make_node("Add", ["before", "tenth"], ["CURVES"]))
    feeds = batches(extreme_samples(contract), contract)[:1]
    reference = onnxruntime_runner((run.folder / contract.fp32_onnx).read_bytes())
    difference = compare(reference, onnxruntime_runner(model.SerializeToString()), feeds, contract)
    assert difference.max_abs_error == pytest.approx(0.1, rel=1e-5)
    assert difference.min_psnr_db == pytest.approx(20.0, abs=1e-3)
    difference.require(Budget(max_abs_error=0.11, min_psnr_db=19.9), Path("copy"), Path("reference"))


def test_every_operator_of_the_graphs_runs_in_fp16(run: Run, contracts: list[Contract]) -> None:
    for name in (name for contract in contracts for name in (contract.fp32_onnx, contract.fp16_onnx)):
        assert {node.op_type for node in onnx.load(run.folder / name).graph.node} <= FP16_OPERATORS


def test_a_graph_that_moves_bytes_is_none_for_tensorrt(run: Run, refiner: Contract, photos: Path) -> None:
    """That of the CPU profile does; its Casts lie within."""
    shutil.copy(run.folder / refiner.fp32_onnx, run.folder / refiner.fp16_onnx)
    with pytest.raises(ExportError, match="computes on UINT8, which TensorRT cannot"):
        steps.check_fp16_step(run, refiner, photos)


def test_the_graph_is_clean(run: Run, contract: Contract) -> None:
    """One opset, a dynamic batch, and nothing that tells of the machine it was exported on."""
    content = (run.folder / contract.fp32_onnx).read_bytes()
    model = onnx.load_from_string(content)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", OPSET)]
    assert b".py" not in content and str(Path.cwd()).encode() not in content
    assert not {"Identity", "Constant", "Shape", "Cast"} & {node.op_type for node in model.graph.node}


def test_the_fp16_body_has_fp32_ends(run: Run, contracts: list[Contract]) -> None:
    for contract, casts in zip(contracts, (2, 2 + 3), strict=True):  # into the body and out of it; the refiner's bytes
        model = onnx.load(run.folder / contract.fp16_onnx)
        assert [node.op_type for node in model.graph.node].count("Cast") == casts
        assert (run.folder / contract.fp16_onnx).stat().st_size < 0.6 * (run.folder / contract.fp32_onnx).stat().st_size


def test_the_same_weights_give_the_same_file(run: Run, contract: Contract) -> None:
    before = (run.folder / contract.fp32_onnx).read_bytes()
    steps.onnx_step(run, contract, Path("small"))
    assert (run.folder / contract.fp32_onnx).read_bytes() == before


def test_a_run_that_trained_one_network_takes_the_other_as_shipped(
    workspace: Path, contracts: list[Contract], refiner: Contract
) -> None:
    write_weights(workspace / "training/weights", seed=5)
    fresh = Run("fresh", workspace / "artifacts")
    fresh.folder.mkdir(parents=True)
    shutil.copy(workspace / "small/generator.safetensors", fresh.folder)
    for contract in contracts:
        steps.onnx_step(fresh, contract)
    assert sha256(fresh.folder / "generator.safetensors") == sha256(workspace / "small/generator.safetensors")
    assert sha256(fresh.folder / refiner.weights) == sha256(workspace / "training/weights" / refiner.weights)


def test_batches_of_one_an_odd_number_and_the_maximum_hold_every_sample(
    contracts: list[Contract], photos: Path
) -> None:
    for contract in contracts:
        samples = [*extreme_samples(contract), *photo_samples(photos, contract)]
        feeds = batches(samples, contract)
        name, most = contract.inputs[0].name, contract.max_batch
        assert {len(feed[name]) for feed in feeds} == {1, 3, most} == set(batch_sizes(most))
        assert {each.tobytes() for feed in feeds for each in feed[name]} == {sample[0].tobytes() for sample in samples}


@pytest.mark.parametrize("max_batch", [1, 2, 3, 4, 8, 16])
def test_batch_sizes(max_batch: int) -> None:
    sizes = batch_sizes(max_batch)
    assert sizes[0] == 1 and sizes[-1] == max_batch
    assert any(size % 2 for size in sizes)


def test_photos_are_sampled_as_serving_does(photos: Path, contract: Contract, refiner: Contract) -> None:
    """The generator sees the whole photo, so its mean is the photo's; the refiner a tile, and the same one opened."""
    photo = np.asarray(Image.open(next(photos.iterdir())))
    ((coarse,),) = photo_samples(photos, contract)
    assert coarse.shape == (TILE_PX, TILE_PX, 3) and coarse.mean() == pytest.approx(photo.mean() / 255, abs=1e-3)
    for before, applied in photo_samples(photos, refiner):
        assert before.dtype == applied.dtype == np.uint8 and before.std() > 1  # pictures, all of them
        assert (applied >= before).all() and applied.mean() > before.mean() + 5


def test_no_photos_is_said(tmp_path: Path, contract: Contract) -> None:
    with pytest.raises(ExportError, match="no photo in"):
        photo_samples(tmp_path, contract)


def test_torch_and_onnxruntime_agree_on_the_runner_level(run: Run, contract: Contract) -> None:
    network = load_network(contract, run.folder / contract.weights)
    feeds = batches(extreme_samples(contract), contract)
    ours = onnxruntime_runner((run.folder / contract.fp32_onnx).read_bytes())
    assert compare(TorchRunner(network, contract), ours, feeds, contract).max_abs_error < 1e-3


@torch.inference_mode()
def test_the_served_refiner_is_the_networks_own_forward() -> None:
    """But for rounding, whatever way pixels are moved; bit for bit the applied tile where nothing is changed."""
    network = random_network("refiner", seed=0)
    tiles = [torch.randint(0, 256, (2, TILE_PX, TILE_PX + 32, 3), dtype=torch.uint8) for _ in range(2)]
    refined = network(*(tile.permute(0, 3, 1, 2).float() / 255 for tile in tiles)).permute(0, 2, 3, 1)
    expected = (refined.clamp(0, 1) * 255).round().to(torch.uint8)
    served = ServedRefiner(network)
    for served.moved in (torch.uint8, torch.float32):
        difference = (served(*tiles).int() - expected).abs()
        assert difference.max() <= 1 and difference.float().mean() < 1e-3
        assert torch.equal(ServedRefiner(Refiner())(*tiles), tiles[1])
    assert (expected != tiles[1]).any()


def test_weights_of_another_width_than_they_state(tmp_path: Path, run: Run, contract: Contract) -> None:
    path = write_weights(tmp_path, width=8) / contract.weights
    save_file(load_file(path), path, metadata={"network": "generator", "width": "4"})
    with pytest.raises(ExportError, match=r"weights of another architecture .*size mismatch"):
        steps.onnx_step(run, contract, tmp_path)


def test_one_networks_weights_for_the_others(tmp_path: Path, run: Run, contract: Contract, refiner: Contract) -> None:
    shutil.copy(run.folder / refiner.weights, tmp_path / contract.weights)
    with pytest.raises(ExportError, match="weights of a refiner, not of a generator"):
        steps.onnx_step(run, contract, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file; train one"), (b"text", "not weights of a generator"), (b"", "not weights of a generator")],
)
def test_checkpoints_that_are_none(
    tmp_path: Path, run: Run, contract: Contract, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / contract.weights).write_bytes(content)
    with pytest.raises(ExportError, match=message):
        steps.onnx_step(run, contract, tmp_path)


def test_a_configuration_without_fixed_tiles(tmp_path: Path) -> None:
    write_configs(tmp_path, tile_px=-1)
    with pytest.raises(ExportError, match="tiles need fixed sizes"):
        read_contracts(tmp_path)


def test_a_configuration_that_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="run from the repository's root"):
        read_contracts(tmp_path)
    write_configs(tmp_path)
    (tmp_path / "refiner/config.pbtxt").write_text("max_batch_size: many")
    with pytest.raises(ExportError, match=r"config\.pbtxt: 1:17"):
        read_contracts(tmp_path)


@torch.inference_mode()
def test_rounding_to_fp16_is_what_pytorch_in_fp16_does() -> None:
    """The stand-in for FP16 on a CPU errs as much as the real thing, and is not FP32 in disguise."""
    network = ServedGenerator(random_network("generator", seed=0))
    coarse = torch.rand(2, TILE_PX, TILE_PX, 3)
    exact = network(coarse)
    half, nearly = (kind(network)(coarse) - exact for kind in (halved, rounded))
    assert 0.5 < float(nearly.abs().mean() / half.abs().mean()) < 2
    assert float(half.abs().mean()) > 1e-7


def test_integers_may_differ_by_their_rounding_and_no_more(tmp_path: Path) -> None:
    step = 1 / 255
    Difference(step + 1e-4, 90.0, step).require(FP32_BUDGET, tmp_path, tmp_path)
    with pytest.raises(ExportError, match="max error"):
        Difference(2 * step, 90.0, step).require(FP32_BUDGET, tmp_path, tmp_path)
