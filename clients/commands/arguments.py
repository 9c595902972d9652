"""What the command line's options mean."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from clients.batch.folders import Plan, Search, patterns
from clients.batch.grouping import Grouping
from clients.batch.judgement import Again
from clients.batch.naming import Naming
from clients.batch.order import Order
from clients.batch.presets import KINDS as PRESET_KEYS
from clients.batch.presets import preset
from clients.connection import Connection
from clients.credentials import api_key
from clients.enhancer import DEFAULT_URL
from clients.errors import OptionError
from clients.transports.base import Address, Tls


def plan_from(options: argparse.Namespace, beside: bool = False) -> Plan:
    """Which photos, and where they go; `beside` their sources they need a suffix."""
    order = order_from(options)
    naming = Naming(options.suffix if options.suffix is not None else "_enhanced" * beside, order.options.format)
    search = Search(tuple(options.pattern or patterns()), not options.no_recursive)
    return Plan(naming, search, order.text)


def order_from(options: argparse.Namespace) -> Order:
    """What is made of every photo: what the command line says, else the preset, else the server's own choice."""
    given: dict[str, Any] = dict(preset(options.preset, options.presets)) if options.preset else {}
    given |= {name: value for name in PRESET_KEYS if (value := getattr(options, name)) not in (None, False)}
    return Order.of(given)


def connection_from(options: argparse.Namespace) -> Connection:
    """How to reach the servers."""
    urls = tuple(options.url or os.environ.get("ENHANCE_URL", DEFAULT_URL).split(","))
    return Connection(
        urls=urls,
        tls=Tls(options.root_certificates, options.private_key, options.certificate_chain),
        headers=(*_key_header(options, urls), *(_header(text) for text in options.header or ())),
        timeout_s=options.timeout_s,
        in_flight=options.in_flight,
        patience_s=options.patience_s,
    )


def again_from(options: argparse.Namespace) -> Again:
    """What is done again."""
    return Again(options.retry_failed, options.overwrite, options.redo)


def grouping_from(options: argparse.Namespace) -> Grouping | None:
    """Which photos are exposures of one scene; None where each is a picture of its own."""
    return None if options.brackets == "off" else Grouping(options.sources, options.brackets)


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not (name and separator):
        raise OptionError(f"--header {text!r}: write NAME=VALUE, or NAME=@FILE")
    return name, _text(value)


def _key_header(options: argparse.Namespace, urls: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    key = options.api_key or os.environ.get("ENHANCE_API_KEY")
    if not key:
        return ()
    for address in map(Address.parse, urls):
        if not (address.is_encrypted or address.is_loopback):
            raise OptionError(f"an API key would travel readable to {address}: use grpcs:// or https://")
    return tuple(api_key(_text(key)).items())


def _text(value: str) -> str:
    """The value itself, or what is in the file that it names."""
    return Path(value[1:]).read_text().strip() if value.startswith("@") else value
