"""Access control: certificates for TLS, API keys for the proxy, the operator's key for Triton itself.

Needs Python's standard library alone.
"""
