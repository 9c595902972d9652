"""What Triton says of itself: statistics of each model, and the page of metrics."""

import re
import urllib.request
from dataclasses import dataclass

from tritonclient import grpc

from perf.servers import Target

METRIC = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
KEPT = ("enhancer_", "nv_cpu_", "nv_gpu_", "nv_energy_", "nv_pinned_memory_pool_used")
PARTS = ("queue", "compute_input", "compute_infer", "compute_output")
Numbers = dict[str, float]


@dataclass(frozen=True)
class Statistics:
    """Counters since the server's start, by model, and its metrics.

    Attributes:
        models: ``requests``, ``failed``, ``items``, ``executions``, and nanoseconds of ``success``, PARTS and
            ``busy`` (an instance at work on a batch; of requests that share one it counts once).
        metrics: by name and labels.
    """

    models: dict[str, Numbers]
    metrics: Numbers

    @classmethod
    def of(cls, target: Target) -> "Statistics":
        """Ask a server."""
        with grpc.InferenceServerClient(target.grpc) as client:
            models = {each.name: counters(each) for each in client.get_inference_statistics().model_stats}
        with urllib.request.urlopen(f"http://{target.metrics}/metrics", timeout=10) as page:
            lines = METRIC.findall(page.read().decode())
        metrics = {f"{name}{{{labels}}}" if labels else name: float(value) for name, labels, value in lines}
        return cls(models, {name: value for name, value in metrics.items() if name.startswith(KEPT)})


def triton_version(target: Target) -> str:
    """What a server says of itself."""
    with grpc.InferenceServerClient(target.grpc) as client:
        return str(client.get_server_metadata().version)


def counters(model: "grpc.service_pb2.ModelStatistics") -> Numbers:
    """Statistics of one model as plain numbers."""
    found: Numbers = {
        "requests": model.inference_stats.success.count,
        "failed": model.inference_stats.fail.count,
        "items": model.inference_count,
        "executions": model.execution_count,
        "success": model.inference_stats.success.ns,
        "busy": sum(batch.compute_infer.ns for batch in model.batch_stats),
    }
    return found | {part: getattr(model.inference_stats, part).ns for part in PARTS}


def models_between(before: Statistics, after: Statistics) -> dict[str, Numbers]:
    """What the counters of each model grew by."""
    return {
        model: {name: value - before.models.get(model, {}).get(name, 0.0) for name, value in counted.items()}
        for model, counted in after.models.items()
    }


def per_request(changes: list[dict[str, Numbers]]) -> dict[str, Numbers]:
    """Of each model that did something: counts, items in one execution, and milliseconds per request of its own.

    Args:
        changes: of several runs, as from models_between.
    """
    found = {}
    for model in {name for change in changes for name in change}:
        total = {name: sum(change[model][name] for change in changes) for name in changes[0][model]}
        if total["requests"]:
            means = {
                f"{part}_ms": round(total[part] / total["requests"] / 1e6, 4) for part in ("success", "busy", *PARTS)
            }
            counts = {name: total[name] for name in ("requests", "failed", "items", "executions")}
            found[model] = counts | {"items_per_execution": round(total["items"] / total["executions"], 3)} | means
    return dict(sorted(found.items()))


def metrics_between(before: Statistics, after: Statistics) -> Numbers:
    """Growth of the counters (``_total``), and the other metrics as they are afterwards."""
    return {
        name: round(value - before.metrics.get(name, 0.0), 6) if "_total{" in name else value
        for name, value in after.metrics.items()
    }
