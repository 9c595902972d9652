"""Clients of the photo enhancement server: a library, a command line, batch jobs and a demo page."""

from clients.brackets.scenes import Scene, scenes
from clients.brackets.shots import Shot, read_shot
from clients.credentials import api_key
from clients.enhancer import AsyncEnhancer, Enhancer
from clients.request import Enhanced, Options
from clients.retry import Retry
from clients.styles import Style
from clients.transports import FakeTransport, Tls

__all__ = [
    "AsyncEnhancer",
    "Enhanced",
    "Enhancer",
    "FakeTransport",
    "Options",
    "Retry",
    "Scene",
    "Shot",
    "Style",
    "Tls",
    "api_key",
    "read_shot",
    "scenes",
]
