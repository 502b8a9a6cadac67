"""What a flow asks of its driver.

A *flow* is a generator that yields commands and is sent their outcomes: all that the client does, without input and
output, and so the same for both drivers (:mod:`wfx.client.blocking`, :mod:`wfx.client.asynchronous`). Errors of a
command are thrown into it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from wfx.client.errors import ClientError

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    """From the root of the server on, with the query, percent-encoded."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Send:
    """Make an exchange. The outcome is a :class:`Response`; raises Unreachable or Unreadable."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Begin an answer that has no end. The outcome is a :class:`Response`, whose body is empty for status 200."""

    request: Request
    silence: float
    """Seconds without a byte after which :class:`Read` raises TimedOut."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read on in what was opened. The outcome is bytes, none at the end; raises Unreachable or Unreadable."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close what was opened, if anything is."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Now:
    """Ask for the time: seconds of a clock that only goes forward."""


@dataclass(frozen=True, slots=True)
class Give(Generic[Result_co]):
    """Hand an item to whoever iterates."""

    item: Result_co


Command = Send | Open | Read | Close | Sleep | Now
Flow = Generator[Command, Any, Result_co]
"""Ends with a result."""
ItemFlow = Generator[Command | Give[Result_co], Any, None]
"""Gives any number of items."""


def advance(flow: Generator[Any, Any, Any], outcome: Any) -> Any:
    """Give a flow the outcome of its last command, or throw it in if it is an error; return the next command.

    Raises StopIteration at the end, with the result.
    """
    return flow.throw(outcome) if isinstance(outcome, ClientError) else flow.send(outcome)
