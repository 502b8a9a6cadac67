"""Ring of keys that stored values are sealed with: the first one seals, each one opens."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import NamedTuple

KEY_BYTES = 32
LONGEST_ID = 16
_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_ID}}}", re.ASCII)
_MOST_KEYS = 32
_HINT = 'make one by: echo "ID:$(openssl rand -base64 32)"'


class Key(NamedTuple):
    """A key with the id by which sealed values name it."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        """Show the id alone."""
        return f"Key({self.id!r})"

    @property
    def check_value(self) -> str:
        """What tells this key from another one with the same id, and nothing of the key."""
        return hmac.digest(self.secret, b"wfx check value", "sha256")[:8].hex()


class KeyRing(NamedTuple):
    """Keys in order."""

    keys: tuple[Key, ...]

    @property
    def first(self) -> Key:
        """The key that seals."""
        return self.keys[0]

    def by_id(self, key_id: str) -> Key | None:
        """Return the key with this id, if it is here."""
        return next((key for key in self.keys if key.id == key_id), None)


def parse_keys(text: str) -> KeyRing:
    """Read keys, ``id:base64``, with commas or line ends between. Raises ValueError, without anything of a key."""
    items = [item.strip() for item in text.replace("\n", ",").split(",")]
    keys = [_key(item, number) for number, item in enumerate(filter(None, items), 1)]
    if not 0 < len(keys) <= _MOST_KEYS:
        raise ValueError(f"there are {len(keys)} keys, and not one to {_MOST_KEYS}; {_HINT}")
    for number, key in enumerate(keys, 1):
        for other in keys[: number - 1]:
            if key.id == other.id:
                raise ValueError(f'two keys have the id "{key.id}": each needs one of its own')
            if hmac.compare_digest(key.secret, other.secret):
                raise ValueError(f'"{other.id}" and "{key.id}" are the same key: name it once')
    return KeyRing(tuple(keys))


def _key(item: str, number: int) -> Key:
    key_id, colon, text = item.partition(":")
    if not colon or not _ID.fullmatch(key_id):
        raise ValueError(
            f"key {number} does not begin with an id, of at most {LONGEST_ID} letters, digits, '.', '_' and '-', "
            f"and a colon; {_HINT}"
        )
    try:
        secret = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f'what follows the id of the key "{key_id}" is not base64; {_HINT}') from None
    if len(secret) != KEY_BYTES:
        raise ValueError(f'the key "{key_id}" has {len(secret)} bytes, and not {KEY_BYTES}; {_HINT}')
    return Key(key_id, secret)
