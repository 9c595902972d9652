"""Engines: a real runtime in its process; what cannot run says why and has no number."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from export.contract import read_contract
from export.errors import ExportError
from files.checkout import MODEL_REPOSITORY
from perf import results
from perf.engines import benchmark, table
from perf.engines.process import EngineProcess
from perf.engines.worker import first
from perf.errors import PerfError, Unavailable
from pixels.difference import EQUAL_DB, psnr_db
from serving.versions import NETWORKS

ONNX_RUNTIME = table.engine("ONNX Runtime FP32")


NETWORK = "refiner"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the tiles."""
    folder = tmp_path_factory.mktemp("engines")
    np.savez(folder / "tiles.npz", **first(benchmark.tiles(NETWORK), 2))
    return folder


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[EngineProcess]:
    with EngineProcess(ONNX_RUNTIME, results.served(NETWORK), folder) as running:
        yield running


def test_a_process_computes_what_its_runtime_computes(process: EngineProcess, folder: Path) -> None:
    session = onnxruntime.InferenceSession(results.served(NETWORK), providers=["CPUExecutionProvider"])
    stored = np.load(folder / "tiles.npz")
    (expected,) = session.run(None, dict(stored))
    assert psnr_db(process.output(), expected) > 100
    assert process.ready["version"] == onnxruntime.__version__


def test_a_measurement_is_one_call_at_least_and_as_many_as_fit(process: EngineProcess) -> None:
    assert len(process.times_s(2, seconds=0)) == 1
    times = process.times_s(1, seconds=0.2)
    assert sum(times[:-1]) < 0.2 <= sum(times)


def test_rounds_make_a_row_beside_the_served_one(process: EngineProcess) -> None:
    medians = benchmark.measure([process], (1, 2), rounds=2, seconds=0.0)[ONNX_RUNTIME.name]
    assert [len(each) for each in medians.values()] == [2, 2]
    row = benchmark.row_of(process, medians, process.output(), served_ms=1e3 * np.median(medians[1]))
    assert row["psnr_db"] == EQUAL_DB and row["times_served"] == pytest.approx(1)
    assert row["tile_ms_q25"] <= row["tile_ms"] <= row["tile_ms_q75"]
    made = results.new_result("engines", "engines", "cpu", {}, [row, {"engine": "other", "not_run": "why"}])
    assert "not run: why" in results.table(made["rows"])[3]


@pytest.mark.parametrize("row", [row for row in table.ENGINES if row.is_gpu], ids=lambda row: row.name)
def test_without_a_gpu_its_rows_say_so(row: table.Engine, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perf.engines.process.gpu_name", lambda: None)
    with pytest.raises(Unavailable, match="no GPU here"), EngineProcess(row, results.served(NETWORK), folder):
        pass


def test_what_an_engine_says_when_it_fails_becomes_its_reason(tmp_path: Path) -> None:
    damaged = tmp_path / "model.onnx"
    damaged.write_bytes(b"no model")
    with benchmark.started([ONNX_RUNTIME], NETWORK, damaged) as (running, missing, _):
        assert not running and "model.onnx" in missing[ONNX_RUNTIME.name]


def test_a_process_that_gives_no_answer_is_ended(folder: Path) -> None:
    slow = EngineProcess(ONNX_RUNTIME, results.served(NETWORK), folder, limit_s=0.01)
    with pytest.raises(Unavailable, match="ended with code -9"), slow:
        pass
    assert slow.process.poll() is not None


def test_a_process_that_ends_while_it_is_measured_says_so(folder: Path) -> None:
    with EngineProcess(ONNX_RUNTIME, results.served(NETWORK), folder) as running:
        running.process.kill()
        running.process.wait()
        with pytest.raises(PerfError, match="the process of ONNX Runtime FP32 ended with code -9"):
            running.times_s(1, 0)


@pytest.mark.parametrize("network", NETWORKS)
def test_tiles_are_what_serving_sends(network: str) -> None:
    contract = read_contract(MODEL_REPOSITORY / network)
    batch = benchmark.tiles(network)
    assert list(batch) == [tensor.name for tensor in contract.inputs]
    for tensor in contract.inputs:
        assert batch[tensor.name].shape[1:] == tensor.shape and batch[tensor.name].dtype == tensor.dtype


def test_psnr_is_of_all_tiles_and_finite() -> None:
    white = np.full((2, 4, 4, 3), 255, np.uint8)
    assert psnr_db(white, white - np.uint8(51)) == pytest.approx(-20 * np.log10(0.2), abs=1e-3)
    black = np.zeros((2, 3, 4, 4), np.float32)
    assert psnr_db(black, black) == EQUAL_DB
    assert psnr_db(black + np.float32(0.1), black) == pytest.approx(20, abs=1e-3)


def test_the_plan_is_found_by_compute_capability_or_asked_for(tmp_path: Path) -> None:
    contract = read_contract(MODEL_REPOSITORY / NETWORK)
    with pytest.raises(ExportError, match=r"no plan for compute capability 12\.1 is published: make plan"):
        contract.published_plan(tmp_path, "12.1")
    with pytest.raises(ExportError, match=r"serves no GPU of compute capability 3\.5"):
        contract.published_plan(tmp_path, "3.5")
    (tmp_path / "model.sm121.plan").touch()
    assert contract.published_plan(tmp_path, "12.1").name == "model.sm121.plan"


def test_what_is_served_is_the_shortest_precision_that_the_processor_has() -> None:
    names = [row.name for row in table.ENGINES]
    assert table.served_by_cpu(names) == "OpenVINO BF16"
    assert table.served_by_cpu(set(names) - {"OpenVINO BF16"}) == "OpenVINO FP32"
    assert table.served_by_cpu([table.REFERENCE]) is None
