"""``wfxctl webhook replay``: sends failed webhooks once more."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfxctl import forms, rules_api
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation, segment
from wfxctl.tasks import TASKS


def run(call: ClientInvocation) -> None:
    """Have tasks done once more, one after the other, and print them."""
    if not call.arguments:
        raise UsageFailure("id of a webhook missing: wfxctl webhook list --state failed shows them")
    forms.check(call, TASKS)
    replayed = [_replay(call, each) for each in call.arguments]
    forms.show(call, {"content": replayed}, TASKS)


def _replay(call: ClientInvocation, task_id: str) -> Any:
    return rules_api.fetch(call, f"/tasks/{segment(task_id)}/replay", method="POST", lacking="tasks")


COMMAND = Command(
    "replay",
    "Send failed webhooks once more",
    """
    Send webhooks that have failed once more, now, with all their retries before them; mails, too. Each keeps its id, by
    which a receiver can tell that it has it already. It ends at the first one that is not there or has not failed.
    """,
    usage="ID...",
    examples="""
    # send one once more
    wfxctl webhook replay 7

    # and all mails that have failed
    wfxctl webhook list --kind mail --state failed --limit 0 -o name | xargs wfxctl webhook replay
    """,
    options=LOOK_TABLE,
    run=run,
)
