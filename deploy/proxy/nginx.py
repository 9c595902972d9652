"""nginx as the proxy, from its start to its end."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from command_line.ending import UserError
from deploy.access.certificates import Certificates
from deploy.access.keys import KEYS
from deploy.proxy import settings
from deploy.proxy.settings import Limits, Server
from deploy.server.interrupts import end_with_parent

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 20.0


class ProxyError(UserError):
    """The proxy cannot be started; the message says what to do."""


class Proxy:
    """An nginx in front of servers, as a context manager; answering inside the ``with`` block.

    Args:
        servers: (HTTP URL, gRPC URL) of each server, at least one.
        port: where to listen, for HTTPS and gRPC alike; a free one by default.
        host: address to listen on.
        certificates: of the proxy.
        mutual: clients need a certificate of the authority, too.
        keys: file of API keys, see `deploy.access.keys`; read with every request.
        limits: for each key.
        logs: folder of access.log and error.log; a temporary one by default.

    Raises:
        ProxyError: on entering, with what to do about it.
        CertificatesError: on entering, where one is missing.
    """

    def __init__(
        self,
        servers: Sequence[tuple[str, str]],
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        certificates: Certificates = Certificates(),  # noqa: B008  (frozen)
        mutual: bool = False,
        keys: Path = KEYS,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        logs: Path | None = None,
    ) -> None:
        self.servers = [Server.at(*urls) for urls in servers]
        self.host = host
        self.port = port or _free_port(host)
        self.certificates = certificates
        self.mutual = mutual
        self.keys = keys
        self.limits = limits
        self.logs = logs
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def https_url(self) -> str:
        """Address for clients over HTTP."""
        return f"https://{self.host}:{self.port}"

    @property
    def grpcs_url(self) -> str:
        """Address for clients over gRPC."""
        return f"grpcs://{self.host}:{self.port}"

    def __enter__(self) -> Proxy:
        """Start, and wait until it listens."""
        self._check()
        with contextlib.ExitStack() as stack:
            self.state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="enhancer-proxy-")))
            self._folder = os.open(self.keys.parent, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, self._folder)
            self._configure()
            stack.callback(self._stop)
            self.process = subprocess.Popen(
                [_nginx(), "-p", self.state, "-c", self.state / "nginx.conf", "-g", f"daemon off; {_user(self.keys)}"],
                stdin=subprocess.DEVNULL,
                stderr=(self.state / "start.log").open("wb"),
                start_new_session=True,  # Ctrl-C reaches the proxy's owner alone, who stops it
                preexec_fn=end_with_parent,
                pass_fds=(self._folder,),
            )
            self._wait_ready()
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop once the requests in flight are answered."""
        self._resources.close()

    def serve_by(self, servers: Sequence[tuple[str, str]], timeout_s: float = 600) -> None:
        """Serve by these servers from now on; returns once those left out have answered their last request.

        Args:
            servers: (HTTP URL, gRPC URL) of each.
            timeout_s: for the requests in flight.

        Raises:
            ProxyError: requests are still in flight.
        """
        self.servers = [Server.at(*urls) for urls in servers]
        self._configure()
        before = self._workers()
        self._signal(signal.SIGHUP)
        deadline = time.monotonic() + timeout_s
        while (now := self._workers()) & before or not now:  # old workers finish their requests, then end
            if time.monotonic() > deadline:
                raise ProxyError(f"requests are in flight after {timeout_s:.0f} s, or nginx refuses\n{self._log()}")
            time.sleep(0.05)

    def _configure(self) -> None:
        """Write nginx's configuration; the keys by their folder's handle: the workers need no right to those above."""
        addresses = {
            "PROXY_LISTEN": f"{self.host}:{self.port}",
            "PROXY_KEYS": f"/proc/self/fd/{self._folder}/{self.keys.name}",
            "PROXY_STATE": str(self.state),
            "PROXY_LOGS": str((self.logs or self.state).resolve()),
        }
        tls = settings.of_certificates(self.certificates, mutual=self.mutual)
        text = settings.filled(addresses | tls | settings.of_servers(self.servers) | self.limits.settings())
        (self.state / "nginx.conf").write_text(text)

    def _check(self) -> None:
        self.certificates.check(mutual=self.mutual)
        if not self.keys.is_file():
            raise ProxyError(f"no API keys in {self.keys}; make one: python3 -m deploy.access keys add studio")
        _nginx()
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), timeout=1):
            raise ProxyError(f"port {self.port} is in use; choose another: make proxy PROXY_PORT={self.port + 10}")
        if self.logs is not None:
            self.logs.mkdir(parents=True, exist_ok=True)

    def _wait_ready(self) -> None:
        """Wait until a TLS handshake is answered; with mutual TLS, the answer may be a refusal."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.is_running() and time.monotonic() < deadline:
            try:
                ssl.get_server_certificate((self.host, self.port), timeout=1)
                return
            except OSError:
                time.sleep(0.02)
        raise ProxyError(f"nginx does not start\n{self._log()}")

    def _log(self) -> str:
        return (self.state / "start.log").read_text(errors="replace").strip()

    def _workers(self) -> set[str]:
        pid = self.process.pid if self.process else 0
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def is_running(self) -> bool:
        """Whether nginx runs."""
        return self.process is not None and self.process.poll() is None

    def wait(self) -> None:
        """Wait until nginx ends by itself, which it never should.

        Raises:
            ProxyError: always.
        """
        if self.process is not None:
            raise ProxyError(f"nginx ended by itself (code {self.process.wait()})\n{self._log()}")

    def _stop(self) -> None:
        self._signal(signal.SIGQUIT)
        if self.process is not None:
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGTERM)
                self.process.wait()


def _nginx() -> str:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ProxyError("nginx is missing; install it: apt-get install nginx")
    return program


def _user(keys: Path) -> str:
    """If root starts nginx, the workers run as nobody, who can then read the keys and nothing else in the folder.

    Keys of another owner than root are theirs: the workers run as that owner.
    """
    if os.geteuid() != 0:
        return ""
    if keys.stat().st_uid:
        return f"user {keys.owner()} {keys.group()};"
    workers = pwd.getpwnam("nobody")
    for path, mode in ((keys.parent, 0o710), (keys, 0o640)):
        os.chown(path, 0, workers.pw_gid)
        path.chmod(mode)
    return f"user nobody {grp.getgrgid(workers.pw_gid).gr_name};"


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
