"""Cache bounded by size that drops the least recently used half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """A mapping that forgets what was not used for long: when its young half is full, the old half goes."""

    def __init__(self, room: int, size: Callable[[Value], int]) -> None:
        """Start empty; ``size`` tells how much of the room a value takes."""
        self._half = room // 2
        self._size = size
        self._taken = 0
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}
        self.hits = self.misses = 0
        """How often what was wanted was here, and how often not."""

    def __len__(self) -> int:
        """Return how many values are kept: no key is in both halves."""
        return len(self._young) + len(self._old)

    def get(self, key: Key) -> Value | None:
        """Return the key's value, if it is kept."""
        value = self._young.get(key)
        if value is None:
            value = self._old.pop(key, None)
            if value is None:
                self.misses += 1
                return None
            self.put(key, value)
        self.hits += 1
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, instead of the one that the key had."""
        replaced = self._young.get(key)
        self._young[key] = value
        self._old.pop(key, None)
        self._taken += self._size(value) - (0 if replaced is None else self._size(replaced))
        if self._taken > self._half:
            self._young, self._old, self._taken = {}, self._young, 0

    def drop(self, key: Key) -> None:
        """Forget the key's value."""
        dropped = self._young.pop(key, None)
        if dropped is not None:
            self._taken -= self._size(dropped)
        self._old.pop(key, None)

    def all(self) -> Mapping[Key, Value]:
        """Return all that is kept."""
        return self._old | self._young

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old, self._taken = {}, {}, 0
