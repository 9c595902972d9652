"""Model control of one server by the watchdog alone, and the keys on its command line.

Triton takes keys on its command line alone, which every user of the machine can list. So an argument of the command
that ends in `=@/a/file` stands for the file's content, and keys are blotted out of the server's own arguments once it
has read them. Needs Python's standard library alone.
"""

import contextlib
import http.client
import re
import secrets
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.server.stubs import read

KEY_HEADER = "model-control-key"
KEY = re.compile(rb"(--(?:http-restricted-api|grpc-restricted-protocol)=[^=\0]*=)([^\0]*)")
"""An argument of tritonserver with a key in it."""
LOAD_S = 300.0
HEALTH_S = 10.0


@dataclass(frozen=True)
class ModelControl:
    """Health and model control of one server, over its HTTP port on this machine."""

    port: int = 8000
    host: str = "127.0.0.1"
    key: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @classmethod
    def of(cls, command: Sequence[str]) -> "ModelControl":
        """The model control of the server that a command starts."""
        ports = [each.partition("=")[2] for each in command if each.startswith("--http-port=")]
        return cls(int(ports[-1])) if ports else cls()

    def options(self) -> tuple[str, ...]:
        """Options of tritonserver: every model is loaded, and only the watchdog may load one again."""
        rule = f"model-repository:{KEY_HEADER}={self.key}"
        restrictions = (f"--http-restricted-api={rule}", f"--grpc-restricted-protocol={rule}")
        return ("--model-control-mode=explicit", "--load-model=*", *restrictions)

    def is_live(self) -> bool:
        """Whether the server answers at all."""
        try:
            self._ask("health/live", None, HEALTH_S)
        except (OSError, http.client.HTTPException):
            return False
        return True

    def reload(self, model: str) -> None:
        """Load a model again; meanwhile the server says that it is not ready.

        `load` alone does nothing for a model whose files are the same; models made of this one come back with it.

        Raises:
            OSError: the server refuses, or does not answer in time.
        """
        for action in ("unload", "load"):
            self._ask(f"repository/models/{model}/{action}", b"{}", LOAD_S)

    def _ask(self, path: str, body: bytes | None, timeout_s: float) -> None:
        url = f"http://{self.host}:{self.port}/v2/{path}"
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever http_proxy says
        with direct.open(urllib.request.Request(url, body, {KEY_HEADER: self.key}), timeout=timeout_s):
            pass


def with_secrets(arguments: Sequence[str]) -> list[str]:
    """Arguments as tritonserver takes them: `=@/a/file` at the end becomes the file's content."""
    return [re.sub("=@(/.+)$", lambda file: f"={Path(file[1]).read_text().strip()}", each) for each in arguments]


def hide_keys(server: int) -> None:
    """Overwrite the keys in a child's arguments; if the system forbids that (ptrace_scope 2 or 3), they stay."""
    numbers = read(server, "stat").rpartition(")")[2].split()
    start, end = (int(number) for number in numbers[45:47])  # arg_start and arg_end, proc(5)
    with contextlib.suppress(OSError), Path(f"/proc/{server}/mem").open("r+b", buffering=0) as memory:
        memory.seek(start)
        arguments = memory.read(end - start)
        memory.seek(start)
        memory.write(KEY.sub(lambda argument: argument[1] + b"*" * len(argument[2]), arguments))
