"""Addresses of mails, each alone, without a name beside it."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\\,;\"\x00-\x1f\x7f]{1,255}\Z", re.ASCII)
"""Nothing in it adds another address, or a line, to a header or a command."""


def is_address(text: str) -> bool:
    """Tell whether this is an address such as ``night-shift@example.com``, in ASCII."""
    return text.isascii() and _ADDRESS.match(text) is not None
