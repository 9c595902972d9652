"""Thousands of damaged photos: each gets a picture or a reason, and the server lives."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from clients import Enhancer, Retry
from clients.errors import EnhanceError, PhotoError
from perf.faults.damage import damaged
from perf.faults.row import Row
from perf.faults.service import Service

FILES = 5000
TIMEOUT_S = 120.0
WORKERS = 3
PATIENCE = Retry(attempts=12)
"""Of a client while the server is started anew: a photo that kills it again and again is not answered."""


def outcome(enhancer: Enhancer, seed: int) -> str:
    """What became of the damaged file of a seed."""
    what, file = damaged(seed)
    try:
        return "answered" if enhancer.enhance(file, mode="fast").data else "empty"
    except PhotoError as reason:
        return "refused" if str(reason) else "refused without a reason"
    except EnhanceError as error:
        return f"seed {seed} ({what}): {type(error).__name__} {error}"


def outcomes(url: str, files: int) -> Counter[str]:
    """What became of the first damaged files."""
    with Enhancer(url, retry=PATIENCE, timeout_s=TIMEOUT_S) as enhancer, ThreadPoolExecutor(WORKERS) as pool:
        return Counter(pool.map(lambda seed: outcome(enhancer, seed), range(files)))


def damaged_photos(files: int = FILES) -> Row:
    """A crash would show as restarts, or as a photo that stays without an answer."""
    with Service() as service:
        found = outcomes(service.grpc_url, files)
        restarts = service.restarts()
    answered, refused = found.pop("answered", 0), found.pop("refused", 0)
    note = "; ".join([f"{restarts} restarts", *found])
    return Row("damaged photos", files, answered, refused, note=note)


FAULTS = {"damaged-photos": damaged_photos}
