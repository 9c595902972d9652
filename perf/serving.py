"""What serving costs beside the network: ratios of one run on one machine.

    python -m perf.serving

Each row compares a time through the real server with times of its parts on their own (the engine without Triton, Pillow
reading and writing the same file), or memory with the photo's size. Interleaving and medians keep a busy machine from
deciding a row.
"""

import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tritonclient import grpc

from clients import Enhancer
from deploy.server import SERVER_PYTHON, TritonServer
from perf.commands import keep
from perf.engines import keep_tiles, psnr_db, started
from perf.engines import measure as measure_engines
from perf.errors import PerfError
from perf.memory import Peak, pss_bytes
from perf.photos import photo_file
from perf.results import Result, new_result, package_versions, served_generator
from perf.runtimes.table import REFERENCE, SERVED_BY_CPU, runtime, served_by_cpu
from pixels.tiling import segments

Image.MAX_IMAGE_PIXELS = None  # the photo of 100 megapixels is meant
OVERLAP_PX = 64
RATIOS = {
    "one tile through generator / engine alone": 1.10,
    "full, 24 MP / (tiles x engine + 2 x Pillow)": 1.15,
    "fast, 24 MP / (2 x Pillow + 1.5 x one tile)": 1.0,
    "PyTorch eager FP32 / engine": 2.0,
    "PSNR of the engine against PyTorch, dB": 50.0,
    "full, 24 MP: bytes per pixel above idle": 60.0,
    "full, 100 MP: GB": 8.0,
    "growth over 200 mixed requests": 1.05,
    "photos/s at concurrency 4 / at 1": 1.0,
}
AT_LEAST = ("PyTorch eager FP32 / engine", "PSNR of the engine against PyTorch, dB", "photos/s at concurrency 4 / at 1")


def median_s(work: Callable[[], object], repeats: int) -> float:
    """Median time in seconds, after one run that does not count."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def read_and_write(file: bytes) -> None:
    """What any program does with a photo."""
    Image.open(io.BytesIO(file)).convert("RGB").save(io.BytesIO(), "JPEG", quality=92)


def tile_count(width: int, height: int) -> int:
    """Tiles of a photo in mode full, the coarse one counted."""
    return 1 + len(segments(width, 512, OVERLAP_PX)) * len(segments(height, 512, OVERLAP_PX))


def engines() -> dict[str, float]:
    """Engine and PyTorch on the same tiles, in turn, each in a process of its own.

    Raises:
        PerfError: one of the two does not run.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        tiles, _ = keep_tiles(Path(folder))
        table = [runtime(name) for name in (REFERENCE, *SERVED_BY_CPU)]
        processes, missing = started(table, Path(folder), stack, served_generator())
        running = {process.row.name: process for process in processes}
        engine = served_by_cpu(running)
        if engine is None or REFERENCE in missing:
            raise PerfError("; ".join(f"{name} did not run: {why}" for name, why in missing.items()))
        medians = measure_engines([running[REFERENCE], running[engine]], (1, len(tiles)))
        eager, served = medians[REFERENCE], medians[engine]
        reference, edited = running[REFERENCE].output(), running[engine].output()
    return {
        "one_tile_s": statistics.median(served[1]),
        "per_tile_together_s": statistics.median(served[len(tiles)]) / len(tiles),
        "pytorch_s": statistics.median(eager[1]),
        "psnr_db": psnr_db(edited, reference),
    }


def generator_ns(client: grpc.InferenceServerClient) -> tuple[int, int]:
    """Requests of the generator and their time in nanoseconds, queue included, by Triton's own statistics."""
    success = client.get_inference_statistics("generator").model_stats[0].inference_stats.success
    return success.count, success.ns


