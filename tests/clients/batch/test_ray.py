"""The Ray engine on a local cluster, and object stores: the same ledger, the same outputs."""

import contextlib
import json
import pickle
import signal
import sqlite3
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from clients.batch.job import Job
from clients.batch.ledger import LEDGER_NAME
from clients.batch.order import Order
from clients.batch.storage import location
from clients.commands.cli import main
from clients.connection import Connection
from clients.errors import UnreachableError
from clients.request import Options
from deploy.server.ports import Ports
from deploy.server.triton import TritonServer
from files.checkout import ROOT
from tests.clients.batch.batches import PHOTOS, UNFINISHED, batch, check_books, done, finish, wait_until_done
from tests.photos import encoded, photo

pytest.importorskip("ray", reason="Ray is not installed: make setup PART=ray")
pytest.importorskip("upath", reason="object stores need more packages: make setup PART=ray")


def test_ray_batch_killed_and_resumed(shoot: Path, identity_server: TritonServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = batch(shoot, out, identity_server.grpc_url, "--engine=ray")
    wait_until_done(out, 5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert done(out) < PHOTOS
    code, report, _ = finish(batch(shoot, out, identity_server.grpc_url, "--engine=ray"))
    assert code == 0 and report["done"] + report["skipped"] == PHOTOS
    check_books(shoot, out, PHOTOS + UNFINISHED)
    assert finish(batch(shoot, out, identity_server.grpc_url))[1]["skipped"] == PHOTOS  # the other engine agrees


def test_ray_without_a_server(shoot: Path, tmp_path: Path) -> None:
    nobody = f"grpc://127.0.0.1:{Ports.free().grpc}"
    code, report, told = finish(batch(shoot, tmp_path / "out", nobody, "--engine=ray"))
    assert code == 3 and report["pending"] == PHOTOS and "is the server running there?" in told


def test_worker_answers_what_to_note_and_what_to_stop_for(identity_server: TritonServer, tmp_path: Path) -> None:
    from clients.batch.ray_engine import Stored, Worker

    (tmp_path / "a.jpg").write_bytes(encoded(photo(64, 48)))
    (tmp_path / "text.jpg").write_text("hello")

    def ask(name: str, url: str) -> object:
        connection = Connection(urls=(url,), patience_s=1)
        worker = Worker(str(tmp_path), str(tmp_path / "out"), connection, Order(Options(mode="fast")))
        job = pickle.dumps(Job(Path(name), Path(name), 1, 1, ""))
        answer = worker({"job": job})
        assert answer["job"] == job
        return pickle.loads(answer["note"])

    fine = ask("a.jpg", identity_server.grpc_url)
    assert isinstance(fine, Stored) and fine.size == (tmp_path / "out/a.jpg").stat().st_size
    assert "not a photo" in str(ask("text.jpg", identity_server.grpc_url))
    assert "No such file" in str(ask("gone.jpg", identity_server.grpc_url))
    assert isinstance(ask("a.jpg", f"grpc://127.0.0.1:{Ports.free().grpc}"), UnreachableError)


def test_object_store(identity_server: TritonServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = f"memory://{uuid.uuid4().hex}"
    for name in ("in/a.jpg", "in/b/c.png", "in/.hidden.jpg", "in/notes.txt"):
        path = location(f"{bucket}/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(photo(60, 40), "PNG" if name.endswith("png") else "JPEG"))
    command = ["batch", f"{bucket}/in", f"{bucket}/out", "--url", identity_server.grpc_url, "--json", "--quiet"]
    assert main(command) == 2
    assert "name a folder for it with --ledger" in capsys.readouterr().err
    for counts in ((2, 0), (0, 2)):
        assert main([*command, "--ledger", str(tmp_path)]) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["done"], report["skipped"]) == counts
    outputs = {str(path.relative_to(location(f"{bucket}/out"))) for path in location(f"{bucket}/out").rglob("*.*")}
    assert outputs == {"a.jpg", "b/c.png"}
    with contextlib.closing(sqlite3.connect(tmp_path / LEDGER_NAME)) as database:
        assert database.execute("SELECT count(*) FROM photos WHERE state = 'done'").fetchone() == (2,)


def test_ray_phones_nobody() -> None:
    code = "import os, clients.batch.ray_engine; print(os.environ['RAY_USAGE_STATS_ENABLED'])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "0"
