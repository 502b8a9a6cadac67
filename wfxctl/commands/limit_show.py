"""``wfxctl limit show``: how often work may begin."""

from __future__ import annotations

from typing import Any

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfx.commandline.terminal import neutralise
from wfxctl import forms, rules_api
from wfxctl.documents import text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation
from wfxctl.tables import Column
from wfxctl.views import View

LIMITS = View(
    identity=lambda limit: text(limit, "kind"),
    columns=(
        Column("KIND", lambda limit: text(limit, "kind")),
        Column("SCOPE", lambda limit: text(limit, "scope")),
        Column("LIMIT", lambda limit: text(limit, "limit")),
        Column("LEFT", lambda limit: text(limit, "left")),
        Column("WAIT", lambda limit: text(limit, "wait")),
        Column("TAKEN", lambda limit: text(limit, "taken")),
        Column("REFUSED", lambda limit: text(limit, "refused")),
    ),
)


def run(call: ClientInvocation) -> None:
    """Print the limits."""
    forms.check(call, LIMITS)
    given = {"client_id": call.settings.text("client-id"), "workflow": call.settings.text("workflow")}
    query = [(name, value) for name, value in given.items() if value]
    shown: Any = rules_api.fetch(call, "/limits", query, lacking="limits")
    forms.show(call, shown, LIMITS)
    if warning := text(shown, "warning"):
        call.err.write(f"WARNING: {neutralise(warning)}\n")


COMMAND = Command(
    "show",
    "Show the limits on how often work may begin",
    """
    Show the limits on how often work may begin: how many tokens are left, how many seconds it takes until there is one,
    and how often tokens were taken and missing at this server. Of limits for each client or workflow the tokens are
    shown of the one that is given. If the buckets that servers share cannot be read, those of this server are shown,
    and standard error says why.
    """,
    examples="""
    # how many jobs may be created now
    wfxctl limit show

    # how often a device may still move its jobs
    wfxctl limit show --client-id press-7
    """,
    options=(
        Option("client-id", Kind.STRING, "whose tokens to show of limits for each client"),
        Option("workflow", Kind.STRING, "of which workflow to show the tokens of limits for each workflow"),
        *LOOK_TABLE,
    ),
    run=run,
)
