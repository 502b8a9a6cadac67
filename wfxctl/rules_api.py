"""The API of rules, as all commands that need it ask it: one failure for servers that lack something of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from wfx.commandline.failures import Failure
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, Query, decoded
from wfxctl.targets import RULES_PATH, Side


class BadRequest(Failure):
    """The server refuses what was sent."""


def fetch(
    call: ClientInvocation,
    path: str,
    query: Query = (),
    *,
    method: str = "GET",
    body: bytes | None = None,
    lacking: str,
) -> Any:
    """Return the decoded answer; None if it is empty.

    Raises BadRequest, and Failure, for a server that has no such path with what it is ``lacking``.
    """
    try:
        answer = call.api(Side.NORTH, base=RULES_PATH).fetch(method, path, query, body)
        return decoded(answer) if answer else None
    except RefusedByServer as exc:
        if exc.status == 404 and not exc.body.strip():
            raise Failure(f"the server has no {lacking}: it is older than this command") from exc
        if reason := _reason(exc.body):
            raise (BadRequest if exc.status == 400 else Failure)(reason) from exc
        raise


def _reason(body: str) -> str:
    """Return the message of an error of this API; empty for what is none."""
    with suppress(Failure):
        match decoded(body):
            case {"error": str(reason)}:
                return reason
    return ""
