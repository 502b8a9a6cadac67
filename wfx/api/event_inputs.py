"""Inputs of the operations that take events from outside: each event as the JSON by which it is queued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wfx.api.bad_request import MOST_FAULTS, BodyFault, BodyInvalid
from wfx.domain.definition import depth_within
from wfx.domain.json import Json, encode

LARGEST = 64 * 1024
"""Bytes of an event as it is stored."""
DEEPEST = 32
"""Levels of an event: rules may put parts of it into definitions, which have a bound of their own."""
MOST = 100
"""Events of a batch."""
_OWN = ("job.", "system.")
"""How the types of the service's own events begin."""
_UNREADABLE = "\ufffd"
"""What the body has in the place of what is no character; ids that differ there alone would be the same."""
_MEMBERS = ("id", "type", "source", "actor_id", "payload", "meta")


def event_to_tell(body: dict[str, Any]) -> Json:
    """Make the input of POST /events."""
    encoded, fault = _made(body, "")
    if fault is not None:
        raise BodyInvalid([fault])
    return encoded


def events_to_tell(body: list[dict[str, Any]]) -> list[Json]:
    """Make the input of POST /events/batch."""
    made = [_made(event, f"/{place}") for place, event in enumerate(body)]
    if faults := [fault for _, fault in made if fault is not None]:
        raise BodyInvalid(faults)
    return [encoded for encoded, _ in made]


def _made(event: dict[str, Any], pointer: str) -> tuple[Json, BodyFault | None]:
    """Encode an event, with the members that are known, and say what is wrong with it."""
    encoded = encode({name: event[name] for name in _MEMBERS if name in event})
    if len(encoded) > LARGEST:
        return encoded, BodyFault(pointer, f"event has {len(encoded):,} bytes, and may have {LARGEST:,}")
    if encoded.count(b"[") + encoded.count(b"{") > DEEPEST and not depth_within(event, DEEPEST):
        return encoded, BodyFault(pointer, f"event has more than {DEEPEST} levels")
    if _UNREADABLE in event.get("id", ""):
        return encoded, BodyFault(
            f"{pointer}/id", "an id has whole characters; U+FFFD stands for what is none, as half of a surrogate pair"
        )
    if event["type"].startswith(_OWN):
        own = " or ".join(f"'{each}'" for each in _OWN)
        return encoded, BodyFault(
            f"{pointer}/type", f"event types that begin with {own} are those of the service's own events"
        )
    return encoded, None


def wrong_with_event(body: Any) -> list[BodyFault]:
    """Say what is wrong with an event that breaks its schema, where there is a word for it."""
    return [*_wrong_with(body, "")]


def wrong_with_batch(body: Any) -> list[BodyFault]:
    """Say what is wrong with a batch that breaks its schema, where there is a word for it."""
    if not isinstance(body, list):
        return []
    if len(body) > MOST:
        return [BodyFault("", f"batch size {len(body)} exceeds max {MOST}")]
    return [fault for place, event in enumerate(body) for fault in _wrong_with(event, f"/{place}")][:MOST_FAULTS]


def _wrong_with(event: Any, pointer: str) -> Iterator[BodyFault]:
    if isinstance(event, dict) and event.get("type", "") == "":
        yield BodyFault(pointer, "event type is required")
