"""The ring of keys as it is given, and the form of sealed values."""

from __future__ import annotations

import base64
import hmac
import os
import re
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wfx.domain.errors import SealedValueUnreadable, StoreUnusable
from wfx.protection.key_ring import Key, KeyRing, parse_keys
from wfx.protection.sealing import OVERHEAD, Sealing
from wfx.protection.used_keys import UsedKeys

PLACE, OWNER, PLAIN = "job.status", "job-7", b'{"state":"NEW"}'


def key(key_id: str) -> Key:
    """Make a key of its id."""
    return Key(key_id, sha256(key_id.encode()).digest())


def ring(*ids: str) -> Sealing:
    """Make a ring of such keys."""
    return Sealing(KeyRing(tuple(map(key, ids))))


def text(secret: bytes) -> str:
    """Return a key as it is written."""
    return base64.b64encode(secret).decode()


def test_keys_are_read_in_order() -> None:
    """Keys are given with commas or line ends between, with or without the signs that fill base64 up."""
    first, second = key("new"), key("2026.old_1-b")
    for between in (",", "\n", " , ", ",\n"):
        given = f"new:{text(first.secret)}{between}2026.old_1-b:{text(second.secret).rstrip('=')}\n"
        assert parse_keys(given).keys == (first, second)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "there are 0 keys"),
        (text(bytes(32)), "key 1 does not begin with an id"),
        (f"new:{text(bytes(32))},{text(bytes(32))}:old", "key 2 does not begin with an id"),
        (f"a b:{text(bytes(32))}", "key 1 does not begin with an id"),
        (f"{'a' * 17}:{text(bytes(32))}", "key 1 does not begin with an id"),
        (f"new:{text(bytes(31))}", 'the key "new" has 31 bytes, and not 32'),
        (f"new:{text(bytes(33))}", 'the key "new" has 33 bytes, and not 32'),
        ("new:", 'the key "new" has 0 bytes, and not 32'),
        ("new:$(openssl rand -base64 32)", 'what follows the id of the key "new" is not base64'),
        (f"new:{text(bytes(32))},new:{text(b'1' * 32)}", 'two keys have the id "new"'),
        (f"new:{text(bytes(32))},old:{text(bytes(32))}", '"new" and "old" are the same key'),
        (",".join(f"k{n}:{text(bytes([n] * 32))}" for n in range(33)), "there are 33 keys"),
    ],
)
def test_wrong_keys_are_refused(given: str, reason: str) -> None:
    """What is wrong with keys is told, and nothing of a key."""
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        parse_keys(given)
    assert text(bytes(31))[:8] not in str(caught.value)
    assert text(bytes(32))[:8] not in repr(key("new"))


def test_a_sealed_value_is_opened_by_any_ring_that_has_its_key() -> None:
    """The first key seals, each key opens, and a value that was never sealed is read as it is."""
    old, both = ring("old"), ring("new", "old")
    sealed = old.seal(PLACE, OWNER, PLAIN)
    assert len(sealed) == len(PLAIN) + OVERHEAD == len(PLAIN) + 45
    assert sealed != old.seal(PLACE, OWNER, PLAIN)
    assert both.open(PLACE, OWNER, sealed) == PLAIN
    assert both.seal(PLACE, OWNER, PLAIN)[1:17] == b"new" + bytes(13)
    assert both.open(PLACE, OWNER, PLAIN) == PLAIN


def test_a_sealed_value_is_bound_to_its_place_and_owner() -> None:
    """A sealed value that was moved, cut or changed in any byte, or whose key is not there, is not opened."""
    sealing = ring("key")
    sealed = sealing.seal(PLACE, OWNER, PLAIN)
    for place, owner in (("history.status", OWNER), (PLACE, "job-8")):
        with pytest.raises(SealedValueUnreadable, match=f"{place} of {owner}"):
            sealing.open(place, owner, sealed)
    for n in range(1, len(sealed)):
        with pytest.raises(SealedValueUnreadable):
            sealing.open(PLACE, OWNER, sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :])
        with pytest.raises(SealedValueUnreadable):
            sealing.open(PLACE, OWNER, sealed[:n])
    with pytest.raises(SealedValueUnreadable, match="a key that this ring does not have"):
        ring("other").open(PLACE, OWNER, sealed)


def test_a_value_is_sealed_as_is_documented() -> None:
    """What any program with the ring's key opens: AES-256-GCM under the HMAC-SHA256 of the owner, which differ."""
    for owner in (OWNER, "job-8"):
        cipher = AESGCM(hmac.digest(key("key").secret, owner.encode(), "sha256"))
        sealed, bound = ring("key").seal(PLACE, owner, PLAIN), f"{PLACE}:{owner}".encode()
        assert cipher.decrypt(sealed[17:29], sealed[29:], bound) == PLAIN
        written = ring("key").seal_text(PLACE, owner, PLAIN.decode())
        sealed = base64.b64decode(written[17:] + "=" * (-len(written[17:]) % 4), validate=True)
        assert cipher.decrypt(sealed[:12], sealed[12:], bound) == PLAIN


def test_no_nonce_is_used_by_two_processes() -> None:
    """Processes that are forked from one that sealed have nonces of their own, each of which is used once."""
    sealing = ring("key")
    sealing.seal(PLACE, OWNER, PLAIN)

    def nonces() -> set[bytes]:
        return {sealing.seal(PLACE, OWNER, PLAIN)[17:29] for _ in range(300)}

    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writing, b"".join(nonces()))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    assert os.waitpid(child, 0) == (child, 0)
    of_child = {told[at : at + 12] for at in range(0, len(told), 12)}
    assert len(of_child) == len(own := nonces()) == 300
    assert not of_child & own


def test_the_record_of_keys_tells_what_is_missing() -> None:
    """A store knows by id and check value which keys it needs, and needs none if nothing in it is sealed."""
    used = UsedKeys.parse(UsedKeys().noted(ring("old")).noted(ring("new", "old")).encoded())
    used.require(ring("old", "new"), "the store")
    UsedKeys().require(None, "the store")
    for sealing in (None, ring("new")):
        with pytest.raises(StoreUnusable, match=r'sealed with the key "old", which is no encryption key here'):
            used.require(sealing, "the store")
    wrong = Sealing(KeyRing((key("new"), Key("old", bytes(32)))))
    with pytest.raises(StoreUnusable, match=r'the encryption key "old" is another one'):
        used.require(wrong, "the store")
    assert used.only_writer().check_values.keys() == {"new"}
    assert used.noted(None).writer is None
