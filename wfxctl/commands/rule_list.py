"""``wfxctl rule list``: the rules of a server, and what came of them."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.terminal import neutralise
from wfxctl import forms, rules_api
from wfxctl.documents import Document, items, text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation
from wfxctl.tables import Column
from wfxctl.views import View


def _joined(document: Document, name: str) -> str:
    return ",".join(item for item in items(document, name) if isinstance(item, str))


def _last_failure(document: Document) -> str:
    element, message = text(document, "last_failure", "id"), text(document, "last_failure", "message")
    return f"{element}: {message}" if element else ""


SCENARIOS = View(
    identity=lambda scenario: text(scenario, "id"),
    columns=(
        Column("ID", lambda scenario: text(scenario, "id")),
        Column("ENABLED", lambda scenario: "yes" if scenario.get("enabled") is True else "no"),
        Column("EVENTS", lambda scenario: _joined(scenario, "event_types")),
        Column("SOURCES", lambda scenario: _joined(scenario, "sources") or "all"),
        Column("ACTIONS", lambda scenario: ",".join(text(each, "type") for each in items(scenario, "actions"))),
        Column("MATCHED", lambda scenario: text(scenario, "matched"), is_number=True),
        Column("LAST FAILURE", _last_failure),
        Column("DESCRIPTION", lambda scenario: text(scenario, "description")),
    ),
    brief=("id", "enabled", "events", "actions", "matched", "last failure"),
)


def run(call: ClientInvocation) -> None:
    """Print the scenarios of the server, and on standard error what is wrong with its file."""
    if call.arguments:
        raise UsageFailure(f'wfxctl rule list takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, SCENARIOS)
    found: Any = rules_api.fetch(call, "/rules", lacking="rules")
    shown: Document = found if isinstance(found, dict) else {}
    content = [each for each in items(shown, "scenarios") if isinstance(each, dict)]
    forms.show(call, _page(shown, content), SCENARIOS)
    for fault in items(shown, "faults"):
        call.err.write(f"ERROR: {neutralise(str(fault))}\n")
    for warning in items(shown, "warnings"):
        call.err.write(f"WARNING: {neutralise(str(warning))}\n")


def _page(shown: Document, content: list[Document]) -> Document:
    return {name: value for name, value in shown.items() if name != "scenarios"} | {"content": content}


COMMAND = Command(
    "list",
    "List the rules of the server",
    """
    List the scenarios that the server has loaded, with how often an action of each was reached since the server was
    started, and what failed last. If the file of the rules has faults now, these are on standard error, and the rules
    are those from before. So are warnings, such as of rules with scripts where these are off.
    """,
    examples="""
    # what is loaded, and does it work
    wfxctl rule list

    # the file as it was loaded, and when
    wfxctl rule list --filter '.file, .loaded'
    """,
    options=LOOK_TABLE,
    run=run,
)
