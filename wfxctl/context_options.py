"""What a context may say: which options, and the addresses of both sides as URLs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wfx.commandline.config_files import FileValue
from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import ANY_FILE, LISTS, Kind, Option, Settings, Value
from wfxctl import credentials
from wfxctl.flags import GLOBAL
from wfxctl.targets import BASE_PATH, Side

_PORTS = {"http": 80, "https": 443}
_WHERE = (
    *(f"{side}-{what}" for side in Side for what in ("host", "port", "tls-host", "tls-port", "unix-socket")),
    "enable-tls",
    "proxy",
)
"""Options that say where the server is. A context says all of it, so that no file leads its token elsewhere."""
_KEPT = (
    *_WHERE, "tls-ca", "tls-client-certificate", "tls-client-key", "token-file", "header", "read-from"
)  # fmt: skip
URLS = tuple(
    Option(f"{side}-url", Kind.STRING, f"address of the {what} API, such as https://wfx.example:{port}")
    for side, what, port in ((Side.SOUTH, "client", 8443), (Side.NORTH, "management", 8444))
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where one side of a server is."""

    scheme: str
    host: str
    port: int
    prefix: str
    """What stands before the path of the API, without a slash at the end."""


def members_of(given: Mapping[str, Value]) -> dict[str, Any]:
    """Return the members of a context from flags. Raises UsageFailure for what is no address, or no header."""
    members: dict[str, Any] = {}
    for option in URLS:
        if url := given.get(option.name):
            address(str(url), f"--{option.name}")
            members[option.name] = str(url)
    for option in GLOBAL:
        if option.name in _KEPT and option.name in given:
            members[option.name] = _text(option, given[option.name])
    for line in members.get("header", ()):
        credentials.header(line)
    return members


def _text(option: Option, value: Value) -> str | list[str]:
    if option.kind in LISTS:
        return list(value) if isinstance(value, list) else []
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    # A file is meant as seen from where the command is called.
    return str(Path(text).absolute()) if text and option.extensions == ANY_FILE else text


def values_of(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a context by the names of options. Raises UsageFailure for a URL that is no address."""
    values: dict[str, Any] = {option.name: _text(option, option.initial) for option in GLOBAL if option.name in _WHERE}
    for side in Side:
        if url := members.get(f"{side}-url"):
            found = address(str(url), f"{side}-url of the context")
            infix = "tls-" if found.scheme == "https" else ""
            values |= {
                f"{side}-host": found.host,
                f"{side}-tls-host": found.host,
                f"{side}-{infix}port": str(found.port),
            }
    return values | dict(members)


def address(url: str, source: str) -> Address:
    """Read the address of an API. Raises UsageFailure, without the URL: it may have a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise UsageFailure(f"{source} is no URL such as https://wfx.example:8443") from exc
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UsageFailure(f"{source} is no URL such as https://wfx.example:8443")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageFailure(
            f"{source} must have no name, password, query or fragment; for a token there is --token-file"
        )
    prefix = parts.path.rstrip("/").removesuffix(BASE_PATH).rstrip("/")
    return Address(parts.scheme, parts.hostname, _PORTS[parts.scheme] if port is None else port, prefix)


def address_of(preset: Mapping[str, FileValue], side: Side) -> Address | None:
    """Return the address of a side that the context in use has, if it has one."""
    url = preset.get(f"{side}-url")
    return address(str(url.value), f"{side}-url of the context") if url is not None else None


def require_named(preset: Mapping[str, FileValue], settings: Settings, side: Side) -> None:
    """Raise UsageFailure if the context in use names the other side alone: its token is meant for no other server."""
    if f"{side}-url" in preset or not any(option.name in preset for option in URLS):
        return
    where = [option for option in GLOBAL if option.name in _WHERE and option.name.startswith(f"{side}-")]
    if any(settings.origin(option.name).kind in ("flag", "variable") for option in where):
        return
    if any(preset[option.name].value != _text(option, option.initial) for option in where if option.name in preset):
        return
    what = "client" if side is Side.SOUTH else "management"
    hint = ", or read from the other side by --read-from north" if side is Side.SOUTH else ""
    raise UsageFailure(
        f"the context in use has no address of the {what} API: wfxctl context add NAME --replace "
        f"gives it both by --client-url and --mgmt-url{hint}"
    )


def is_secured(settings: Settings, found: Address | None) -> bool:
    """Tell whether TLS is spoken: as a flag or variable says, or else the context's URL."""
    if found is None or settings.origin("enable-tls").kind in ("flag", "variable"):
        return settings.flag("enable-tls")
    return found.scheme == "https"
