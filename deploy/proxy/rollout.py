"""A new version of a model behind the proxy, with no request failed: one server after another starts again.

    publish the version (make export), then roll_out(proxy, servers)

Triton reads its repository when it starts, so a version that is published goes on being none of a running server's
business. A server that starts again gets no requests meanwhile: at any moment all others serve.
"""

from collections.abc import Sequence

from deploy.proxy import Proxy
from deploy.server.triton import TritonServer


def roll_out(proxy: Proxy, servers: Sequence[TritonServer]) -> None:
    """Stop and start servers, one at a time, each while no request is in flight there.

    Args:
        proxy: in front of them, and of nothing else.
        servers: running ones, two or more.

    Raises:
        ValueError: one server cannot be replaced by the others.
        LaunchError: a server does not start again; the others go on serving, by the versions that they have.
        ProxyError: a request takes longer than the proxy waits.
    """
    if len(servers) < 2:
        raise ValueError("a rollout without a pause needs two servers or more")
    for server in servers:
        proxy.serve_by([urls(other) for other in servers if other is not server])
        server.restart()
        proxy.serve_by([urls(each) for each in servers])


def urls(server: TritonServer) -> tuple[str, str]:
    """Of a server, as the proxy takes them."""
    return server.http_url, server.grpc_url
