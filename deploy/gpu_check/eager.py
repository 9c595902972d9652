"""A network in PyTorch, timed: ``python -m deploy.gpu_check.eager generator --half`` prints its median on the GPU."""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

from deploy.server import MODEL_REPOSITORY, ROOT
from export.contract import Contract, read_contract
from export.fp16 import halved
from export.networks import load_network

WEIGHTS = ROOT / "training/weights"
WARM_UP, CALLS = 5, 30


def inputs(contract: Contract, device: str) -> list[torch.Tensor]:
    """One tile of noise for each input, on the device."""
    torch.manual_seed(0)
    values = [torch.rand(tensor.batched(1)) for tensor in contract.inputs]
    pixels = [
        each * 255 if tensor.dtype.name == "uint8" else each
        for each, tensor in zip(values, contract.inputs, strict=True)
    ]
    return [
        each.to(device, getattr(torch, tensor.dtype.name)) for each, tensor in zip(pixels, contract.inputs, strict=True)
    ]


def median_ms(call: Callable[[], object], synchronise: Callable[[], None]) -> float:
    """Median time of a call, the device's work included."""
    times = []
    for number in range(WARM_UP + CALLS):
        started = time.perf_counter()
        call()
        synchronise()
        if number >= WARM_UP:
            times.append(time.perf_counter() - started)
    return 1e3 * statistics.median(times)


def main() -> None:
    """Time the shipped weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--half", action="store_true", help="the body in FP16, as in the plan")
    asked = parser.parse_args()
    contract = read_contract(MODEL_REPOSITORY / asked.network)
    network = load_network(contract, WEIGHTS / contract.weights)
    network = (halved(network) if asked.half else network).to(asked.device)
    tiles = inputs(contract, asked.device)
    with torch.inference_mode():
        synchronise = torch.cuda.synchronize if asked.device == "cuda" else lambda: None
        print(json.dumps({"median_ms": median_ms(lambda: network(*tiles), synchronise)}))


if __name__ == "__main__":
    main()
