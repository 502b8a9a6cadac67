"""Checks of values of options, each alone. They raise ValueError for a text, or an item of a list, that is wrong."""
# ruff: noqa: D103 - the name says what a text has to be

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import quote

from wfx.ip_networks import UNIX
from wfx.mail_address import is_address

_PATH_CHARACTERS = "/%!$&'()*+,;=:@"
"""What a path may have beside letters, digits and ``-._~`` (RFC 3986)."""

_REDIS_PORT, _MOST_PORTS = 6379, 65_535


def origin(text: str) -> None:
    """Let ``*`` pass, and what browsers send as ``Origin``; ``null``, which any page can be, is none."""
    if text != "*" and not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#@\s,]+", text):
        raise ValueError(f'"{text}" is no origin such as https://console.example')


def host_name(text: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError(f'"{text}" is no host name; give it alone, without scheme and port')


def host_or_nothing(text: str) -> None:
    if text and ":" not in text:
        host_name(text)


def host_with_port_or_nothing(text: str) -> None:
    if text:
        host_and_port(text)


def host_and_port(text: str) -> tuple[str, int]:
    """Split a host and the port behind it, 6379 if there is none; an IPv6 address stands in brackets."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?", text)
    port = int(found[3] or _REDIS_PORT) if found else 0
    if found is None or not 0 < port <= _MOST_PORTS:
        raise ValueError(f'"{text}" is no host with a port, such as localhost:6379')
    return found[1] or found[2], port


def mail_address(text: str) -> None:
    if text and not is_address(text):
        raise ValueError(f'"{text}" is no mail address such as wfx@example.com')


def directory(text: str) -> None:
    try:
        found = not text or Path(text).is_dir()
    except OSError as exc:
        raise ValueError(exc.strerror) from exc
    if not found:
        raise ValueError("no such directory")


def network(text: str) -> None:
    try:
        ip_network(text)
    except ValueError as exc:
        raise ValueError(f'"{text}" is no address or network such as 10.0.0.0/8 ({exc})') from exc


def network_or_unix(text: str) -> None:
    if text == UNIX:
        return
    try:
        network(text)
    except ValueError as exc:
        raise ValueError(f"{exc}, and not unix") from exc


def path(text: str) -> None:
    if not text.startswith("/"):
        raise ValueError(f'"{text}" is no path such as /download: it must begin with a slash')
    encoded = quote(text, safe=_PATH_CHARACTERS, errors="surrogateescape")
    if encoded != text:
        raise ValueError(f'"{text}" is no path as requests have it: percent-encode it, as in {encoded}')
    if wrong := re.search(r"%(?![0-9A-Fa-f]{2}).{0,2}", text):
        raise ValueError(f'"{text}" is no path as requests have it: {wrong[0]} encodes nothing, a percent sign is %25')
    if re.search(r"//|/\.{1,2}(/|$)", text):
        raise ValueError(f'"{text}" is no path that is served: leave out what is empty, . or .. between slashes')


def masking_char(text: str) -> None:
    if len(text) != 1 or not text.isprintable() or text.isspace():
        raise ValueError("must be one visible character")


def log_pattern(text: str) -> None:
    from wfx.logs.custom_patterns import read_patterns  # with RE2, which few need

    read_patterns([text])


def mode(text: str) -> None:
    if text and not re.fullmatch(r"0?[0-7]{3}", text):
        raise ValueError("must be three octal digits, optionally after a 0, such as 0660")


_TAKEN = (
    "api",
    "debug",
    "download",
    "favicon.ico",
    "health",
    "openapi.json",
    "openapiv3.json",
    "swagger.json",
    "ui",
    "v1",
    "version",
)
"""First segments of paths that stand for something else."""


def own_path(text: str) -> None:
    if text and not re.fullmatch(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+", text):
        raise ValueError("must be a path such as /internal/metrics, of letters, digits and the characters - . _ ~")
    if text and (first := text.split("/")[1]) in _TAKEN:
        raise ValueError(f"/{first} stands for something else")
