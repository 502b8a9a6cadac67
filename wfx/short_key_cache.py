"""Cache of what was made of bytes that clients send: long ones are not kept, and a full cache is emptied."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class ShortKeyCache(Generic[Value]):
    """Values by bytes. Clients repeat themselves, so most of what comes is here; ever new bytes take bounded memory."""

    def __init__(self, most: int, longest: int) -> None:
        """Keep ``most`` values at a time, for keys of at most ``longest`` bytes."""
        self._most = most
        self._longest = longest
        self._values: dict[bytes, Value] = {}
        self.get = self._values.get
        """Returns the value of a key, or None."""

    def put(self, key: bytes, value: Value) -> None:
        """Keep a value, unless its key is long."""
        if len(key) > self._longest:
            return
        if len(self._values) >= self._most:
            self._values.clear()
        self._values[key] = value
