"""Errors for requests that break the OpenAPI document; each is answered with one line of text."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

MOST_FAULTS = 128
"""How many things that are wrong with a body are told."""
_LONGEST = 500
_HEAD, _TAIL = 320, 179


class BadRequest(Exception):
    """The request is not well-formed: a text 400 (rest-api section 2). The message names the place."""

    status = 400
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def __init__(self, message: str) -> None:
        """Keep the message as one bounded line, whatever of the request it repeats."""
        super().__init__(one_line(message))


class BodyFault(NamedTuple):
    """One thing that is wrong with a body."""

    pointer: str
    """Where it is (JSON Pointer); empty for the whole body."""
    reason: str
    rule: str = ""
    """The reason in words that begin with the rule, and do not repeat the body; empty if it does so itself."""

    @property
    def text(self) -> str:
        """Place and reason, as the contract's API words it."""
        return f"the body at {self.pointer}: {self.reason}" if self.pointer else f"the body: {self.reason}"

    @property
    def rule_and_place(self) -> str:
        """What is demanded, and where, as the fleet API words it."""
        rule = self.rule or self.reason
        return f"{rule} (at {self.pointer} of the body)" if self.pointer else f"{rule} (the body)"


class BodyInvalid(BadRequest):
    """The body is not as its schema says."""

    def __init__(self, faults: Iterable[BodyFault]) -> None:
        """Keep the first :data:`MOST_FAULTS`, of which there is one at least; the first is the message."""
        self.faults = [*islice(faults, MOST_FAULTS)]
        super().__init__(self.faults[0].text)


class CompressedBody(BadRequest):
    """The body is compressed. It is refused unseen, since a few bytes may stand for very many."""

    status = 415

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__("header Content-Encoding: compressed bodies are not supported; send the body as it is")


class BodyTooLarge(BadRequest):
    """The body is longer than the service accepts. The connection ends, since the rest of it is not read."""

    status = 413
    headers = ((b"connection", b"close"),)

    def __init__(self, limit: int) -> None:
        """Name the limit in bytes."""
        super().__init__(f"request body is larger than {limit} bytes")


class BodyUnreadable(BadRequest):
    """The values in the body take more memory than there is for them."""

    status = 413

    def __init__(self) -> None:
        """Say what to do instead."""
        super().__init__("the body needs too much memory; send a smaller one")


class DocumentTooLarge(BadRequest):
    """The body fits, but a document in it does not once it is written as it is stored and shown."""

    status = 413

    def __init__(self, limit: int) -> None:
        """Name the limit in bytes, and what makes documents grow."""
        super().__init__(
            f"the body has more than {limit} bytes as it is stored: each of < > & and each control character takes "
            "six, and a number up to 1e21 all of its digits"
        )


class TryLater(BadRequest):
    """Nothing is wrong with the request, but too much is going on."""

    status = 503
    headers = ((b"retry-after", b"1"),)


def one_line(text: str) -> str:
    """Make the text fit for one line: what is not printable is escaped, and the middle of a long text is left out.

    The place stands at the beginning of a message and the reason at its end: both stay readable.
    """
    text = _shortened(text)
    if text.isprintable():
        return text
    return _shortened("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text))


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}"
