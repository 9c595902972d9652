"""Thousands of damaged photos, and some made to do harm: each gets a picture or a reason, and the server lives."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from clients import Enhancer, Retry
from clients.errors import EnhanceError, PhotoError
from tests.faults.damage import damaged
from tests.faults.hostile import hostile
from tests.faults.row import Row
from tests.faults.service import Service

FILES = 2000
HOSTILE_FILES = 120
Files = Callable[[int], tuple[str, bytes]]
"""What a file is, and the file, by its seed."""
TIMEOUT_S = 120.0
WORKERS = 3
PATIENCE = Retry(attempts=12)
"""Of a client while the server starts again: a photo that kills it again and again is not answered."""


def outcome(enhancer: Enhancer, files: Files, seed: int) -> str:
    """What became of the file of a seed."""
    what, file = files(seed)
    try:
        return "answered" if enhancer.enhance(file, mode="fast").data else "empty"
    except PhotoError as reason:
        return "refused" if str(reason) else "refused without a reason"
    except EnhanceError as error:
        return f"seed {seed} ({what}): {type(error).__name__} {error}"


def outcomes(url: str, count: int, files: Files = damaged) -> Counter[str]:
    """What became of the first files."""
    with Enhancer(url, retry=PATIENCE, timeout_s=TIMEOUT_S) as enhancer, ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pool.map(lambda seed: outcome(enhancer, files, seed), range(count)))


def bad_files(name: str, count: int, files: Files) -> Row:
    """A crash would show as restarts or reloads, or as a photo that stays without an answer."""
    with Service() as service:
        found = outcomes(service.grpc_url, count, files)
        deaths = [f"{service.restarts()} restarts", f"{service.reloads()} models loaded again"]
    answered, refused = found.pop("answered", 0), found.pop("refused", 0)
    return Row(name, count, answered, refused, note="; ".join([*deaths, *found]))


FAULTS = {
    "damaged-photos": partial(bad_files, "damaged photos", FILES, damaged),
    "hostile-photos": partial(bad_files, "photos made to do harm", HOSTILE_FILES, hostile),
}
