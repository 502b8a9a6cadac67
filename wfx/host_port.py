"""Hosts with ports in one text, as URLs, header fields and log records have them."""

from __future__ import annotations


def host_port(host: str, port: int) -> str:
    """Write both; an IPv6 address stands in brackets, in which it may come already."""
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{host}:{port}"
