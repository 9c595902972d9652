"""The ways to a server: gRPC, HTTP, and a fake for tests."""

from clients.transports.base import Address, Tls, Transport
from clients.transports.fake import FakeTransport

__all__ = ["Address", "FakeTransport", "Tls", "Transport"]
