"""The first benchmark of this project: both networks in PyTorch FP32, PyTorch FP16, and as they are served."""

import statistics

import numpy as np
from tritonclient import grpc

from deploy.access.operator_key import operator_key
from deploy.gpu_check.session import CannotTell, Session
from deploy.gpu_check.steps import Finding, Wrong
from deploy.server.restrictions import GRPC_HEADER
from export.contract import Contract, read_contracts
from files.checkout import MODEL_REPOSITORY
from perf.engines.benchmark import started
from perf.engines.table import engine

REQUESTS = 30
SECONDS = 2.0
LEAST_SPEEDUP = 5.0
MOST_MS = 100.0
MARKED = "generator"


def benchmark(session: Session) -> Finding:
    """Times of one tile of 512 px; on a GPU the plan must be 5 x as fast as PyTorch FP32, and take less than 100 ms."""
    figures: dict[str, float] = {}
    place = "GPU: " if session.is_gpu else ""
    for contract in read_contracts(MODEL_REPOSITORY):
        figures[f"{contract.name}: PyTorch FP32, ms"] = eager_ms(contract.name, f"{place}PyTorch FP32")
        if session.is_gpu:  # on a processor it takes minutes
            figures[f"{contract.name}: PyTorch FP16, ms"] = eager_ms(contract.name, f"{place}PyTorch FP16")
        figures[f"{contract.name}: served, ms"] = served_ms(session, contract)
    full, served = (figures[f"{MARKED}: {what}, ms"] for what in ("PyTorch FP32", "served"))
    sentence = f"{MARKED}: {served:.1f} ms served, {full / served:.1f} x as fast as PyTorch FP32"
    if session.is_gpu and (full / served < LEAST_SPEEDUP or served >= MOST_MS):
        raise Wrong(f"{sentence}; {LEAST_SPEEDUP:.0f} x and less than {MOST_MS:.0f} ms are aimed at", figures)
    return Finding(sentence if session.is_gpu else f"{sentence} (the marks are a GPU's)", figures)


def eager_ms(network: str, engine_name: str) -> float:
    """Median time of a network in PyTorch, in a process of its own: its memory is free again afterwards.

    Raises:
        CannotTell: PyTorch does not run there.
    """
    with started([engine(engine_name)], network) as (processes, missing, _):
        if missing:
            raise CannotTell(f"{engine_name} does not run: {missing[engine_name]}")
        return 1e3 * statistics.median(processes[0].times_s(1, SECONDS))


def served_ms(session: Session, contract: Contract) -> float:
    """Mean time that Triton's own statistics give one execution of one tile, without queue and protocol."""
    client = grpc.InferenceServerClient(session.target().grpc)
    inputs = []
    for tensor in contract.inputs:
        values = np.random.default_rng(0).random(tensor.batched(1), np.float32)
        each = grpc.InferInput(tensor.name, tensor.batched(1), np_type(tensor.dtype))
        each.set_data_from_numpy((values * 255 if tensor.dtype == np.uint8 else values).astype(tensor.dtype))
        inputs.append(each)
    client.infer(contract.name, inputs)
    before = _executed(client, contract.name)
    for _ in range(REQUESTS):
        client.infer(contract.name, inputs)
    count, ns = np.subtract(_executed(client, contract.name), before)
    return float(ns / count / 1e6)


def np_type(dtype: np.dtype[np.generic]) -> str:
    """Triton's name of an array's type."""
    return {"float32": "FP32", "uint8": "UINT8"}[dtype.name]


def _executed(client: grpc.InferenceServerClient, model: str) -> tuple[int, int]:
    answer = client.get_inference_statistics(model, headers={GRPC_HEADER: operator_key()})
    statistics = answer.model_stats[0].inference_stats.compute_infer
    return statistics.count, statistics.ns
