"""Form of sealed values: AES-256-GCM under a key of their own for each owner.

A sealed value is a version (1 byte), the id of the key in the ring (16 bytes, filled up with zeros), a random nonce (12
bytes), and the ciphertext with its tag (16 bytes more than the plain value). The place (table and column) and the owner
(the id of the job, for instance) are authenticated with it: what was moved to another place cannot be opened. The key
is derived from the ring's key and the owner, since so many random nonces are used up under one key in days.

Where only text can be stored, it is the same in characters: the version and the id as they are, the latter filled up
with ``=``, and the rest in base64 without filling.
"""

from __future__ import annotations

import hmac
import os
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import TYPE_CHECKING

from wfx.domain.errors import SealedValueUnreadable
from wfx.protection.key_ring import LONGEST_ID, KeyRing

if TYPE_CHECKING:  # imported by who encrypts: it takes a sixth of a second
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
"""First byte of a sealed value; no JSON begins with it."""
_NONCE = 12
_TAG = 16
HEAD = len(VERSION) + LONGEST_ID
"""Bytes that tell which key a value was sealed with."""
OVERHEAD = HEAD + _NONCE + _TAG
"""How many bytes a sealed value has more than the plain one."""
MARK = VERSION.decode()
"""First character of a sealed text."""
_AT_ONCE = 256
"""Nonces to make at once."""
_DERIVED_KEYS = 4096
"""Keys of owners to keep."""
_MOST_KNOWN, _LARGEST_KNOWN = 4096, 2048
"""Opened texts to keep, and how many characters one may have when it is sealed."""
_NO_KEY = "it was sealed with a key that this ring does not have"
_DAMAGED = "it is damaged, or was sealed for another place"


class Sealing:
    """Seals and opens values by the keys of a ring.

    Safe in several threads, but for :meth:`known_text` and :meth:`keep`, which are for one.
    """

    def __init__(self, ring: KeyRing, *, seals: bool = True) -> None:
        """Use these keys; with ``seals`` off only to open what was sealed before."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.ring = ring
        self.seals = seals
        self._invalid_tag = InvalidTag
        self._cipher_class = AESGCM
        self._head = head_of(ring.first.id)
        self._macs = {head_of(key.id): hmac.new(key.secret, digestmod="sha256") for key in ring.keys}
        self._text_head = text_head_of(ring.first.id)
        self._heads = {text_head_of(key.id): head_of(key.id) for key in ring.keys}
        self._known: dict[tuple[str, str, str], str] = {}
        self._cipher = lru_cache(maxsize=_DERIVED_KEYS)(self._derive)

    @property
    def writer(self) -> str | None:
        """The id of the key that seals new values; None if they stay plain."""
        return self.ring.first.id if self.seals else None

    def seal(self, place: str, owner: str, plain: bytes) -> bytes:
        """Seal a value of this owner for a place."""
        head, nonce = self._head, _next_nonce()
        return head + nonce + self._cipher(head, owner).encrypt(nonce, plain, _bound_to(place, owner))

    def open(self, place: str, owner: str, value: bytes) -> bytes:
        """Return the plain value; one that was never sealed is that itself. Raises SealedValueUnreadable."""
        if value[:1] != VERSION:
            return value
        head = value[:HEAD]
        if head not in self._macs:
            raise _unreadable(place, owner, _NO_KEY)
        nonce, sealed = value[HEAD : HEAD + _NONCE], value[HEAD + _NONCE :]
        try:
            return self._cipher(head, owner).decrypt(nonce, sealed, _bound_to(place, owner))
        except (self._invalid_tag, ValueError) as exc:
            raise _unreadable(place, owner, _DAMAGED) from exc

    def seal_text(self, place: str, owner: str, plain: str) -> str:
        """Seal a value of this owner for a place that only has text."""
        nonce = _next_nonce()
        rest = nonce + self._cipher(self._head, owner).encrypt(nonce, plain.encode(), _bound_to(place, owner))
        return self._text_head + b2a_base64(rest, newline=False).rstrip(b"=").decode()

    def known_text(self, place: str, owner: str, value: str) -> str:
        """Return what :meth:`open_text` does, for a value that is read again and again: some of them are kept."""
        key = (place, owner, value)
        if (plain := self._known.get(key)) is None:
            plain = self.open_text(place, owner, value)
            self.keep(key, plain)
        return plain

    def keep(self, key: tuple[str, str, str], plain: str) -> None:
        """Keep what a value is when it is opened, unless it is large; another value never has the same key."""
        if len(key[2]) <= _LARGEST_KNOWN:
            self._known[key] = plain
            if len(self._known) > _MOST_KNOWN:
                self._known.pop(next(iter(self._known)), None)

    def open_text(self, place: str, owner: str, value: str) -> str:
        """Return the plain value, as :meth:`open` does."""
        if value[:1] != MARK:
            return value
        head = self._heads.get(value[:HEAD])
        if head is None:
            raise _unreadable(place, owner, _NO_KEY)
        try:
            rest = a2b_base64(value[HEAD:] + "==")  # more filling than there was does no harm
            return self._cipher(head, owner).decrypt(rest[:_NONCE], rest[_NONCE:], _bound_to(place, owner)).decode()
        except (self._invalid_tag, ValueError) as exc:
            raise _unreadable(place, owner, _DAMAGED) from exc

    def _derive(self, head: bytes, owner: str) -> AESGCM:
        """Make the cipher of an owner, whose key is the HMAC of the owner under a key of the ring."""
        own = self._macs[head].copy()  # faster than a new one from the key
        own.update(owner.encode())
        return self._cipher_class(own.digest())


def head_of(key_id: str) -> bytes:
    """Return what values begin with that are sealed with this key."""
    return VERSION + key_id.encode().ljust(LONGEST_ID, b"\0")


def text_head_of(key_id: str) -> str:
    """Return what texts begin with that are sealed with this key."""
    return MARK + key_id.ljust(LONGEST_ID, "=")


_nonces: list[bytes] = []
os.register_at_fork(after_in_child=_nonces.clear)  # two processes must not use the same ones


def _next_nonce() -> bytes:
    """Return random bytes; one system call fetches them for many values."""
    while True:
        try:
            return _nonces.pop()
        except IndexError:  # other threads may have the new ones, too
            fresh = os.urandom(_NONCE * _AT_ONCE)
            _nonces.extend(fresh[at : at + _NONCE] for at in range(0, len(fresh), _NONCE))


def _bound_to(place: str, owner: str) -> bytes:
    return f"{place}:{owner}".encode()


def _unreadable(place: str, owner: str, reason: str) -> SealedValueUnreadable:
    return SealedValueUnreadable(f"a sealed value of {place} of {owner or 'a workflow'} cannot be opened: {reason}")
