"""A network that a test holds in its hands."""

import contextlib
import socket
import threading


class Proxy:
    """A network between client and server that can be told to stall: nothing gets lost, nothing gets through.

    Args:
        port: The server's.
        own_port: Where the proxy listens; 0 takes a free one.
    """

    def __init__(self, port: int, own_port: int = 0) -> None:
        self._target = ("127.0.0.1", port)
        self.flows = threading.Event()
        self.flows.set()
        self._listener = socket.create_server(("127.0.0.1", own_port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, server = self._listener.accept()[0], socket.create_connection(self._target)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._listener.close()
