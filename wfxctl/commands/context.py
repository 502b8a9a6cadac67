"""``wfxctl context``: add, use, list and remove contexts."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.http_addresses import without_credentials
from wfx.commandline.options import Kind, Option
from wfxctl import context_options, contexts, forms
from wfxctl.documents import Document, items, text
from wfxctl.flags import LOOK_TABLE
from wfxctl.invocation import ClientInvocation
from wfxctl.tables import Column
from wfxctl.views import View

_NAME = "context name"
_REPLACE = Option("replace", Kind.BOOL, "put it in the place of one of that name")


def add(call: ClientInvocation) -> None:
    """Keep the flags of this call under a name, under which nothing else is kept unless it is to be replaced."""
    name = call.argument(_NAME)
    contexts.check_name(name)
    members = context_options.members_of(call.sources.given)
    if not members:
        raise UsageFailure("nothing to keep: give --client-url, --mgmt-url, or other flags that say how to connect")
    with contexts.changing(call.environment) as known:
        is_other = known.members.get(name, members) != members
        if is_other and not call.settings.flag(_REPLACE.name):
            raise UsageFailure(f'there is a context "{name}" already, which says something else: --replace replaces it')
        known.members[name] = members
        known.current = known.current or name
        is_current = known.current == name
    done = "replaced" if is_other else "kept"
    call.err.write(f"context {name} is {done}" + (" and in use\n" if is_current else f"; wfxctl context use {name}\n"))


def use(call: ClientInvocation) -> None:
    """Make a context the current one."""
    name = call.argument(_NAME)
    with contexts.changing(call.environment) as known:
        if name != contexts.NONE:
            known.named(name)
        known.current = "" if name == contexts.NONE else name


def remove(call: ClientInvocation) -> None:
    """Forget contexts; say so if none is in use any more, since commands go to this machine then."""
    if not call.arguments:
        raise UsageFailure(f"{_NAME} missing")
    with contexts.changing(call.environment) as known:
        for name in call.arguments:
            known.named(name)
        for name in call.arguments:
            known.members.pop(name, None)
        if was_used := known.current in call.arguments:
            known.current = ""
    if was_used:
        call.err.write("no context is in use now\n")


def show(call: ClientInvocation) -> None:
    """List contexts, without the values of their headers and the password of their proxy."""
    forms.check(call, _VIEW)
    known = contexts.read(call.environment)
    current = call.environment.get("WFX_CONTEXT") or known.current
    rows = [{"name": name, "current": name == current} | _shown(members) for name, members in known.members.items()]
    forms.show(call, {"content": rows}, _VIEW)


def _shown(members: contexts.Members) -> Document:
    """Return what can be shown of a context: of its headers the names, of a proxy the address without password."""
    shown: dict[str, Any] = {key: value for key, value in members.items() if key != "header"}
    if proxy := text(members, "proxy"):
        shown["proxy"] = without_credentials(proxy)
    headers = [line.partition(":")[0].strip() for line in items(members, "header") if isinstance(line, str)]
    return shown | ({"header": headers} if headers else {})


def _where(row: Document, side: str) -> str:
    """Return the address of a side, as far as the context tells it."""
    infix = "tls-" if text(row, "enable-tls") == "true" else ""
    host, port = text(row, f"{side}-{infix}host"), text(row, f"{side}-{infix}port")
    named = f"{host or 'localhost'}:{port}" if port else host
    return text(row, f"{side}-url") or text(row, f"{side}-unix-socket") or named


_VIEW = View(
    identity=lambda row: text(row, "name"),
    columns=(
        Column("CURRENT", lambda row: "*" if row.get("current") is True else ""),
        Column("NAME", lambda row: text(row, "name")),
        Column("CLIENT", lambda row: _where(row, "client")),
        Column("MANAGEMENT", lambda row: _where(row, "mgmt")),
        Column("TOKEN-FILE", lambda row: text(row, "token-file")),
        Column("HEADERS", lambda row: ",".join(str(name) for name in items(row, "header"))),
    ),
    group=lambda _row: "",
)

COMMAND = Command(
    "context",
    "Keep and choose how to connect to servers",
    """
    A context keeps, under a name, how to connect to a server: addresses, files of TLS, a token's file, headers. One of
    them is in use, unless --context or WFX_CONTEXT names another one, or none. What it says beats configuration files,
    and is beaten by variables and flags. Contexts are kept in $XDG_CONFIG_HOME/wfx/contexts.yml, for its owner alone.
    """,
    children=(
        Command(
            "add",
            "Keep a context",
            """
            Keep a context: the addresses of both APIs and all other flags of this call that say how to connect. One of
            that name that says something else is replaced with --replace alone. The first one is in use at once. Where
            a server is, is said by the context alone: what it does not name has its default, whatever configuration
            files say.
            """,
            usage="NAME",
            examples="""
            # a server behind TLS that wants a token
            wfxctl context add plant --client-url https://wfx.example:8443 --mgmt-url https://wfx.example:8444 \\
                --token-file ~/.config/wfx/plant.token

            # one that is reached through its management API only
            wfxctl context add lab --mgmt-url http://localhost:8081 --read-from north --header "X-Tenant: lab"
            """,
            options=(*context_options.URLS, _REPLACE),
            run=add,
            configured=False,
        ),
        Command(
            "list",
            "List contexts",
            "List contexts, and which of them is in use. Values of headers are not shown.",
            examples="""
            # as a table
            wfxctl context list

            # their names
            wfxctl context list -o name
            """,
            options=LOOK_TABLE,
            run=show,
            configured=False,
        ),
        Command(
            "rm",
            "Forget contexts",
            "Forget contexts. If the one in use is among them, none is in use then.",
            usage="NAME...",
            examples="""
            # one
            wfxctl context rm plant

            # two
            wfxctl context rm lab old
            """,
            run=remove,
            configured=False,
            argument_names="context",
        ),
        Command(
            "use",
            "Choose the context in use",
            "Choose the context that all commands use from now on; none stands for no context.",
            usage="NAME",
            examples="""
            # one that was added
            wfxctl context use plant

            # no context: flags, variables and configuration files alone
            wfxctl context use none
            """,
            run=use,
            configured=False,
            argument_names="context",
        ),
    ),
)
