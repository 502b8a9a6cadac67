"""Addresses of HTTP servers that options name: what is one, and how it is shown."""

from __future__ import annotations

from urllib.parse import urlsplit

_SCHEMES = ("http", "https")


def is_http_address(url: str) -> bool:
    """Tell whether a URL names a server of HTTP or HTTPS."""
    try:
        parts = urlsplit(url)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def without_credentials(url: str) -> str:
    """Return a URL for messages, without name and password; of what is no address all before the last ``@`` goes."""
    if not is_http_address(url):
        scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
        return f"{scheme}{separator}{rest.rpartition('@')[2]}"
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
