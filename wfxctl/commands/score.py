"""``wfxctl score``: the points that rules have given."""

from __future__ import annotations

from functools import partial

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, pages, rules_api
from wfxctl.documents import Document, text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.tables import Column
from wfxctl.times import local_time
from wfxctl.views import View

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
    """Return the last page, with the entries of all up to the limit."""
    fetch = partial(rules_api.fetch, call, path, lacking="rules and no points")
    shown, entries = Document(), list[Document]()
    for page, found in pages.pages(fetch, (), max(0, call.settings.number("limit"))):
        shown = page
        entries += found
    return {name: value for name, value in shown.items() if name != "next"} | {"content": entries}


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
