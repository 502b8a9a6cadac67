"""``wfxctl script list``, ``show`` and ``versions``."""

from __future__ import annotations

from functools import partial

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.options import Kind, Option
from wfxctl import forms, pages, scripts
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation


def _list(call: ClientInvocation) -> None:
    if call.arguments:
        raise UsageFailure(f'wfxctl script list takes no arguments, but was given "{call.arguments[0]}"')
    forms.check(call, scripts.SCRIPTS)
    found = pages.rows(partial(scripts.fetch, call, ""), (), max(0, call.settings.number("limit")))
    forms.show(call, {"content": list(found)}, scripts.SCRIPTS)


def _show(call: ClientInvocation) -> None:
    call.show_value(scripts.fetch(call, scripts.path_of(scripts.name_of(call)), scripts.version_of(call)))


def _versions(call: ClientInvocation) -> None:
    forms.check(call, scripts.SCRIPTS)
    forms.show(call, scripts.fetch(call, f"{scripts.path_of(scripts.name_of(call))}/versions"), scripts.SCRIPTS)


LIST = Command(
    "list",
    "List the scripts of the server",
    """
    List the scripts of the server in the order of their names, with the version that each name stands for.
    """,
    examples="""
    # all scripts
    wfxctl script list --limit 0

    # those in which the analysis has found something
    wfxctl script list -o json --filter '.content[] | select(.findings != []) | .name' --raw
    """,
    options=(Option("limit", Kind.INT32, "how many scripts at most; 0 means all", 100), *LOOK_TABLE),
    run=_list,
)
SHOW = Command(
    "show",
    "Show a script",
    """
    Show a script with its source, as it is now or as one of its versions.
    """,
    usage="NAME",
    examples="""
    # the source alone
    wfxctl script show decide --filter .source --raw

    # what was found in it, and where
    wfxctl script show decide --filter '.findings[] | "\\(.line):\\(.column) \\(.message)"' --raw
    """,
    options=(scripts.VERSION,),
    run=_show,
)
VERSIONS = Command(
    "versions",
    "List the versions of a script",
    """
    List what a name stands for and has stood for, what was put last first.
    """,
    usage="NAME",
    examples="""
    # which versions there are, with their whole hashes
    wfxctl script versions decide -o wide

    # go back to the version before
    wfxctl script versions decide -o json --filter '.content[1].sha256' --raw > version
    wfxctl script show decide --sha256 "$(cat version)" --filter .source --raw | wfxctl script put decide -
    """,
    options=LOOK_TABLE,
    run=_versions,
)
