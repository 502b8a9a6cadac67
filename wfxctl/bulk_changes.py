"""What commands for many jobs ask of a server: requests for parts of the jobs, and the look at all of them before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wfxctl import gojson, resume_token
from wfxctl.documents import Document, items, member, text
from wfxctl.invocation import ClientInvocation, decoded, encoded
from wfxctl.resume_token import BulkProgress

if TYPE_CHECKING:  # the HTTP library is imported when the first connection is made
    from wfxctl.client import Api

CHUNK = 500
"""Jobs of a request: done within a second or two, so that a bar moves and little is in doubt when it breaks off."""
_SHOWN = 20
"""Jobs that a dry run shows, as the server does."""
_MOST_BYTES = 2 * 1024 * 1024
"""Bytes of a request, unless a job alone has more."""


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What is to be done with many jobs."""

    question: str
    """What is to be done, with ``{jobs}`` for their number, such as ``delete {jobs}``."""
    past: str
    """For what was done, such as ``deleted``."""
    path: str
    request: str
    """All that the command asks for, to be the same when it is resumed."""
    body: Callable[[BulkProgress], bytes]
    """Makes the next request, when so much was done."""
    preview: Callable[[Api, float, bool], Any]
    """Has the server check the request, all parts of it if so asked, and tells how many jobs there are."""
    selected: bool
    """Whether the server finds the jobs, by a selection."""
    asks: bool = True
    """Whether a person is to be asked."""
    conditions: Mapping[str, Any] = field(default_factory=dict)
    """Those of the selection."""
    names: Sequence[tuple[str, Sequence[str]]] = ()
    """Names of workflows that jobs are to get, by this kind."""
    complete: Callable[[int, Sequence[Document]], None] = lambda _, __: None
    """Does what is left to be done with the jobs of a part, the first one at this place, before they count as done."""


def moment(call: ClientInvocation) -> float:
    """Return what ages count back from: when the command was first given, where it is resumed."""
    token = call.settings.text("resume")
    return resume_token.read(token).moment if token else time.time()


def creation(
    request: str,
    head: dict[str, Any],
    count: int,
    line: Callable[[int], str],
    *,
    question: str = "create {jobs}",
    asks: bool = False,
    conditions: Mapping[str, Any] | None = None,
    workflows: Sequence[str] = (),
    seen: Document | None = None,
    complete: Callable[[int, Sequence[Document]], None] = lambda _, __: None,
) -> BulkChange:
    """Return what creates jobs; ``line`` encodes one of them, ``head`` is what they have in common.

    With ``seen``, what a preview tells is known, and the server need not be asked to check all jobs.
    """
    opening = encoded(head)[:-1] + (b"," if head else b"") + b'"jobs":['

    def body(reached: BulkProgress) -> bytes:
        return opening + _part(line, reached.total - reached.rest, count) + b"]}"

    return BulkChange(
        question,
        "created",
        "/jobs:batch",
        request + gojson.encode(head),
        body,
        _look_at_parts(opening, line, count) if seen is None else lambda _, __, ___: seen,
        selected=False,
        asks=asks,
        conditions=conditions or {},
        names=[("workflow", workflows)] if workflows else (),
        complete=complete,
    )


def _look_at_parts(opening: bytes, line: Callable[[int], str], count: int) -> Callable[[Api, float, bool], Any]:
    """Return what has the server check jobs to be created."""

    def preview(api: Api, _: float, all_parts: bool) -> Any:  # by position, as in any callback
        seen, failed, first, position = 0, 0.0, list[Any](), ""
        while seen < (count if all_parts else min(count, 1)):
            part = _part(line, seen, count)
            answer = decoded(api.fetch("POST", "/jobs:batch", body=opening + part + b'],"dryRun":true}'))
            looked_at, lost = int(member(answer, "count") or 0), member(answer, "failed") or 0.0
            # Those that would fail are told first, in whatever part they are.
            first = items(answer, "items") if lost and not failed else first or items(answer, "items")
            failed, position = failed + lost, text(answer, "position")
            if not looked_at:
                break
            seen += looked_at
        return {"count": float(count), "failed": failed, "items": first, "position": position}

    return preview


def _part(line: Callable[[int], str], start: int, count: int) -> bytes:
    """Return the jobs of the request that begins with this one; always the same."""
    part, size = list[bytes](), 0
    for number in range(start, min(start + CHUNK, count)):
        encoded_job = line(number).encode()
        size += len(encoded_job)
        if part and size > _MOST_BYTES:
            break
        part.append(encoded_job)
    return b",".join(part)


def change(
    question: str, past: str, path: str, select: Callable[[float], dict[str, Any]], members: dict[str, Any]
) -> BulkChange:
    """Return what changes the jobs of a selection, which is the same at the same time."""

    def body(reached: BulkProgress) -> bytes:
        after = {"after": reached.after} if reached.after else {}
        selected = {"selection": select(reached.moment), "limit": float(CHUNK), "expect": float(reached.rest)}
        return encoded(members | selected | after)

    def preview(api: Api, now: float, all_parts: bool) -> Any:  # see above
        asked: dict[str, Any] = members | {"selection": select(now), "dryRun": True}
        if not all_parts:  # to count them the server need not look at each
            return decoded(api.fetch("POST", path, body=encoded(asked | {"limit": float(_SHOWN)})))
        seen = part = decoded(api.fetch("POST", path, body=encoded(asked)))
        while after := text(part, "next"):
            part = decoded(api.fetch("POST", path, body=encoded(asked | {"after": after})))
            seen = _with_failures_of(part, seen)
        return seen

    return BulkChange(
        question,
        past,
        path,
        gojson.encode(members | {"selection": select(0.0)}),
        body,
        preview,
        selected=True,
        conditions=select(0.0),
    )


def _with_failures_of(part: Document, seen: Document) -> Document:
    """Return what was seen of the parts before, with those of one more part that could not be changed; these first."""
    both = [*items(seen, "items"), *items(part, "items")]
    failing, others = ([one for one in both if bool(text(one, "outcome")) is failed] for failed in (True, False))
    failed = (member(seen, "failed") or 0.0) + (member(part, "failed") or 0.0)
    return seen | {"failed": failed, "items": [*failing, *others][:_SHOWN]}
