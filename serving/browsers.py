"""Refuses requests that a web page in a browser makes without its user's knowledge.

Triton's HTTP takes a request from any page that the reader of a browser on this machine opens: a `text/plain` POST
needs nobody's leave (it is a "simple request" of Fetch), and a name of the attacker's that resolves to 127.0.0.1 makes
even the answer readable. Browsers say where a request comes from, in `Origin`, and by which name they found the server,
in `Host`. The server hands both on with the request's parameters (tritonserver's --http-header-forward-pattern).
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from codec.errors import RequestError

HEADERS = ("host", "origin")
PRIVATE = ("localhost", "local", "internal", "home.arpa", "lan", "svc", "cluster.local", "test")
"""Names that end so, like those without a dot, are given by a network's owner and never by the public DNS."""


def refuse_foreign_pages(parameters: Mapping[str, object]) -> dict[str, object]:
    """The parameters of a request without the headers among them.

    Raises:
        RequestError: the request comes from a page of another origin, or names the server as only a stranger would.
    """
    headers = {name.lower(): str(value) for name, value in parameters.items() if name.lower() in HEADERS}
    host, origin = headers.get("host"), headers.get("origin")
    if host is not None and not _is_private(host):
        raise RequestError(f"the server is not known as {host!r}: use its address, or the proxy for a public name")
    if origin is not None and urlsplit(origin).netloc != host:
        raise RequestError(f"pages of {origin!r} may not send photos here: use a client, or the proxy")
    return {name: value for name, value in parameters.items() if name.lower() not in headers}


def _is_private(host: str) -> bool:
    """Whether a Host header has an address, or a name that the public DNS cannot hold."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(tuple(f".{suffix}" for suffix in PRIVATE)))
    return True
