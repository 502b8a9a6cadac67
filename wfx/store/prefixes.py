"""Beginnings of texts, as indexes in the order of bytes find what begins so."""

from __future__ import annotations


def successor(prefix: str) -> str | None:
    """Return the first text behind all those that begin with a prefix, bytewise; None if there is none."""
    last = prefix.rstrip("\U0010ffff")
    if not last:
        return None
    code = ord(last[-1]) + 1
    return last[:-1] + chr(0xE000 if code == 0xD800 else code)  # surrogates are no characters
