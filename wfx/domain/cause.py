"""Cause of an event: who asked for it, by which request, and which event began the chain that led to it."""

from __future__ import annotations

from itertools import dropwhile
from operator import not_
from typing import NamedTuple, NewType

from wfx.domain.json import Json, decode, encode

EncodedCause = NewType("EncodedCause", str)
"""A cause as it travels and is stored: a JSON array of its members, as far as the last one that is not empty."""


RULE = "rule:"
"""How the actor of what a rule has done begins; the id of its scenario follows."""


class Cause(NamedTuple):
    """Who and what brought an event about. What is empty is not known, or there was no request."""

    request_id: str = ""
    """The id of the request, as it is in the log records of the server."""
    side: str = ""
    """The side that the request came in by, ``north`` or ``south``."""
    actor: str = ""
    """Who asked; empty while callers are not told apart. A rule is ``rule:`` and the id of its scenario."""
    root: int | None = None
    """The sequence number of the event that began the chain; None for an event that begins one."""
    depth: int = 0
    """How many events of the chain come before this one; 0 for what a caller asked for."""

    @property
    def encoded(self) -> EncodedCause:
        """The cause encoded for storage. Raises ValueError for a number that no event or depth has."""
        if self.depth < 0 or (self.root is not None and self.root < 1):
            raise ValueError(f"the root of a cause is an event from 1 on and its depth is not negative, unlike {self}")
        members = list(dropwhile(not_, reversed(self)))
        return EncodedCause(encode(members[::-1]).decode())


def of_request(request_id: str, side: str, actor: str) -> EncodedCause:
    """Encode the cause of what a request asked for."""
    if actor or '"' in request_id or "\\" in request_id:
        return Cause(request_id, side, actor).encoded
    # The same, as most have it, in a third of the instructions.
    return EncodedCause("".join(('["', request_id, '","', side, '"]')))  # noqa: FLY002 - an f-string formats enums, slowly


def decode_cause(encoded: EncodedCause) -> Cause:
    """Decode what :attr:`Cause.encoded` made."""
    return Cause(*decode(Json(encoded.encode())))


UNKNOWN = Cause().encoded
"""The cause of what no request asked for."""
