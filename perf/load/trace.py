"""One photo's way through the models, from Triton's trace: when each of them, and each tile, was at work."""

import json
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.server import SERVER_PYTHON, TritonServer
from deploy.wheel import LaunchError
from perf.errors import PerfError
from perf.load import analyzer
from perf.load.analyzer import Load, analyze
from perf.load.inputs import input_data
from perf.load.scenarios import choose
from perf.load.suite import SERVER_PACKAGES
from perf.results import new_result, package_versions, write
from perf.servers import target_of

SCENARIO = "photo-12mp-full"
MODELS = ("decode", "tiler", "generator", "refiner", "encode")


@dataclass(frozen=True)
class Span:
    """A model at work on a photo or on a tile, in milliseconds since the server took the photo up.

    Attributes:
        queued: when the request reached the model.
        start: when the model began.
        end: when it was done.
    """

    model: str
    queued: float
    start: float
    end: float


def trace_options(file: Path) -> tuple[str, ...]:
    """Options of tritonserver: every request is traced, into a file that it writes when it ends."""
    settings = ("mode=triton", f"triton,file={file}", "triton,log-frequency=0", "level=TIMESTAMPS", "rate=1")
    return tuple(f"--trace-config={setting}" for setting in settings)


def last_photo(traces: list[dict[str, Any]]) -> list[Span]:
    """Spans of the last photo, by start.

    Args:
        traces: of the file; each with id, parent_id, model_name and timestamps.
    """
    ids = {each["id"]: each for each in merged(traces)}
    photo = max(each["id"] for each in ids.values() if each["model_name"] == "enhance")
    origin = moments(ids[photo])["REQUEST_START"]
    found = [span_of(each, origin) for each in ids.values() if photo in ancestors(each, ids)]
    return sorted(found, key=lambda span: span.start)


def merged(traces: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each request: Triton writes several, each with some of its fields."""
    found: dict[int, dict[str, Any]] = {}
    for each in traces:
        entry = found.setdefault(each["id"], {"id": each["id"], "timestamps": []})
        entry["timestamps"] += each.get("timestamps", [])
        entry |= {key: value for key, value in each.items() if key not in ("id", "timestamps")}
    return [entry for entry in found.values() if "model_name" in entry]


def moments(trace: dict[str, Any]) -> dict[str, int]:
    """Nanoseconds by name."""
    return {each["name"]: each["ns"] for each in trace["timestamps"]}


def ancestors(trace: dict[str, Any], ids: dict[int, dict[str, Any]]) -> list[int]:
    """The requests that a request was made for."""
    parent = trace.get("parent_id")
    return [] if parent not in ids else [parent, *ancestors(ids[parent], ids)]


def span_of(trace: dict[str, Any], origin: int) -> Span:
    """Times of a request since the photo's."""
    at = {name: round((ns - origin) / 1e6, 3) for name, ns in moments(trace).items()}
    return Span(trace["model_name"], at["QUEUE_START"], at["COMPUTE_START"], at["COMPUTE_END"])


def covered_ms(spans: Iterable[Span]) -> float:
    """Time during which at least one of them is at work."""
    total, reached = 0.0, 0.0
    for span in sorted(spans, key=lambda each: each.start):
        total += max(0.0, span.end - max(span.start, reached))
        reached = max(reached, span.end)
    return total


def parts(spans: list[Span]) -> dict[str, float]:
    """Milliseconds of each stage, none counted twice."""
    by_model = {model: [span for span in spans if span.model == model] for model in MODELS}
    (tiler,) = by_model["tiler"]
    generator, refiner = (covered_ms(by_model[network]) for network in ("generator", "refiner"))
    return {
        "decode": covered_ms(by_model["decode"]),
        "generator": generator,
        "refiner": refiner,
        "curves and tiles beside them": tiler.end - tiler.start - generator - refiner,
        "encode": covered_ms(by_model["encode"]),
        "tiles": float(len(by_model["refiner"])),
    }


def traced_photo(name: str = SCENARIO) -> list[Span]:
    """Serve with tracing, send a photo twice, and read the second one's trace.

    Raises:
        PerfError: the server or perf_analyzer fails.
    """
    (scenario,) = choose([name])
    with tempfile.TemporaryDirectory() as folder:
        data, file = Path(folder, "input.json"), Path(folder, "trace.json")
        data.write_bytes(input_data(scenario))
        try:
            with TritonServer(options=trace_options(file)) as server:
                analyze(scenario, target_of(server), data, Load("concurrency", 1), 2)
        except LaunchError as error:
            raise PerfError(str(error)) from None
        return last_photo(json.loads(file.read_text()))


def trace_and_keep(folder: Path) -> int:
    """Trace a photo and keep its spans; returns 0."""
    spans = traced_photo()
    body = {
        "scenario": SCENARIO,
        "parts_ms": {name: round(value, 3) for name, value in parts(spans).items()},
        "spans": [[span.model, span.queued, span.start, span.end] for span in spans],
    }
    versions = {"perf_analyzer": analyzer.version()} | package_versions(*SERVER_PACKAGES, python=SERVER_PYTHON)
    print(write(new_result("trace", "trace", "cpu", versions, body), folder))
    return 0
