"""What serving costs beside the networks: ratios of one run on one machine.

Each row compares a time through the real server with times of its parts on their own (the engine without Triton, Pillow
reading and writing the same file, the same engine and arithmetic behind FastAPI), or memory with the photo's size.
Interleaving and medians keep a busy machine from deciding a row.
"""

import io
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image

from clients import Enhancer
from codec.options import MODES
from deploy.measuring.memory import Peak, pss_bytes
from deploy.server.triton import TritonServer
from perf.baselines.served import fastapi
from perf.engines.benchmark import ROUNDS, started
from perf.engines.benchmark import measure as measure_engines
from perf.engines.table import REFERENCE, SERVED_BY_CPU, engine, served_by_cpu
from perf.errors import PerfError, Unavailable
from perf.photos import photo_file
from perf.results import Result, new_result, server_versions, versions
from perf.timing import Work, medians_s
from pixels.difference import psnr_db
from serving.versions import NETWORKS

REPEATS = 7
WARMING = 16  # large photos, four at a time: every instance of every model gets some
Image.MAX_IMAGE_PIXELS = None  # the photo of 100 megapixels is meant
FRAMES_EV = (-2.0, 0.0, 2.0)
LARGE_PX, MEDIUM_PX, HUGE_PX = (6000, 4000), (4243, 2829), (12000, 8400)
AIMS: dict[str, tuple[str, float]] = {
    "fast, 24 MP / (2 x Pillow + 1.5 x one tile)": ("<=", 1.0),
    "full / fast, 24 MP": ("<=", 3.0),
    "three frames of 24 MP merged / one, fast": ("<=", 4.0),
    "three frames of 24 MP merged / one, full": ("<=", 4.0),
    "three frames of 24 MP merged, full: GB": ("<=", 5.0),
    "this service / FastAPI, fast, 12 MP": ("<=", 1.1),
    "this service / FastAPI, full, 12 MP": ("<=", 1.1),
    "PyTorch eager FP32 / engine, generator": (">=", 2.0),
    "PyTorch eager FP32 / engine, refiner": (">=", 2.0),
    "PSNR of the engine against PyTorch, generator, dB": (">=", 50.0),
    "PSNR of the engine against PyTorch, refiner, dB": (">=", 50.0),
    "full, 24 MP: bytes per pixel above idle": ("<=", 40.0),
    "full, 100 MP: GB": ("<=", 5.0),
}
"""The rows, and what each aims at."""


def read_and_write(file: bytes) -> None:
    """What any program does with a photo."""
    Image.open(io.BytesIO(file)).convert("RGB").save(io.BytesIO(), "JPEG", quality=92)


def engine_times(network: str, rounds: int) -> dict[str, float]:
    """A network in the served engine and in PyTorch on the same tiles, in turn, each in a process of its own.

    Raises:
        PerfError: one of the two does not run.
    """
    table = [engine(name) for name in (REFERENCE, *SERVED_BY_CPU)]
    with started(table, network) as (processes, missing, together):
        running = {process.row.name: process for process in processes}
        name = served_by_cpu(running)
        if name is None or REFERENCE in missing:
            raise PerfError("; ".join(f"{each} did not run: {why}" for each, why in missing.items()))
        medians = measure_engines([running[REFERENCE], running[name]], (1, together), rounds)
        reference, ours = running[REFERENCE].output(), running[name].output()
    return {
        f"{network}, one tile, s": statistics.median(medians[name][1]),
        f"{network}, a tile of {together} together, s": statistics.median(medians[name][together]) / together,
        f"{network}, one tile in PyTorch, s": statistics.median(medians[REFERENCE][1]),
        f"{network}, PSNR, dB": psnr_db(ours, reference),
    }


def memory() -> dict[str, float]:
    """What the largest requests take, each of a server of its own, since shared memory never shrinks: bytes."""
    large, huge = photo_file(*LARGE_PX), photo_file(*HUGE_PX)
    idle_bytes, large_bytes = peak_bytes(lambda enhancer: enhancer.enhance(large, mode="full"))
    return {
        "full_bytes_per_pixel": (large_bytes - idle_bytes) / 24e6,
        "huge_bytes": peak_bytes(lambda enhancer: enhancer.enhance(huge, mode="full"))[1],
        "merged_bytes": peak_bytes(lambda enhancer: enhancer.merge(frames(), mode="full"))[1],
    }


