"""Masks of secrets in values of options, for output and logs."""

from __future__ import annotations

import re

from wfx.logs.secret_names import PARAMETER

MASK = "***"
_IN_ADDRESS = re.compile(
    r"""^(?P<before>(?!file:)(?:[a-z][a-z0-9+.-]*://)?[^:/?\#@\s=]*:)
    (?P<secret>[^/\s]+|\S+(?=@(?:tcp|unix)\())  # up to the last @ before the path, or of MySQL
    (?P<after>@)""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_PARAMETERS = re.compile(
    rf"""(?P<before>\b{PARAMETER}\s*=\s*)
    (?P<secret>'(?:[^'\\]|\\.)*'|[^\s&]+)(?P<after>)""",
    re.IGNORECASE | re.VERBOSE,
)


def mask_whole(secret: str) -> str:
    """Mask a value that is a secret as a whole."""
    return MASK if secret else ""


def without_passwords(source: str) -> str:
    """Mask the passwords in a data source: in the user part of an address, and in parameters that are named for it."""
    for pattern in (_IN_ADDRESS, _IN_PARAMETERS):
        source = pattern.sub(rf"\g<before>{MASK}\g<after>", source)
    return source
