"""The authenticating proxy: nginx with TLS, API keys and limits in front of one or several servers.

Needs nginx, and Python's standard library alone.
"""

from deploy.proxy.nginx import Proxy, ProxyError
from deploy.proxy.settings import Limits

__all__ = ["Limits", "Proxy", "ProxyError"]
