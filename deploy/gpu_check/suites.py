"""Other programs of the project, run against the server that is checked, and what it takes of the machine's memory."""

import os
import sys
from pathlib import Path

from codec.options import MODES
from deploy.gpu_check.photos import LARGE_PX
from deploy.gpu_check.session import CannotTell, Session
from deploy.gpu_check.steps import Finding, Wrong
from deploy.measuring.machine import run
from deploy.measuring.memory import Peak, pss_bytes
from perf.load.analyzer import BINARY
from perf.photos import photo_file

MOST_GB = 32.0
"""What the Helm chart allows a replica."""


def server_tests(session: Session) -> Finding:
    """The tests of tests/server, as far as they can be asked of a running server."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/server", "--url", f"grpc://{session.target().grpc}"]
    done = session.run(command, "server-tests")
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr.strip()[-300:]]
    if done.returncode:
        raise Wrong(f"{last[0]}: {session.folder / 'server-tests.log'} has them")
    return Finding(last[0])


def perf_analyzer(session: Session) -> Finding:
    """NVIDIA's load generator, twenty small photos."""
    if not BINARY.exists():
        raise CannotTell("no perf_analyzer here: make setup PART=perf")
    command = [sys.executable, "-m", "perf", "--results", str(session.folder), "run", "smoke"]
    done = session.run([*command, "--profile", session.profile, "--url", f"grpc://{session.target().grpc}"], "perf")
    if done.returncode:
        raise Wrong(done.stderr.strip().splitlines()[-1])
    return Finding(done.stdout.strip().splitlines()[-1])


def memory(session: Session) -> Finding:
    """What photos of 24 megapixels take, one after the other in both modes."""
    group = session.target().group
    if group is None:
        return _memory_of_the_machine(session)
    idle = pss_bytes(group)
    with Peak(group) as peak:
        _large_photos(session)
    figures = {"idle, GB": idle / 1e9, "peak, GB": peak.bytes / 1e9}
    return _within(figures, figures["peak, GB"])


def _memory_of_the_machine(session: Session) -> Finding:
    """The memory of a server in a container or elsewhere: how much less is free than before."""
    if os.environ.get("DOCKER_HOST"):
        raise CannotTell("the server runs on another machine")
    before = available_gb()
    _large_photos(session)
    figures: dict[str, float | str] = {"free before, GB": before, "free after, GB": available_gb()}
    used = run("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader").strip()
    figures["GPU memory in use"] = used or "the driver does not say"
    return _within(figures, before - available_gb())


def _within(figures: dict[str, float] | dict[str, float | str], gigabytes: float) -> Finding:
    if gigabytes > MOST_GB:
        raise Wrong(f"{gigabytes:.1f} GB; {MOST_GB:.0f} are meant to be enough", dict(figures))
    return Finding(f"{gigabytes:.1f} GB with photos of 24 megapixels", dict(figures))


def _large_photos(session: Session) -> None:
    file = photo_file(*LARGE_PX)
    with session.enhancer() as enhancer:
        for mode in MODES:
            enhancer.enhance(file, mode=mode)


def available_gb() -> float:
    """Memory of this machine that programs could have."""
    text = Path("/proc/meminfo").read_text()
    return int(text.split("MemAvailable:")[1].split()[0]) * 1024 / 1e9
