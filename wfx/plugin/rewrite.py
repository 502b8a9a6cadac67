"""Applies what plugins decide, and refuses what cannot be sent on.

A plugin may quote callers in what it answers, so its headers and destinations are checked like those of a caller:
nothing that could end a header line or a request line early gets through.
"""

from __future__ import annotations

import re
from dataclasses import replace

from wfx.plugin.errors import AnswerUnusable
from wfx.plugin.headers import grouped
from wfx.plugin.message import Headers, Modify, Request, Respond

_TARGET = re.compile(rb"/[!-\"$-~]*")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")


def rewritten(request: Request, decision: Modify) -> Request:
    """Give the request with which to go on; raise AnswerUnusable if it could not have come from a caller either."""
    destination = decision.destination or request.destination
    if destination != request.destination and not _TARGET.fullmatch(destination):
        raise AnswerUnusable("rewrote the destination to something that is not a path with a query")
    body = request.body if decision.body is None else decision.body
    return replace(request, destination=destination, headers=_sound(decision.headers), body=body)


def checked(response: Respond) -> Respond:
    """Give the response with its headers in order; raise AnswerUnusable if they cannot be sent."""
    return replace(response, headers=_sound(response.headers))


def _sound(headers: Headers) -> Headers:
    for name, values in headers:
        if not _NAME.fullmatch(name) or not all(map(_VALUE.fullmatch, values)):
            raise AnswerUnusable("set a header that cannot be sent")
    return grouped((name, value.strip(b" \t")) for name, values in headers for value in values)
