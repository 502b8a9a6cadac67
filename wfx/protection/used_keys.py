"""Record, in a store, of the keys that its values are sealed with, so that a missing key is known at the start."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Self

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing


@dataclass(frozen=True, slots=True)
class UsedKeys:
    """What a store knows of keys."""

    check_values: dict[str, str] = field(default_factory=dict)
    """Of each key that values may be sealed with, by its id."""
    writer: str | None = None
    """The id of the key that the newest server seals with; None if it writes plain values."""

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """Read it; a store without one has nothing sealed."""
        return cls() if text is None else cls(*json.loads(text))

    @classmethod
    def of(cls, sealing: Sealing | None) -> Self:
        """Return the same of one server: which keys it has, and how it writes."""
        if sealing is None:
            return cls()
        return cls({key.id: key.check_value for key in sealing.ring.keys}, sealing.writer)

    def encoded(self) -> str:
        """Return the text to store."""
        return json.dumps([self.check_values, self.writer])

    def require(self, sealing: Sealing | None, name: str) -> None:
        """Raise StoreUnusable unless each key is there, and is the right one; ``name`` is the store's in messages."""
        for key_id, check_value in self.check_values.items():
            key = None if sealing is None else sealing.ring.by_id(key_id)
            if key is None:
                raise StoreUnusable(
                    f'{name} has values that are sealed with the key "{key_id}", which is no encryption key here: '
                    "give it in WFX_ENCRYPTION_KEYS or --encryption-keys-file, behind the one that seals new values"
                )
            if key.check_value != check_value:
                raise StoreUnusable(
                    f'the encryption key "{key_id}" is another one than that with which values of {name} are sealed: '
                    "give that one; a new key needs a new id"
                )

    def noted(self, sealing: Sealing | None) -> Self:
        """Return what there is to know once somebody writes with these keys."""
        writer = None if sealing is None else sealing.writer
        if sealing is None or writer is None:
            return replace(self, writer=None)
        return replace(self, check_values=self.check_values | {writer: sealing.ring.first.check_value}, writer=writer)

    def only_writer(self) -> Self:
        """Return what there is to know once all values are as the writer writes them."""
        left = {key_id: value for key_id, value in self.check_values.items() if key_id == self.writer}
        return replace(self, check_values=left)


def other_writer(server: str, writer: str | None, wanted: str | None) -> StoreUnusable:
    """Return what is raised where a server writes values in another way than whoever wants to write them anew.

    The keys are those that both seal with; None for plain values.
    """
    return StoreUnusable(
        f"{server} {_writes(writer)}, and not as these options say ({_writes(wanted)}): restart it with them first"
    )


def _writes(writer: str | None) -> str:
    return "writes plain values" if writer is None else f'seals with the key "{writer}"'
