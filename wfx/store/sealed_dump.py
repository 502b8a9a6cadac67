"""Dump of which each line is sealed: the backup of a database whose values are sealed.

The first line says which key opens the others, and an identity of its own, from which the key of this dump is derived.
Each other line is a string of JSON, bound to its number.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

import orjson

from wfx.domain.errors import SealedValueUnreadable, StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.protection.used_keys import UsedKeys
from wfx.store.dump import SourceRefused

BEGIN = b'{"kind":"wfx-sealed-dump"'
"""What the first line begins with."""
_FORMAT = 1


def sealed_lines(sealing: Sealing, dump: Iterable[bytes]) -> Iterator[bytes]:
    """Seal the lines of a dump."""
    owner, key = secrets.token_hex(16), sealing.ring.first
    yield _line({"kind": "wfx-sealed-dump", "format": _FORMAT, "id": owner, "keys": {key.id: key.check_value}})
    for number, line in enumerate(dump, 2):
        yield _line(sealing.seal_text(f"dump.{number}", owner, line.decode()))


def opened_lines(name: str, source: Iterator[bytes], sealing: Sealing | None) -> Iterator[bytes]:
    """Open the lines of a sealed dump; those of a plain one are as they were.

    Raises StoreUnusable if a key is missing, SourceRefused for a line that cannot be opened; ``name`` is the dump's.
    """
    first = next(source, None)
    if first is None or not first.startswith(BEGIN):
        yield from () if first is None else (first,)
        yield from source
        return
    try:
        header = orjson.loads(first)
        version, owner, keys = header["format"], header["id"], header["keys"]
        used = UsedKeys({str(key_id): str(value) for key_id, value in keys.items()})
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise SourceRefused(f"{name}, line 1: it is not the first line of a sealed dump") from exc
    if version != _FORMAT:
        raise SourceRefused(f"{name} has format {version!r} of sealed dumps, this program reads {_FORMAT}")
    used.require(sealing, name)
    if sealing is None:
        raise StoreUnusable(f"{name} names no key that it is sealed with")
    for number, line in enumerate(source, 2):
        try:
            yield sealing.open_text(f"dump.{number}", owner, orjson.loads(line)).encode()
        except (ValueError, AttributeError, TypeError, SealedValueUnreadable) as exc:
            raise SourceRefused(f"{name}, line {number}: it cannot be opened: it was changed, or is damaged") from exc


def _line(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
