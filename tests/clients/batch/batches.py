"""`enhance batch` as a process of its own, and the check of what it leaves behind."""

import contextlib
import hashlib
import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from clients.batch.ledger import LEDGER_NAME
from clients.batch.local_engine import SPARE
from files.checkout import ROOT
from tests.photos import encoded, photo

PHOTOS = 40
IN_FLIGHT = 3
UNFINISHED = IN_FLIGHT + SPARE
"""Photos that an interruption can find sent and not yet stored, at most."""


def small_shoot(folder: Path) -> Path:
    """A folder with photos in two rooms, one of which is a text file."""
    for number in range(6):
        path = folder / f"shoot/{'kitchen' if number % 2 else 'hall'}/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(photo(90, 60, number)))
    (folder / "shoot/hall/notes.jpg").write_text("call the agent")
    return folder / "shoot"


def batch(shoot: Path, out: Path, url: str | list[str], *more: str, **process: object) -> "subprocess.Popen[bytes]":
    """Starts `enhance batch` as a process of its own."""
    urls = [f"--url={each}" for each in ([url] if isinstance(url, str) else url)]
    command = [sys.executable, "-m", "clients", "batch", shoot, out, *urls, f"--in-flight={IN_FLIGHT}", "--json", *more]
    return subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        **process,
    )


def finish(process: "subprocess.Popen[bytes]", timeout_s: float = 90) -> tuple[int, dict[str, object], str]:
    """Exit code, JSON report and messages of a batch that ends by itself."""
    out, told = process.communicate(timeout=timeout_s)
    assert b"Traceback" not in told, told.decode()
    return process.returncode, json.loads(out or b"{}"), told.decode()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_books(shoot: Path, out: Path, most_attempts: int) -> None:
    """Every photo is done, the hashes agree, and no file is there that does not belong."""
    with contextlib.closing(sqlite3.connect(out / LEDGER_NAME)) as database:
        rows = database.execute("SELECT source, target, state, source_sha256, target_sha256, attempts FROM photos")
        rows = rows.fetchall()
    assert len(rows) == PHOTOS
    for source, target, state, source_sha256, target_sha256, _ in rows:
        assert state == "done"
        assert (digest(shoot / source), digest(out / target)) == (source_sha256, target_sha256)
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert names == {row[1] for row in rows} | {LEDGER_NAME}
    assert sum(row[5] for row in rows) <= most_attempts


def done(out: Path) -> int:
    return len(list(out.rglob("*.jpg")))


def wait_until_done(out: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while done(out) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)
