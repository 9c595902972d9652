"""A server that somebody else has started, with the addresses that tests ask a server of their own for."""

from deploy.measuring.targets import Target
from deploy.server.ports import Ports


class Running:
    """Host and ports of a server whose process and log are out of reach."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.ports = Ports(*(int(each.rpartition(":")[2]) for each in (target.http, target.grpc, target.metrics)))

    @property
    def http_url(self) -> str:
        return f"http://{self._target.http}"

    @property
    def grpc_url(self) -> str:
        return f"grpc://{self._target.grpc}"

    @property
    def metrics_url(self) -> str:
        return f"http://{self._target.metrics}/metrics"
