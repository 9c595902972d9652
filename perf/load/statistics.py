"""Triton's own statistics of each model."""

import statistics
from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from tritonclient import grpc

from deploy.measuring.targets import Target
from serving.versions import NETWORKS

Counters: TypeAlias = Counter[tuple[str, str]]
"""By model: ``requests``, ``items``, ``executions``, and nanoseconds of ``success`` and of ``busy`` (an instance at
work on a batch; of requests that share one it counts once)."""


def counters(target: Target) -> Counters:
    """Triton's counters since the server's start."""
    found: Counters = Counter()
    with grpc.InferenceServerClient(target.grpc) as client:
        for model in client.get_inference_statistics().model_stats:
            found[model.name, "requests"] = model.inference_stats.success.count
            found[model.name, "items"] = model.inference_count
            found[model.name, "executions"] = model.execution_count
            found[model.name, "success"] = model.inference_stats.success.ns
            found[model.name, "busy"] = sum(batch.compute_infer.ns for batch in model.batch_stats)
    return found


def tiles_in_batch(found: Counters) -> float | None:
    """Mean batch size of the refiner, or of the generator if no tile was refined; None if neither ran."""
    network = next((each for each in reversed(NETWORKS) if found[each, "executions"]), None)
    return round(found[network, "items"] / found[network, "executions"], 3) if network else None


def stages_ms(found: Counters, client_ms: Sequence[float]) -> dict[str, float]:
    """Where a photo's time goes: milliseconds of each stage, which add up to the client's mean latency.

    ``networks`` is the time that generator and refiner worked, ``curves_and_tiles`` what the tiler took beside them:
    applying curves, cutting and sending tiles, as far as that is not hidden behind the networks' work. Queues count to
    their model, ``between_the_models`` is the ensemble's own, and ``transport`` what the client waited beyond the
    server's time.

    Args:
        found: in a run with one request of the model ``enhance`` in flight.
        client_ms: mean latencies of its repeats, as the client saw them.
    """
    photos = found["enhance", "requests"]
    server_ms, *steps = (found[name, "success"] / photos / 1e6 for name in ("enhance", "decode", "tiler", "encode"))
    networks_ms = sum(found[each, "busy"] for each in NETWORKS) / photos / 1e6
    decode_ms, tiler_ms, encode_ms = steps
    return {
        "transport_ms": statistics.mean(client_ms) - server_ms,
        "decode_ms": decode_ms,
        "networks_ms": networks_ms,
        "curves_and_tiles_ms": tiler_ms - networks_ms,
        "encode_ms": encode_ms,
        "between_the_models_ms": server_ms - sum(steps),
    }
