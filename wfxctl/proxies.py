"""HTTP proxies on the way to the server: by option, or for other machines by the usual variables."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from socket import gethostname, inet_aton

from wfx.commandline.failures import UsageFailure
from wfx.commandline.http_addresses import is_http_address
from wfx.commandline.options import Settings
from wfx.ip_networks import address, network


def proxy_for(scheme: str, host: str, port: int, settings: Settings, environment: Mapping[str, str]) -> str:
    """Return the address of the proxy through which a server is reached; empty for none. Raises UsageFailure."""
    if given := settings.text("proxy"):
        return _checked(given, "--proxy")
    host = _bare(host)
    if _is_this_machine(host) or _is_exempt(host, port, _variable("no_proxy", environment)[1]):
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
    if not is_http_address(proxy):  # its value may have a password
        raise UsageFailure(f"{source} is no HTTP proxy such as http://proxy.example:3128")
    return proxy


def _bare(host: str) -> str:
    """Return a host without the brackets of IPv6, and without the dot that ends a full name."""
    return host.strip("[]").lower().removesuffix(".")


def _is_this_machine(host: str) -> bool:
    own = gethostname().lower()
    if host in {"localhost", own, own.partition(".")[0]} or host.endswith(".localhost"):
        return True
    found = _address(host)
    return found is not None and (found.is_loopback or found.is_unspecified)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address, also in the spellings that the system takes: ``127.1``, ``2130706433``."""
    try:
        return address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(inet_aton(host))
    except (OSError, ValueError):
        return None


def _is_exempt(host: str, port: int, exempt: str) -> bool:
    """Tell whether NO_PROXY names a server: its host, domain or network, perhaps with a port, or all by ``*``."""
    return any(_names(entry.strip(), host, port) for entry in exempt.split(",") if entry.strip())


def _names(entry: str, host: str, port: int) -> bool:
    name, wanted = _split(entry)
    if wanted and wanted != str(port):
        return False
    if name == "*":
        return True
    domain = name.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}") or _lies_within(host, name)


def _lies_within(host: str, name: str) -> bool:
    found = _address(host)
    try:
        return found is not None and found in network(name, strict=False)
    except ValueError:
        return False


def _split(entry: str) -> tuple[str, str]:
    """Return the host of an entry, and its port, which is mostly empty.

    A colon begins the port behind a name, an IPv4 address, brackets, and the bits of a network.
    """
    if entry.startswith("["):
        name, _, rest = entry.partition("]")
        bits, _, port = rest.partition(":")
        return _bare(name) + bits, port
    if "/" in entry:
        name, _, rest = entry.partition("/")
        bits, _, port = rest.partition(":")
        return f"{name}/{bits}", port
    name, _, port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
    return _bare(name), port
