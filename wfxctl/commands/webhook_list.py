"""``wfxctl webhook list``: which webhooks there are, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, pages, rules_api
from wfxctl.documents import Document
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation
from wfxctl.tasks import TASKS


def run(call: ClientInvocation) -> None:
    """Print the tasks that match."""
    if call.arguments:
        raise UsageFailure(f'wfxctl webhook list takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, TASKS)
    forms.show(call, {"content": list(_tasks(call))}, TASKS)


def _tasks(call: ClientInvocation) -> Iterator[Document]:
    settings = call.settings
    conditions = [(name, settings.text(name)) for name in ("kind", "sort")]
    conditions.append(("state", settings.text("state").upper()))
    fetch = partial(rules_api.fetch, call, "/tasks", lacking="tasks")
    return pages.rows(fetch, conditions, max(0, settings.number("limit")))


COMMAND = Command(
    "list",
    "List webhooks, and what became of them",
    """
    List the webhooks that rules have sent or are to send, the newest first: whether they were delivered, how often
    that was tried, and what the receiver answered last. Those that were done or have failed are kept for 30 days.
    """,
    examples="""
    # what was not delivered, and why
    wfxctl webhook list --state failed

    # send all of these once more
    wfxctl webhook list --state failed --limit 0 -o name | xargs wfxctl webhook replay

    # mails
    wfxctl webhook list --kind mail
    """,
    options=(
        Option("kind", Kind.STRING, "only tasks of this kind; empty for all", "webhook_notify"),
        Option(
            "state",
            Kind.STRING,
            "only tasks in this state",
            choices=("waiting", "running", "done", "failed"),
        ),
        Option("limit", Kind.INT32, "how many tasks at most; 0 means all", 100),
        Option("sort", Kind.STRING, "sort order", "desc", choices=("asc", "desc")),
        *LOOK_TABLE,
    ),
    run=run,
)
