"""Engines: a real runtime in its process; what cannot run says why and has no number."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from deploy.server import MODEL_REPOSITORY
from export.contract import read_contract
from perf import engines, results
from perf.errors import PerfError
from perf.runtimes import Unavailable, table
from perf.runtimes.process import RuntimeProcess
from perf.runtimes.tensorrt import plan_beside
from perf.runtimes.worker import first
from serving.versions import NETWORKS

ONNX_RUNTIME = table.runtime("ONNX Runtime FP32")


NETWORK = "refiner"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the tiles."""
    folder = tmp_path_factory.mktemp("engines")
    np.savez(folder / "tiles.npz", **first(engines.tiles(NETWORK), 2))
    return folder


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[RuntimeProcess]:
    with RuntimeProcess(ONNX_RUNTIME, results.served(NETWORK), folder) as running:
        yield running


def test_a_process_computes_what_its_runtime_computes(process: RuntimeProcess, folder: Path) -> None:
    session = onnxruntime.InferenceSession(results.served(NETWORK), providers=["CPUExecutionProvider"])
    stored = np.load(folder / "tiles.npz")
    (expected,) = session.run(None, dict(stored))
    assert engines.psnr_db(process.output(), expected) > 100
    assert process.ready["version"] == f"onnxruntime {onnxruntime.__version__}"


def test_a_measurement_is_one_call_at_least_and_as_many_as_fit(process: RuntimeProcess) -> None:
    assert len(process.times_s(2, seconds=0)) == 1
    times = process.times_s(1, seconds=0.2)
    assert sum(times[:-1]) < 0.2 <= sum(times)


def test_rounds_make_a_row_that_follows_the_schema(process: RuntimeProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ROUNDS", 2)
    monkeypatch.setattr(engines, "SECONDS", 0.0)
    medians = engines.measure([process], (1, 2))[ONNX_RUNTIME.name]
    row = engines.row_of(process, medians, process.output(), served=False)
    assert row["rounds"] == 2 and row["batch"] == 2 and row["psnr_db"] == engines.EQUAL_DB
    assert row["tiles_per_s"]["q25"] <= row["tiles_per_s"]["median"] <= row["tiles_per_s"]["q75"]
    made = results.new_result("engines", "engines", "cpu", {}, {"rows": [row, engines.not_run("other", "why")]})
    assert "not run: why" in engines.lines(made)[1]


def test_a_row_that_did_not_run_can_have_no_number() -> None:
    row = engines.not_run("GPU: TensorRT FP16", "no GPU here") | {"tile_s": {"median": 1.0, "q25": 1.0, "q75": 1.0}}
    with pytest.raises(PerfError, match="rows"):
        results.new_result("engines", "engines", "cpu", {}, {"rows": [row]})


@pytest.mark.parametrize("row", [row for row in table.RUNTIMES if row.device == "gpu"], ids=lambda row: row.name)
def test_without_a_gpu_its_rows_say_so(row: table.Runtime, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.runtimes.process.gpu_name", lambda: None)
    with pytest.raises(Unavailable, match="no GPU here"), RuntimeProcess(row, results.served(NETWORK), folder):
        pass


def test_what_a_runtime_says_when_it_fails_becomes_its_reason(folder: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(b"no model")
    with contextlib.ExitStack() as stack:
        running, missing = engines.started([ONNX_RUNTIME], folder, stack, damaged)
    assert not running and "model.onnx" in missing[ONNX_RUNTIME.name]


def test_a_process_that_gives_no_answer_is_ended(folder: Path) -> None:
    slow = RuntimeProcess(ONNX_RUNTIME, results.served(NETWORK), folder, limit_s=0.01)
    with pytest.raises(Unavailable, match="ended with code -9"), slow:
        pass
    assert slow.process.poll() is not None


def test_a_process_that_ends_while_it_is_measured_says_so(folder: Path) -> None:
    with RuntimeProcess(ONNX_RUNTIME, results.served(NETWORK), folder) as running:
        running.process.kill()
        running.process.wait()
        with pytest.raises(PerfError, match="the process of ONNX Runtime FP32 ended with code -9"):
            running.times_s(1, 0)


@pytest.mark.parametrize("network", NETWORKS)
def test_tiles_are_what_serving_sends(network: str) -> None:
    contract = read_contract(MODEL_REPOSITORY / network)
    batch = engines.tiles(network)
    assert list(batch) == [tensor.name for tensor in contract.inputs]
    for tensor in contract.inputs:
        assert batch[tensor.name].shape[1:] == tensor.shape and batch[tensor.name].dtype == tensor.dtype


def test_psnr_is_of_all_tiles_and_finite() -> None:
    white = np.full((2, 4, 4, 3), 255, np.uint8)
    assert engines.psnr_db(white, white - np.uint8(51)) == pytest.approx(-20 * np.log10(0.2), abs=1e-3)
    black = np.zeros((2, 3, 4, 4), np.float32)
    assert engines.psnr_db(black, black) == engines.EQUAL_DB
    assert engines.psnr_db(black + np.float32(0.1), black) == pytest.approx(20, abs=1e-3)


def test_the_plan_is_found_by_compute_capability_or_asked_for(tmp_path: Path) -> None:
    (tmp_path / NETWORK).mkdir()
    shutil.copy(MODEL_REPOSITORY / NETWORK / "config.pbtxt", tmp_path / NETWORK)
    onnx = tmp_path / NETWORK / "1/model.onnx"
    with pytest.raises(Unavailable, match=r"no plan for compute capability 12\.1 is published: make plan"):
        plan_beside(onnx, "12.1")
    with pytest.raises(Unavailable, match=r"serves no GPU of compute capability 3\.5"):
        plan_beside(onnx, "3.5")
    onnx.parent.mkdir()
    onnx.with_name("model.sm121.plan").touch()
    assert plan_beside(onnx, "12.1").name == "model.sm121.plan"


def test_what_is_served_is_the_shortest_precision_that_the_processor_has() -> None:
    names = [row.name for row in table.RUNTIMES]
    assert table.served_by_cpu(names) == "OpenVINO BF16"
    assert table.served_by_cpu(set(names) - {"OpenVINO BF16"}) == "OpenVINO FP32"
    assert table.served_by_cpu([table.REFERENCE]) is None
