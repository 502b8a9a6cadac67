"""Content negotiation of the console: the coding to send a file in (RFC 9110 section 12.5.3)."""

from __future__ import annotations

from collections.abc import Collection

_PREFERRED = (b"br", b"gzip")
"""The smallest first."""
_MOST = 32
"""Elements of ``Accept-Encoding`` that are read."""


def chosen(accepted: bytes, offered: Collection[bytes]) -> bytes:
    """Return the preferred coding of those that are offered and accepted; ``identity`` if there is none."""
    accepts: dict[bytes, bool] = {}
    for part in accepted.lower().split(b",", _MOST)[:_MOST]:
        name, _, parameter = part.partition(b";")
        accepts[name.strip()] = not _is_zero(parameter)
    others = accepts.get(b"*", False)
    for coding in _PREFERRED:
        if coding in offered and accepts.get(coding, others):
            return coding
    return b"identity"


def _is_zero(parameter: bytes) -> bool:
    """Tell whether a parameter is a weight of 0, which refuses the coding."""
    name, _, value = parameter.partition(b"=")
    return name.strip() == b"q" and value.strip().rstrip(b"0") in (b"", b"0.", b".")
