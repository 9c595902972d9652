"""What the steps share: the profile, its server, and the CPU profile's server to compare with."""

import contextlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from clients import Enhancer
from deploy.measuring.targets import Target, server
from deploy.server.wheel import LaunchError
from files.checkout import ROOT

TIMEOUT_S = 3600


class CannotTell(Exception):
    """Nothing can be said about the question; the message says why."""


class Session:
    """One check of one profile; its servers are started when first asked for, and ended with it.

    Args:
        profile: "cpu" or "gpu".
        folder: receives logs and results.
        url: a server of that profile that runs already, grpc://host:8001; one of its own otherwise.
    """

    def __init__(self, profile: str, folder: Path, url: str | None = None) -> None:
        self.profile = profile
        self.folder = folder
        self._url = url
        self._servers: dict[str, Target | CannotTell] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> "Session":
        """Make the folder; start nothing yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the servers."""
        self._open.close()

    @property
    def is_gpu(self) -> bool:
        """Whether the GPU profile is checked."""
        return self.profile == "gpu"

    def target(self) -> Target:
        """The profile's server, ready.

        Raises:
            LaunchError: it does not start, the first time that it is asked for.
            CannotTell: it did not start, afterwards.
        """
        return self._started(self.profile, self._url)

    def enhancer(self) -> Enhancer:
        """A client of the profile's server; raises as `target`."""
        return Enhancer(f"grpc://{self.target().grpc}")

    def reference(self) -> Enhancer:
        """A client of a server of the CPU profile, which is this one where that is checked; raises as `target`."""
        return Enhancer(f"grpc://{self._started('cpu', None if self.is_gpu else self._url).grpc}")

    def run(self, command: Sequence[str], log: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the project's folder; what it says is kept in a log of that name."""
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        (self.folder / f"{log}.log").write_text(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done

    def _started(self, profile: str, url: str | None) -> Target:
        known = self._servers.get(profile)
        if isinstance(known, CannotTell):
            raise known
        if known is None:
            try:
                known = self._servers[profile] = self._open.enter_context(server(profile, url))
            except LaunchError:
                self._servers[profile] = CannotTell(f"the server of the {profile} profile did not start")
                raise
        return known
