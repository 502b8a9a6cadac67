"""Sections of a WebAssembly module: keeps of its exports those that are used."""

from __future__ import annotations

from collections.abc import Collection, Iterator

_CUSTOM, _EXPORTS = 0, 7
_HEADER = 8


def with_exports(module: bytes, names: Collection[str]) -> bytes:
    """Return a module without its custom sections and without all exports but these."""
    kept = bytearray(module[:_HEADER])
    for kind, body in _sections(module):
        if kind != _CUSTOM:
            content = _exports(body, names) if kind == _EXPORTS else body
            kept += bytes([kind]) + _encoded(len(content)) + content
    return bytes(kept)


def _sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    at = _HEADER
    while at < len(module):
        kind = module[at]
        size, begin = _number(module, at + 1)
        at = begin + size
        yield kind, module[begin:at]


def _exports(section: bytes, names: Collection[str]) -> bytes:
    number, at = _number(section, 0)
    kept = []
    for _ in range(number):
        begin = at
        size, at = _number(section, at)
        name = section[at : at + size].decode()
        _, at = _number(section, at + size + 1)  # past the kind of what is exported, its index
        if name in names:
            kept.append(section[begin:at])
    return _encoded(len(kept)) + b"".join(kept)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number in LEB128; return it and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        shift += 7
        if byte < 0x80:
            return value, at


def _encoded(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
