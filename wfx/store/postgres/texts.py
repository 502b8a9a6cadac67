"""Texts as PostgreSQL takes them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from wfx.domain.errors import TextTooLong

_LONGEST_KEY = 2500
"""Bytes of a name that an index finds: an entry of an index has 2,704 at most, and other columns beside it."""
_LONGEST_TAG = 500
"""Characters of a tag that is found by itself; a longer one is found by its hash."""
_HASHED = "\1"
"""What hashes begin with."""


def array_of(texts: Iterable[str]) -> str:
    """Write texts as PostgreSQL writes an array of them: an array of arrays cannot be taken apart again."""
    return "{" + ",".join('"' + each.replace("\\", "\\\\").replace('"', '\\"') + '"' for each in texts) + "}"


def key_of(tag: str) -> str:
    """Return what a tag is found by, which no other tag is.

    A short one that begins with the mark of hashes is found by its hash, too.
    """
    is_plain = len(tag) <= _LONGEST_TAG and not tag.startswith(_HASHED)
    return tag if is_plain else f"{_HASHED}{sha256(tag.encode()).hexdigest()}"


def require_storable(what: str, *texts: str | None) -> None:
    """Raise ValueError if PostgreSQL cannot have one of the texts."""
    for text in texts:
        if text is not None and "\0" in text:
            raise ValueError(f"the {what} has the character U+0000, which PostgreSQL cannot have")


def require_key(what: str, *texts: str) -> None:
    """Raise ValueError if PostgreSQL cannot have one of the texts, or no index could hold it."""
    require_storable(what, *texts)
    try:
        for text in texts:
            require_short(what, text)
    except TextTooLong as exc:
        raise ValueError(str(exc)) from exc


def require_short(what: str, text: str) -> None:
    """Raise TextTooLong if no index could hold the text."""
    if len(text) * 4 > _LONGEST_KEY and len(text.encode()) > _LONGEST_KEY:
        raise TextTooLong(what, len(text.encode()), _LONGEST_KEY)
