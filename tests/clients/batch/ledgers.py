"""A ledger with one photo, and the ways to bring it into each state."""

import hashlib
from pathlib import Path

from clients.batch.job import Job
from clients.batch.judgement import Again
from clients.batch.ledger import Ledger
from files.writing import write_whole
from tests.photos import encoded, photo

PHOTO = encoded(photo(40, 30))
ENHANCED = b"enhanced"
OUTPUT = hashlib.sha256(ENHANCED).hexdigest(), len(ENHANCED)


def job(sources: Path, name: str = "a.jpg", target: str = "", settings: str = "") -> Job:
    return Job.of(Path(name), Path(target or name), (sources / name).stat(), settings)


def photo_hash(sources: Path) -> str:
    return hashlib.sha256((sources / "a.jpg").read_bytes()).hexdigest()


def finish(folders: tuple[Path, Path], settings: str = "", model: str = "") -> None:
    """Runs the photo through all states."""
    sources, targets = folders
    ledger = Ledger(*folders)
    ledger.model = model
    found = job(sources, settings=settings)
    ledger.note(found, Again(existing=True))
    ledger.tried(found)
    ledger.storing(found, photo_hash(sources), *OUTPUT, 0.1)
    write_whole(targets / found.target, ENHANCED)
    ledger.done(found)
    ledger.close()


def state_after_rescan(folders: tuple[Path, Path], settings: str = "", retry_failed: bool = False) -> str:
    ledger = Ledger(*folders)
    state = ledger.note(job(folders[0], settings=settings), Again(failed=retry_failed))
    left = [each.source for each in ledger.pending()]
    assert left == ([Path("a.jpg")] if state == "pending" else [])
    ledger.close()
    return state
