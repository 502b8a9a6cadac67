"""Scripts of a server, as commands ask for and show them."""

from __future__ import annotations

from typing import Any

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.options import Kind, Option
from wfxctl import gojson, rules_api
from wfxctl.documents import items, text
from wfxctl.invocation import ClientInvocation, Query, segment
from wfxctl.tables import Column
from wfxctl.times import local_time
from wfxctl.views import View

VERSION = Option("sha256", Kind.STRING, "the version, by the SHA-256 of its source; the present one by default")
SCRIPTS = View(
    identity=lambda script: text(script, "name"),
    columns=(
        Column("NAME", lambda script: text(script, "name")),
        Column("VERSION", lambda script: text(script, "sha256")[:12], exact=lambda script: text(script, "sha256")),
        Column("CURRENT", lambda script: "yes" if script.get("current") is True else "no"),
        Column("SIZE", lambda script: text(script, "size"), is_number=True),
        Column("PUT", lambda script: local_time(text(script, "ctime")), 19, exact=lambda script: text(script, "ctime")),
        Column("FINDINGS", lambda script: str(len(items(script, "findings"))), is_number=True),
    ),
)


def name_of(call: ClientInvocation) -> str:
    """Return the one argument of a command. Raises UsageFailure."""
    if len(call.arguments) != 1:
        raise UsageFailure("the name of one script is needed" if not call.arguments else "one script at a time")
    return call.arguments[0]


def fetch(
    call: ClientInvocation, path: str, query: Query = (), *, method: str = "GET", body: bytes | None = None
) -> Any:
    """Return the decoded answer. Raises Failure."""
    return rules_api.fetch(call, f"/scripts{path}", query, method=method, body=body, lacking="scripts")


def path_of(name: str) -> str:
    """Return the path of a script."""
    return f"/{segment(name)}"


def version_of(call: ClientInvocation) -> Query:
    """Return the query for the version that a command was given."""
    version = call.settings.text(VERSION.name)
    return [("version", version)] if version else []


def read_source(call: ClientInvocation, name: str) -> bytes:
    """Return what a file has; ``-`` is standard input. Raises Failure."""
    return call.read_standard_input() if name == "-" else call.read(name)


def read_json(call: ClientInvocation, option: str) -> Any:
    """Return the JSON value of an option, or of the file that it names by ``@FILE``; None if it is not given."""
    given = call.settings.text(option)
    if not given:
        return None
    content = call.read(given[1:]) if given.startswith("@") else given.encode("utf-8", "surrogateescape")
    try:
        return gojson.decode(content)
    except ValueError as exc:
        raise Failure(f"--{option} is not JSON: {exc}") from exc
