"""HTTP proxies on the way to the server: by option, or for other machines by the usual variables."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Settings

_SCHEMES = ("http", "https")


def proxy_for(scheme: str, host: str, settings: Settings, environment: Mapping[str, str]) -> str:
    """Return the address of the proxy through which a host is reached; empty for none. Raises UsageFailure."""
    if given := settings.text("proxy"):
        return _checked(given, "--proxy")
    host = host.strip("[]").lower()
    if _is_this_machine(host) or _is_exempt(host, _variable("no_proxy", environment)[1]):
        return ""
    for name in (f"{scheme}_proxy", "all_proxy"):
        found, value = _variable(name, environment)
        if value:
            return _checked(value if "://" in value else f"http://{value}", found)
    return ""


def _variable(name: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """Look a variable up in lower case, then in capitals, as other programs do."""
    found = name if name in environment else name.upper()
    return found, environment.get(found, "")


def _checked(proxy: str, source: str) -> str:
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in _SCHEMES and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # its value may have a password
        raise UsageFailure(f"{source} is no HTTP proxy such as http://proxy.example:3128")
    return proxy


def shown(proxy: str) -> str:
    """Return the address of a proxy for messages, without a password."""
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _is_exempt(host: str, exempt: str) -> bool:
    """Tell whether NO_PROXY names a host: by itself, by a domain, by a network, or all of them by ``*``."""
    return any(_names(entry.strip().lower(), host) for entry in exempt.split(",") if entry.strip())


def _names(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".")
        return host == domain or host.endswith(f".{domain}")
