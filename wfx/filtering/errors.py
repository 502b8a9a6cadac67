"""Errors of response filters.

    WfxError
    └── FilterError
        ├── FilterSyntaxError     not a jq program: refused before the operation happens
        ├── FilterLimit           program or document too long, or a limit of time, memory or output was hit
        └── FilterUnavailable     no worker was free in time, or none could be started

Failures *inside* a program (a type error, ``error("x")``) are no exceptions: the contract answers them with ``{}``
in place of the output (rest-api section 11).
"""

from __future__ import annotations

from enum import StrEnum

from wfx.domain.errors import WfxError


class Limit(StrEnum):
    """The limits a filter can run into."""

    PROGRAM = "program"
    DOCUMENT = "document"
    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"


_SENTENCES = {
    Limit.PROGRAM: "The response filter is longer than {:,} characters",
    Limit.DOCUMENT: "The answer is too large for a response filter: it has more than {:,} bytes",
    Limit.TIME: "The response filter was stopped: it ran for more than {:g} s",
    Limit.MEMORY: "The response filter was stopped: it needed more than {:,} bytes of memory",
    Limit.OUTPUT: "The response filter was stopped: it produced more than {:,} bytes",
}


class FilterError(WfxError):
    """The response filter could not be carried out."""


class FilterSyntaxError(FilterError):
    """The text is not a jq program; the message says where it goes wrong."""


class FilterLimit(FilterError):
    """The program ran into one of its limits; the message names it."""

    def __init__(self, which: Limit, limit: float) -> None:
        """Keep which limit it was and its value, in characters, seconds or bytes."""
        super().__init__(_SENTENCES[which].format(limit))
        self.which = which
        self.limit = limit


class FilterUnavailable(FilterError):
    """Nothing is wrong with the program, but it could not be run now."""
