"""Which content coding a client takes (RFC 9110 section 12.5.3)."""

from __future__ import annotations

from collections.abc import Collection

_PREFERRED = (b"br", b"gzip")
"""The smallest first."""
_MOST = 32
"""Codings that are looked at."""


def chosen(accepted: bytes, offered: Collection[bytes]) -> bytes:
    """Return the best of the codings that are offered and accepted; ``identity`` if there is none."""
    weights: dict[bytes, bool] = {}
    for part in accepted.lower().split(b",", _MOST)[:_MOST]:
        name, _, parameter = part.partition(b";")
        weights[name.strip()] = not _is_zero(parameter)
    others = weights.get(b"*", False)
    for coding in _PREFERRED:
        if coding in offered and weights.get(coding, others):
            return coding
    return b"identity"


def _is_zero(parameter: bytes) -> bool:
    """Tell whether a weight says that this coding is not wanted."""
    name, _, value = parameter.partition(b"=")
    return name.strip() == b"q" and value.strip().rstrip(b"0") in (b"", b"0.", b".")
