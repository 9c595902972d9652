"""Ten times the photos that the service can edit, for a minute."""

import asyncio
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from clients import AsyncEnhancer, Enhancer, Retry
from clients.errors import BusyError, DeadlineError, EnhanceError
from perf.photos import photo_file
from tests.faults.probe import Probe
from tests.faults.row import Row
from tests.faults.service import Service

FACTOR = 10
SECONDS = 60.0
IN_SERVER = 24
"""Photos that the server takes at most: 16 that wait, 4 in tiler, and some in decode and encode."""
DEADLINE_FACTOR = 3.0
"""How much longer a client waits than a full server needs for what it has taken."""
PHOTO_PX = (1000, 800)
WARM_UP = 24


def capacity_per_s(url: str) -> float:
    """Photos a second that the service edits when it always has enough to do."""
    with Enhancer(url) as enhancer, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: enhancer.enhance(photo_file(*PHOTO_PX)), range(8)))
        started_s = time.monotonic()
        list(pool.map(lambda _: enhancer.enhance(photo_file(*PHOTO_PX)), range(WARM_UP)))
        return WARM_UP / (time.monotonic() - started_s)


async def send(
    url: str, per_s: float, seconds: float, deadline_s: float, refusals_s: list[float] | None = None
) -> Counter[str]:
    """Photos at a steady rate whatever becomes of them, each once; what became of them.

    Args:
        url: of the service.
        per_s: photos a second.
        seconds: for so long.
        deadline_s: of each photo.
        refusals_s: gets the time that each refusal took.
    """
    outcomes: Counter[str] = Counter()

    async def one() -> None:
        sent_s = time.monotonic()
        try:
            await enhancer.enhance(photo_file(*PHOTO_PX))
            outcomes["answered"] += 1
        except BusyError:
            outcomes["refused"] += 1
            if refusals_s is not None:
                refusals_s.append(time.monotonic() - sent_s)
        except DeadlineError:
            outcomes["late"] += 1
        except EnhanceError:
            outcomes["failed"] += 1

    async with AsyncEnhancer(url, retry=Retry(attempts=1), timeout_s=deadline_s) as enhancer:
        started_s = time.monotonic()
        sent = []
        for number in range(round(per_s * seconds)):
            await asyncio.sleep(started_s + number / per_s - time.monotonic())
            sent.append(asyncio.create_task(one()))
        await asyncio.gather(*sent)
    return outcomes


def overload(seconds: float = SECONDS) -> Row:
    """Every photo that is taken is answered before its deadline; the others get UNAVAILABLE at once."""
    with Service() as service:
        capacity = capacity_per_s(service.grpc_url)
        deadline_s, per_s = DEADLINE_FACTOR * IN_SERVER / capacity, FACTOR * capacity
        refusals_s: list[float] = []
        outcomes = asyncio.run(send(service.grpc_url, per_s, seconds, deadline_s, refusals_s))
        with Probe(service.grpc_url) as probe, Enhancer(service.grpc_url) as enhancer:
            probe.fault()
            enhancer.enhance(photo_file(*PHOTO_PX))
            time.sleep(1)
    note = f"{per_s:.0f} photos/s, deadline {deadline_s:.0f} s: {outcomes['late']} missed it"
    if refusals_s:
        note += f"; refusals after {1000 * statistics.median(refusals_s):.0f} ms (median)"
    return Row(
        f"{FACTOR} times overload for {seconds:.0f} s",
        round(per_s * seconds),
        outcomes["answered"],
        outcomes["refused"],
        recovered_s=probe.recovered_s,
        note=note,
    )


FAULTS = {"overload": overload}
