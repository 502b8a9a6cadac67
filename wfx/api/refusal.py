"""What a request that breaks the OpenAPI document is answered with: one line of prose."""

from __future__ import annotations

import re

_LONGEST = 500
_HEAD, _TAIL = 320, 179
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class BadRequest(Exception):
    """The request is not well-formed: a text 400 (rest-api section 2). The message names the place."""

    status = 400

    def __init__(self, message: str) -> None:
        """Keep the message as one bounded line, whatever of the request it repeats."""
        super().__init__(one_line(message))


class CompressedBody(BadRequest):
    """The body is compressed. It is refused unseen, since a few bytes may stand for very many."""

    status = 415

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__("header Content-Encoding: compressed bodies are not supported; send the body as it is")


def one_line(text: str) -> str:
    """Make the text fit for one line: control characters become escapes, and the middle of a long text is left out.

    The place stands at the beginning of a message and the reason at its end: both stay readable.
    """
    return _shortened(_UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), _shortened(text)))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}"
