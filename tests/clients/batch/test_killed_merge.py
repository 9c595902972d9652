"""A batch of brackets that is killed (SIGKILL) while scenes are merged: nothing is lost, and nothing doubled."""

import signal
import subprocess
import sys
from pathlib import Path

import grpc

from clients.batch.ledger import LEDGER_NAME
from files.checkout import ROOT
from tests.clients.batch.batches import finish
from tests.clients.brackets.shoots import bracket, shoot
from tests.clients.strict_server import StrictServer, running

SCENES = 4
KILLED_AFTER = (0, 1, 1)


class Killing(StrictServer):
    """Kills its client once it has answered so many requests and holds the frames of the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.victim: subprocess.Popen[bytes] | None = None
        self.to_answer = 0

    def ModelInfer(self, request: object, context: grpc.ServicerContext) -> object:
        if self.victim and not self.to_answer:
            self.victim.kill()
            self.victim.wait()
            self.victim = None
            context.abort(grpc.StatusCode.UNAVAILABLE, "nobody hears this")
        self.to_answer -= 1
        return super().ModelInfer(request, context)


def test_a_merge_that_is_killed_is_finished_by_the_same_command(tmp_path: Path) -> None:
    sources, targets = tmp_path / "in", tmp_path / "out"
    for scene in range(SCENES):
        shoot(sources, *bracket(10 * scene, scene, 600.0 * scene))
    server = Killing()
    with running(server) as port:
        command = [sys.executable, "-m", "clients", "merge", sources, targets, f"--url=grpc://127.0.0.1:{port}"]

        def start() -> "subprocess.Popen[bytes]":
            options = list(map(str, [*command, "--in-flight", "1", "--json"]))
            return subprocess.Popen(options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)

        for answers in KILLED_AFTER:
            server.to_answer, server.victim = answers, (killed := start())
            killed.communicate(timeout=60)
            assert killed.returncode == -signal.SIGKILL
        stored = len(list(targets.glob("*.jpg")))  # by runs that were killed
        code, report, _ = finish(start())
        assert (code, report["failed"], report["frames"]) == (0, [], 3 * report["merged"])
        assert SCENES - stored <= report["merged"] <= SCENES
        assert len(server.answered) <= SCENES + sum(KILLED_AFTER)  # what was answered and not yet stored comes again
    names = [f"IMG_{10 * scene}.jpg" for scene in range(SCENES)]
    assert sorted(path.name for path in targets.iterdir()) == sorted([LEDGER_NAME, *names])
    for name in names:
        assert (targets / name).read_bytes() == (sources / name).read_bytes()
