"""Texts as PostgreSQL takes them."""

from __future__ import annotations

from collections.abc import Iterable


def array_of(texts: Iterable[str]) -> str:
    """Write texts as PostgreSQL writes an array of them: an array of arrays cannot be taken apart again."""
    return "{" + ",".join('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in texts) + "}"
