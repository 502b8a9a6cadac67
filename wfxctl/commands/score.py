"""``wfxctl score``: the points that rules have given."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms
from wfxctl.documents import Document, items, text
from wfxctl.failures import RefusedByServer
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation, decoded, segment
from wfxctl.tables import Column
from wfxctl.targets import RULES_PATH, Side
from wfxctl.times import local_time
from wfxctl.views import View

_MOST = 1000
"""Entries of a page, at most."""
SCORES = View(
    identity=lambda entry: text(entry, "actor_id"),
    columns=(
        Column("TIME", lambda entry: local_time(text(entry, "time")), 19, exact=lambda entry: text(entry, "time")),
        Column("ACTOR", lambda entry: text(entry, "actor_id")),
        Column("POINTS", lambda entry: text(entry, "points")),
        Column("REASON", lambda entry: text(entry, "reason")),
    ),
)


def run(call: ClientInvocation) -> None:
    """Print the points of an actor, or the entries of all actors."""
    if len(call.arguments) > 1:
        raise UsageFailure(f'one actor is shown at a time, but "{call.arguments[1]}" was given, too')
    forms.check(call, SCORES)
    shown = _read(call, f"/scores/{segment(call.arguments[0])}" if call.arguments else "/scores")
    forms.show(call, shown, SCORES)
    if call.arguments and forms.form_of(call) in forms.TABLES:
        call.out.line(f"total: {text(shown, 'points')}")


def _read(call: ClientInvocation, path: str) -> Document:
    """Read page after page, up to the limit."""
    limit = call.settings.number("limit")
    left, after, shown, entries = limit if limit > 0 else None, "0", Document(), list[Any]()
    while True:
        size = _MOST if left is None else min(left - len(entries), _MOST)
        page: Any = _fetch(call, path, [("after", after), ("limit", str(size))])
        shown = page if isinstance(page, dict) else {}
        entries += items(page, "content")
        after = text(page, "next")
        if not after or not items(page, "content") or (left is not None and len(entries) >= left):
            return {name: value for name, value in shown.items() if name != "next"} | {"content": entries}


def _fetch(call: ClientInvocation, path: str, query: list[tuple[str, str]]) -> Any:
    try:
        return decoded(call.api(Side.NORTH, base=RULES_PATH).fetch("GET", path, query))
    except RefusedByServer as exc:
        if exc.status == 404 and not exc.body.strip():
            raise Failure("the server has no rules and no points: it is older than this command") from exc
        raise


COMMAND = Command(
    "score",
    "Show the points that rules have given",
    """
    Show the points that rules have given to actors, and taken from them, in this order. Of one actor also how many it
    has in all, which is what rules see as score(…).
    """,
    usage="[ACTOR]",
    examples="""
    # who was given what, and why
    wfxctl score

    # how many points a device has
    wfxctl score press-7 --filter .points
    """,
    options=(Option("limit", Kind.INT32, "how many entries at most; 0 means all", 100), *LOOK_TABLE),
    run=run,
)
