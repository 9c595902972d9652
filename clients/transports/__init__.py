"""The ways to a server: gRPC, HTTP, and a fake for tests."""

from collections.abc import Mapping

from clients.transports.base import Address, Tls, Transport
from clients.transports.fake import FakeTransport
from clients.transports.grpc import GrpcTransport
from clients.transports.http import HttpTransport

__all__ = ["Address", "FakeTransport", "Tls", "Transport", "connect"]


def connect(url: str, tls: Tls, headers: Mapping[str, str], asynchronous: bool) -> Transport:
    """The way to a server by its address.

    Raises:
        OptionError: the text is no address.
    """
    address = Address.parse(url)
    return (GrpcTransport if address.is_grpc else HttpTransport)(address, tls, headers, asynchronous)