def peak_bytes(ask: Callable[[Enhancer], object]) -> tuple[float, float]:
    """Memory of a new server, before its first request and at most during it."""
    with TritonServer() as server, Enhancer(server.grpc_url) as enhancer:
        assert server.process is not None
        group = server.process.pid
        idle_bytes = pss_bytes(group)
        with Peak(group) as peak:
            ask(enhancer)
    return float(idle_bytes), float(peak.bytes)


def frames() -> list[bytes]:
    """A scene of three frames."""
    return [photo_file(*LARGE_PX, ev=ev) for ev in FRAMES_EV]


def measure(server: TritonServer, repeats: int) -> dict[str, float]:
    """All times through one server, in seconds."""
    large, scene = photo_file(*LARGE_PX), frames()
    found: dict[str, float] = {}
    with Enhancer(server.grpc_url) as enhancer, ThreadPoolExecutor(4) as pool:
        fast, full = (partial(enhancer.enhance, large, mode=mode) for mode in ("fast", "full"))
        list(pool.map(lambda _: full(), range(WARMING)))  # an instance's first photo makes its shared memory grow
        works: list[Work] = [partial(read_and_write, large), fast, full]
        found["pillow_s"], found["fast_s"], found["full_s"] = medians_s(works, repeats)
        scenes: list[Work] = [partial(enhancer.merge, scene, mode=mode) for mode in MODES]
        found |= dict(zip((f"{mode}_merged_s" for mode in MODES), medians_s(scenes, repeats), strict=True))
        found |= beside_fastapi(enhancer, repeats)
    return found


def beside_fastapi(enhancer: Enhancer, repeats: int) -> dict[str, float]:
    """Times of this service and of its engine and arithmetic behind FastAPI, in turn; empty where that is missing."""
    file, found = photo_file(*MEDIUM_PX), dict[str, float]()
    try:
        with fastapi() as theirs:
            for mode in MODES:
                both: list[Work] = [partial(enhancer.enhance, file, mode=mode), partial(theirs, file, mode)]
                found[f"{mode}_12mp_s"], found[f"{mode}_12mp_fastapi_s"] = medians_s(both, repeats)
    except Unavailable as why:
        print(f"FastAPI not measured: {why}", file=sys.stderr)
    return found


def ratios(engines: dict[str, float], found: dict[str, float]) -> dict[str, float]:
    """The rows of AIMS that were measured."""
    one_tile_s = engines["generator, one tile, s"]
    rows = {
        "fast, 24 MP / (2 x Pillow + 1.5 x one tile)": found["fast_s"] / (2 * found["pillow_s"] + 1.5 * one_tile_s),
        "full / fast, 24 MP": found["full_s"] / found["fast_s"],
        "three frames of 24 MP merged, full: GB": found["merged_bytes"] / 1e9,
        "full, 24 MP: bytes per pixel above idle": found["full_bytes_per_pixel"],
        "full, 100 MP: GB": found["huge_bytes"] / 1e9,
    }
    for network in NETWORKS:
        eager_s, ours_s = engines[f"{network}, one tile in PyTorch, s"], engines[f"{network}, one tile, s"]
        rows[f"PyTorch eager FP32 / engine, {network}"] = eager_s / ours_s
        rows[f"PSNR of the engine against PyTorch, {network}, dB"] = engines[f"{network}, PSNR, dB"]
    for mode in MODES:
        rows[f"three frames of 24 MP merged / one, {mode}"] = found[f"{mode}_merged_s"] / found[f"{mode}_s"]
        if f"{mode}_12mp_fastapi_s" in found:
            ratio = found[f"{mode}_12mp_s"] / found[f"{mode}_12mp_fastapi_s"]
            rows[f"this service / FastAPI, {mode}, 12 MP"] = ratio
    return {name: rows[name] for name in AIMS if name in rows}


def serving(repeats: int = REPEATS, rounds: int = ROUNDS) -> Result:
    """The ratios, and beside them what they were made of: seconds, bytes and dB."""
    engines = {name: value for network in NETWORKS for name, value in engine_times(network, rounds).items()}
    with TritonServer() as server:
        found = measure(server, repeats)
    found |= memory()
    rows = []
    for name, value in ratios(engines, found).items():
        sign, aim = AIMS[name]
        reached = value <= aim if sign == "<=" else value >= aim
        rows.append({"ratio": name, "value": round(value, 3), "aim": f"{sign} {aim:g}", "reached": reached})
    found_versions = versions("torch") | server_versions()
    return new_result("serving", "serving", "cpu", found_versions, rows, engines | found)