def measure(server: TritonServer) -> dict[str, float]:
    """All measurements through one server, seconds and bytes."""
    assert server.process is not None
    group = server.process.pid
    client = grpc.InferenceServerClient(server.grpc_url.removeprefix("grpc://"))
    small, large, huge = photo_file(512, 512), photo_file(6000, 4000), photo_file(12000, 8400)
    found: dict[str, float] = {}
    with Enhancer(server.grpc_url) as enhancer, ThreadPoolExecutor(4) as pool:
        enhancer.enhance(small)
        before = generator_ns(client)
        found["photo_512_s"] = median_s(lambda: enhancer.enhance(small), 20)
        count, ns = np.subtract(generator_ns(client), before)
        found["tile_through_triton_s"] = float(ns / count / 1e9)
        found["pillow_s"] = median_s(lambda: read_and_write(large), 5)
        found["fast_s"] = median_s(lambda: enhancer.enhance(large, mode="fast"), 9)
        idle = pss_bytes(group)
        with Peak(group) as peak:  # which slows the server down, so that this is no time to measure time
            enhancer.enhance(large, mode="full")
        found["full_s"] = median_s(lambda: enhancer.enhance(large, mode="full"), 3)
        found["full_bytes_per_pixel"] = (peak.bytes - idle) / 24e6
        one, four = (throughput(enhancer, workers) for workers in (1, 4))
        found["photos_per_s_at_1"], found["photos_per_s_at_4"] = one, four
        sizes = [photo_file(300 + 97 * i, 1200 - 83 * i) for i in range(10)]
        list(pool.map(lambda i: enhancer.enhance(sizes[i % 10]), range(40)))
        settled = pss_bytes(group)
        list(pool.map(lambda i: enhancer.enhance(sizes[i % 10]), range(200)))
        found["growth"] = pss_bytes(group) / settled
        with Peak(group) as peak:
            enhancer.enhance(huge, mode="full")
        found["huge_bytes"] = float(peak.bytes)
    return found


def throughput(enhancer: Enhancer, workers: int) -> float:
    """Photos of 2 megapixels per second in mode full."""
    file = photo_file(1732, 1155)
    with ThreadPoolExecutor(workers) as pool:
        started = time.perf_counter()
        list(pool.map(lambda _: enhancer.enhance(file, mode="full"), range(12)))
        return 12 / (time.perf_counter() - started)


def ratios(engine: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """The rows of RATIOS."""
    tiles_s = tile_count(6000, 4000) * engine["per_tile_together_s"]
    return dict(
        zip(
            RATIOS,
            (
                found["tile_through_triton_s"] / engine["one_tile_s"],
                found["full_s"] / (tiles_s + 2 * found["pillow_s"]),
                found["fast_s"] / (2 * found["pillow_s"] + 1.5 * engine["one_tile_s"]),
                engine["pytorch_s"] / engine["one_tile_s"],
                engine["psnr_db"],
                found["full_bytes_per_pixel"],
                found["huge_bytes"] / 1e9,
                found["growth"],
                found["photos_per_s_at_4"] / found["photos_per_s_at_1"],
            ),
            strict=True,
        )
    )


def result() -> Result:
    """The result, with its header."""
    engine = engines()
    with TritonServer() as server:
        found = measure(server)
    rows: list[dict[str, Any]] = []
    for name, value in ratios(engine, found).items():
        limit = RATIOS[name]
        reached = value >= limit if name in AT_LEAST else value <= limit
        rows.append({"row": name, "value": round(value, 3), "limit": limit, "reached": bool(reached)})
    versions = package_versions("torch") | package_versions("nvidia-pytriton", "openvino", python=SERVER_PYTHON)
    return new_result("serving", "serving", "cpu", versions, {"engine": engine, "server": found, "rows": rows})


def lines(found: Result) -> list[str]:
    """The result as text."""
    return [
        f"{row['row']:48s} {row['value']:8.2f}  {'>=' if row['row'] in AT_LEAST else '<='} {row['limit']:<6} "
        f"{'reached' if row['reached'] else 'MISSED'}"
        for row in found["rows"]
    ]


if __name__ == "__main__":
    sys.exit(keep(result, lines))
