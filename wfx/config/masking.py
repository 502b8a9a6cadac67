"""Masks of secrets in values of options, for output and logs."""

from __future__ import annotations

import re
from urllib.parse import unquote

from wfx.logs.secret_names import PARAMETER, is_secret_parameter

MASK = "***"
_FLAGS = re.IGNORECASE | re.VERBOSE | re.DOTALL
_PAIRS = re.compile(r"\s*\w+\s*=")
"""What a data source of libpq begins with, if it is no address."""
_KNOWN = "host|hostaddr|port|dbname|database|user|sslmode|application_name|connect_timeout|target_session_attrs|options"
_IN_PAIRS = re.compile(
    rf"""(?P<before>\b{PARAMETER}\s*=\s*)
    (?P<secret>(?:'(?:[^'\\]|\\.)*')?.*?)  # to the next known name, lest the end of a value without its quotes is shown
    (?=(?<!\\)\s+(?:{_KNOWN}|{PARAMETER})\s*=|\s*$)(?P<after>)""",
    _FLAGS,
)
_IN_ADDRESS = re.compile(
    r"""^(?P<before>(?!file:)[a-z][a-z0-9+.-]*://[^:/?\#@\s=]*:)
    (?P<secret>.+)  # up to the last @: that of the host, if each other one is written as it must be
    (?P<after>@)""",
    _FLAGS,
)
_IN_PORT = re.compile(
    r"""^(?P<before>(?!file:)[a-z][a-z0-9+.-]*://[^\[:/?\#@\s=]*:)
    (?P<secret>(?!\d*(?:[,/?]|$))[^@]*)$  # no number, and no @ behind it
    (?P<after>)""",
    _FLAGS,
)
_BEFORE_HOST = re.compile(
    r"""^(?P<before>(?!file:)[^:/?\#@\s=]*:)
    (?P<secret>[^/\s]+|\S+(?=@(?:tcp|unix)\())  # up to the last @ before the path, or of MySQL
    (?P<after>@)""",
    _FLAGS,
)
_IN_QUERY = re.compile(rf"(?P<before>\b{PARAMETER}=)(?P<secret>[^&]+)(?P<after>)", _FLAGS)
_ENCODED = re.compile(r"(?P<name>[^?&=]*%[^?&=]*)=[^&]+")
"""A parameter whose name is percent-encoded."""
_OF_ADDRESSES = (_IN_ADDRESS, _IN_PORT, _BEFORE_HOST, _IN_QUERY)


def mask_whole(secret: str) -> str:
    """Mask a value that is a secret as a whole."""
    return MASK if secret else ""


def without_passwords(source: str) -> str:
    """Mask the passwords in a data source: in the user part of an address, and in parameters that are named for it."""
    for pattern in (_IN_PAIRS,) if _PAIRS.match(source) else _OF_ADDRESSES:
        source = pattern.sub(rf"\g<before>{MASK}\g<after>", source)
    return _ENCODED.sub(_without_encoded, source)


def _without_encoded(parameter: re.Match[str]) -> str:
    name = parameter["name"]
    return f"{name}={MASK}" if is_secret_parameter(unquote(name)) else parameter[0]
