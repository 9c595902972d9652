"""Peers side by side: time and quality of the same photos, in one run on one machine.

    python -m perf.peers [--panoramas FOLDER]

Every photo goes through all peers in turn, so that a busy moment of the machine falls on all of them. One photo at a
time; every server stays up all the while, idle when it is not asked. Quality is against the right edit of views from
panoramas that were never trained on, at the size and by the definitions of `make evaluate`.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients.errors import EnhanceError
from deploy.server import SERVER_PYTHON
from deploy.wheel import LaunchError
from perf import commands, results
from perf.engines import Row, spread
from perf.peers import Enhance, Peer, files
from perf.peers.scenes import SIZE, Scene, kept_scenes, sample_scenes
from perf.peers.served import PEERS_PYTHON
from perf.peers.table import PEERS
from perf.runtimes import Unavailable
from training.evaluation import Scores, mean

PHOTOS = {2: (SIZE, 8), 12: ((4243, 2829), 3)}  # size in pixels and number of photos, by megapixels
NO_TARGETS = "no panoramas: make perf-peers PANORAMAS=folder (docs/training.md says where they come from)"


@dataclass
class Entry:
    """One way of one peer at one size, and what was measured of it."""

    peer: Peer
    mode: str
    megapixels: int
    enhance: Enhance | None
    failure: str = ""
    times_s: list[float] = field(default_factory=list)
    scores: list[Scores] = field(default_factory=list)

    def measure(self, file: bytes, scene: Scene) -> None:
        """Edit one photo. A way that fails once is out: its row says why."""
        if self.enhance is None:
            return
        try:
            started = time.perf_counter()
            edited = self.enhance(file, self.mode)
            self.times_s.append(time.perf_counter() - started)
        except (EnhanceError, OSError, RuntimeError) as error:
            self.enhance, self.failure = None, str(error)
            return
        if scene.target is not None:
            self.scores.append(scene.score(files.read(edited)))

    def row(self) -> Row:
        """For the result."""
        named = {"peer": self.peer.name, "mode": self.mode, "megapixels": self.megapixels, "about": self.peer.about}
        if self.enhance is None:
            return named | {"status": "not run", "reason": self.failure}
        quality = mean(self.scores) if self.scores else None
        return named | {
            "status": "measured",
            "photos": len(self.times_s),
            "time_s": spread(self.times_s),
            "psnr_db": quality and quality.psnr_db,
            "ssim": quality and quality.ssim,
        }


@contextlib.contextmanager
def opened_entries() -> Iterator[list[Entry]]:
    """Every way of every peer, ready, for each size."""
    with contextlib.ExitStack() as stack:
        entries = []
        for peer in PEERS:
            print(f"starting {peer.name} ...", flush=True)
            enhance, failure = None, ""
            try:
                enhance = stack.enter_context(peer.opened())
            except (Unavailable, LaunchError) as why:
                failure = str(why)
            entries += [Entry(peer, mode, size, enhance, failure) for size in PHOTOS for mode in peer.modes]
        yield sorted(entries, key=lambda entry: entry.megapixels)


def measure(entries: list[Entry], scenes: list[Scene]) -> None:
    """All photos of all sizes; the first of a size is shown once before, which does not count."""
    for megapixels, (size, count) in PHOTOS.items():
        chosen = [entry for entry in entries if entry.megapixels == megapixels]
        photos = [scenes[number % len(scenes)] for number in range(count)]
        for number, scene in enumerate([photos[0], *photos]):
            print(f"{megapixels} megapixels, photo {number} of {count}", flush=True)
            file = scene.file(*size)
            for entry in chosen:
                entry.measure(file, scene)
        for entry in chosen:
            del entry.times_s[:1], entry.scores[:1]


def result(panoramas: Path | None) -> results.Result:
    """The result, with its header."""
    scenes = kept_scenes(panoramas, max(count for _, count in PHOTOS.values())) if panoramas else sample_scenes()
    with opened_entries() as entries:
        measure(entries, scenes)
    versions = results.package_versions("torch", "opencv-python-headless", "pillow")
    versions |= results.package_versions("openvino", "nvidia-pytriton", python=SERVER_PYTHON)
    if PEERS_PYTHON.exists():
        versions |= results.package_versions("fastapi", "uvicorn", python=PEERS_PYTHON)
    quality = f"{len(scenes)} views of kept panoramas, mean" if panoramas else f"not run: {NO_TARGETS}"
    body: dict[str, Any] = {"quality": quality, "rows": [entry.row() for entry in entries]}
    return results.new_result("peers", "peers", "cpu", versions, body)


def lines(found: results.Result) -> list[str]:
    """The result as text."""
    return [f"quality: {found['quality']}", *map(line, found["rows"])]


def line(row: Row) -> str:
    """A row as text."""
    name = f"{row['megapixels']:3} MP  {row['peer'] + ', ' + row['mode']:34}"
    if row["status"] == "not run":
        return f"{name} not run: {row['reason']}"
    took = row["time_s"]
    quality = "" if row["psnr_db"] is None else f"  {row['psnr_db']:6.2f} dB  SSIM {row['ssim']:.3f}"
    return f"{name} {took['median']:7.2f} s [{took['q25']:.2f}, {took['q75']:.2f}]{quality}"


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m perf.peers", description=__doc__)
    parser.add_argument("--panoramas", type=Path, help="folder of .hdr panoramas; without it, quality is not measured")
    panoramas = parser.parse_args().panoramas
    return commands.keep(lambda: result(panoramas), lines)


if __name__ == "__main__":
    sys.exit(main())
