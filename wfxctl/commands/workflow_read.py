"""``wfxctl workflow get`` and ``query`` (cli section 8)."""

from __future__ import annotations

from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import tables
from wfxctl.flags import COLOR, LIMIT, OFFSET, OUTPUT, SORT
from wfxctl.invocation import ClientInvocation, segment


def get(call: ClientInvocation) -> None:
    """Print one workflow."""
    path = "/workflows/" + segment(call.required("name", "workflow name"))
    tables.ask(call, path, (), tables.WORKFLOWS)


def query(call: ClientInvocation) -> None:
    """Print one page of the workflows."""
    settings = call.settings
    page = [
        ("limit", str(settings.number("limit"))),
        ("offset", str(settings.number("offset"))),
        ("sort", settings.text("sort")),
    ]
    tables.ask(call, "/workflows", page, tables.WORKFLOWS)


GET = Command(
    "get",
    "Show one workflow",
    examples="""
    # the whole workflow
    wfxctl workflow get --name wfx.workflow.dau.direct

    # its states, in order
    wfxctl workflow get --name wfx.workflow.dau.direct --filter '.states[].name' --raw
    """,
    options=(Option("name", Kind.STRING, "name of the workflow"), OUTPUT, COLOR),
    run=get,
)
QUERY = Command(
    "query",
    "List workflows",
    "List workflows by name. Prints one page: give --limit and --offset for more.",
    examples="""
    # a table of all workflows
    wfxctl workflow query --limit 0 --output table

    # the names alone
    wfxctl workflow query --limit 0 --filter '.content[].name' --raw
    """,
    options=(OFFSET, LIMIT, SORT, OUTPUT, COLOR),
    run=query,
)
