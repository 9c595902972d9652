"""API keys as the servers' proxy takes them."""

from __future__ import annotations

import base64

from clients.errors import OptionError


def api_key(key: str) -> dict[str, str]:
    """The header that carries an API key: `Enhancer(url, headers=api_key("ID:SECRET"))`.

    Args:
        key: `ID:SECRET`, as `python3 -m deploy.access keys add NAME` prints it: user and password of HTTP basic.

    Raises:
        OptionError: the text is no such key.
    """
    key = key.strip()
    name, _, secret = key.partition(":")
    if not (name and secret and key.isprintable()):
        raise OptionError("an API key looks like ID:SECRET; ask whoever runs the server for one")
    return {"authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
