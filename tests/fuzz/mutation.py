"""Bytes that are nearly right: what a seed makes of good ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_Change = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutated(chance: random.Random, samples: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """Take a sample and change a few things in it, some of them to ``tokens`` that mean something."""
    data = bytearray(chance.choice(samples))
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        change = chance.choice((_flip, _cut, _repeat, _insert, _insert, _splice))
        change(chance, data, samples if change is _splice else tokens)
    return bytes(data)


def _flip(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = chance.randrange(len(data) + 1)
    del data[place : place + chance.choice((1, 1, 2, 8, 64))]


def _repeat(chance: random.Random, data: bytearray, _: Sequence[bytes]) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = data[place : place + chance.choice((1, 4, 16, 64))]


def _insert(chance: random.Random, data: bytearray, tokens: Sequence[bytes]) -> None:
    place = chance.randrange(len(data) + 1)
    data[place:place] = chance.choice(tokens)


def _splice(chance: random.Random, data: bytearray, samples: Sequence[bytes]) -> None:
    other = chance.choice(samples)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]
