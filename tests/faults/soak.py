"""Half an hour of mixed traffic: whether the server's memory, file descriptors and shared memory stay where they are.

    python -m tests.faults.soak [--minutes 30]

Photos of several sizes and formats in both modes over gRPC and HTTP, one in ten damaged, one in ten made to do harm,
one in ten given up by its client, every other client a new one. The rate is a fraction of what the server can do: this
is about time, not load.
"""

import argparse
import contextlib
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from clients import Enhancer, Retry
from clients.errors import DeadlineError, EnhanceError, PhotoError
from command_line.ending import finish
from deploy.measuring.memory import process_pss_bytes, processes
from deploy.server.interrupts import interruptible
from files.writing import write_whole
from perf import results
from perf.photos import photo_file
from tests.faults.curves import draw
from tests.faults.damage import damaged, photos
from tests.faults.hostile import hostile
from tests.faults.service import Service, instance_of

PERIOD_S = 1.5
SAMPLE_S = 10.0
TIMEOUT_S = 120.0
SIZES_PX = ((800, 600), (1600, 1200), (4000, 3000))
GROWTH = 1.05
"""The most that the median of the last third's memory may be of the second third's, shared memory aside."""
SPARE_FILES = 8
"""Connections come and go: so many more file descriptors mean nothing."""

Kind = Callable[[Service, Enhancer, random.Random], str]


def small_or_large(service: Service, shared: Enhancer, chance: random.Random) -> str:
    """A JPEG on the connection that all share; large ones go through shared memory."""
    width, height = chance.choices(SIZES_PX, weights=(6, 3, 1))[0]
    mode = "fast" if width > 2000 else chance.choice(("fast", "full"))
    shared.enhance(photo_file(width, height), mode=mode)
    return "answered"


def every_format(service: Service, shared: Enhancer, chance: random.Random) -> str:
    """One of every kind of file, over HTTP, by a client that comes and goes."""
    with Enhancer(service.http_url, timeout_s=TIMEOUT_S) as enhancer:
        enhancer.enhance(chance.choice(list(photos().values())), mode="fast")
    return "answered"


def a_damaged_one(service: Service, shared: Enhancer, chance: random.Random) -> str:
    """A damaged file."""
    return _answer_to(damaged(chance.randrange(10**6))[1], service)


def a_hostile_one(service: Service, shared: Enhancer, chance: random.Random) -> str:
    """A file that was made to do harm."""
    return f"hostile, {_answer_to(hostile(chance.randrange(10**6))[1], service)}"


def _answer_to(file: bytes, service: Service) -> str:
    """What a client that comes and goes is told."""
    with Enhancer(service.grpc_url, timeout_s=TIMEOUT_S) as enhancer:
        try:
            enhancer.enhance(file, mode="fast")
        except PhotoError:
            return "refused with a reason"
    return "answered"


def given_up(service: Service, shared: Enhancer, chance: random.Random) -> str:
    """A client that does not wait."""
    with Enhancer(service.grpc_url, timeout_s=chance.uniform(0.005, 0.2), retry=Retry(attempts=1)) as enhancer:
        try:
            enhancer.enhance(photo_file(1600, 1200), mode="full")
        except DeadlineError:
            return "given up by the client"
    return "answered"


KINDS: tuple[Kind, ...] = (small_or_large,) * 5 + (every_format,) * 2 + (a_damaged_one, a_hostile_one, given_up)


