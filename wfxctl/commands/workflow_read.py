"""``wfxctl workflow get`` and ``query`` (cli section 8)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, suggestions, views
from wfxctl.flags import LIMIT, LOOK, OFFSET, SORT
from wfxctl.invocation import ClientInvocation, segment


def get(call: ClientInvocation) -> None:
    """Print one workflow."""
    name = call.subject("name", "workflow name")
    with suggestions.for_name(call, "workflow", name):
        forms.fetch_and_show(call, "/workflows/" + segment(name), (), views.WORKFLOWS)


def query(call: ClientInvocation) -> None:
    """Print one page of the workflows."""
    settings = call.settings
    page = [
        ("limit", str(settings.number("limit"))),
        ("offset", str(settings.number("offset"))),
        ("sort", settings.text("sort")),
    ]
    forms.fetch_and_show_list(call, "/workflows", page, views.WORKFLOWS)


GET = Command(
    "get",
    "Show one workflow",
    usage="[NAME]",
    examples="""
    # the whole workflow
    wfxctl workflow get wfx.workflow.dau.direct

    # its states, in order
    wfxctl workflow get --name wfx.workflow.dau.direct --filter '.states[].name' --raw
    """,
    options=(Option("name", Kind.STRING, "name of the workflow", names="workflow"), *LOOK),
    run=get,
    argument_names="workflow",
)
QUERY = Command(
    "query",
    "List workflows",
    "List workflows by name. Prints one page: give --limit and --offset for more.",
    examples="""
    # a table of all workflows
    wfxctl workflow query --limit 0 -o table

    # the names alone
    wfxctl workflow query --limit 0 -o name
    """,
    options=(OFFSET, LIMIT, SORT, *LOOK),
    run=query,
)