class Traffic:
    """One request of a random kind after another, at a steady rate, each in its own thread."""

    def __init__(self, service: Service, seed: int = 0) -> None:
        self.outcomes: Counter[str] = Counter()
        self.errors: list[str] = []
        self._service = service
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def run(self, seconds: float) -> None:
        """Send for so long, then wait for the last answers."""
        end_s = time.monotonic() + seconds
        with Enhancer(self._service.grpc_url, timeout_s=TIMEOUT_S) as shared, ThreadPoolExecutor(4) as pool:
            while time.monotonic() < end_s:
                pool.submit(self._send, self._chance.choice(KINDS), shared, self._chance.randrange(10**9))
                time.sleep(PERIOD_S)

    def _send(self, kind: Kind, shared: Enhancer, seed: int) -> None:
        try:
            outcome = kind(self._service, shared, random.Random(seed))
        except EnhanceError as error:
            outcome = "failed"
            self.errors.append(f"{kind.__name__}: {error}")
        with self._lock:
            self.outcomes[outcome] += 1


def sample(service: Service) -> dict[str, int]:
    """Memory in bytes by model, file descriptors, threads, shared memory, of all processes of the server."""
    group = processes(service.server)
    found: Counter[str] = Counter()
    for process in group:
        model = instance_of(process.pid).rsplit("_", 2)[0] or "tritonserver"
        found[f"{model}_bytes"] += process_pss_bytes(process)
        with contextlib.suppress(psutil.Error):  # it has ended meanwhile
            found["files"] += process.num_fds()
            found["threads"] += process.num_threads()
    found["shared_memory_bytes"] = service.shared_memory_bytes()
    return dict(found) | {"processes": len(group)}


def soak(minutes: float) -> results.Result:
    """Run; returns the result."""
    with Service() as service:
        traffic = Traffic(service)
        sender = threading.Thread(target=traffic.run, args=(60 * minutes,))
        started = time.monotonic()
        sender.start()
        sampled = []
        while sender.is_alive():
            sampled.append({"time_s": round(time.monotonic() - started), **sample(service)})
            sender.join(SAMPLE_S)
        deaths = service.told()
    samples = {name: [sample.get(name, 0) for sample in sampled] for name in sampled[0]}
    rows = [{"outcome": outcome, "requests": count} for outcome, count in traffic.outcomes.items()]
    about = {"minutes": minutes, "errors": "; ".join(traffic.errors[:20]), "deaths": deaths, **verdict(samples)}
    return results.new_result("soak", "soak", "cpu", {}, rows, about, samples)


def verdict(samples: dict[str, list[int]]) -> dict[str, Any]:
    """The last third against the one before, by medians: in the first one memory is still being asked for."""
    shared = samples["shared_memory_bytes"]
    models = [values for name, values in samples.items() if name.endswith("_bytes") and values is not shared]
    own = [sum(values) - both for *values, both in zip(*models, shared, strict=True)]
    return {
        "memory_growth": round(_last(own) / _middle(own), 3),
        "shared_memory_growth": round(_last(shared) / max(1, _middle(shared)), 3),
        "files_growth": round(_last(samples["files"]) - _middle(samples["files"])),
    }


def _middle(values: list[int]) -> float:
    return statistics.median(values[len(values) // 3 : 2 * len(values) // 3] or values)


def _last(values: list[int]) -> float:
    return statistics.median(values[2 * len(values) // 3 :])


def is_well(about: dict[str, Any]) -> bool:
    """Whether nothing failed, died or grew."""
    grown = about["memory_growth"] > GROWTH or about["files_growth"] > SPARE_FILES
    return not (about["errors"] or about["deaths"] or grown)


def main() -> int:
    """Command line; exit code 1 where something failed, died or grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--out", type=Path, default=results.RESULTS, help="folder of the result and the curves")
    args = parser.parse_args()
    with interruptible():
        return finish(lambda: measure(args.minutes, args.out))


def measure(minutes: float, folder: Path) -> int:
    """Soak, keep the result and the curves; returns the exit code."""
    result = soak(minutes)
    curves = draw(result)
    path = results.write(result, folder)
    write_whole(path.with_suffix(".png"), curves)
    print(json.dumps({name: result[name] for name in ("about", "rows")}, indent=1))
    return 0 if is_well(result["about"]) else 1


if __name__ == "__main__":
    sys.exit(main())
