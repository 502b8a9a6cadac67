"""What a plugin is asked, and what it may answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from urllib.parse import parse_qs, unquote

from wfx_plugin.generated import messages as wire

Headers = Mapping[str, str | Sequence[str]]
"""Names with one or several values."""


class Action(IntEnum):
    """What the request wants to do; the method itself is not told."""

    READ = wire.Action.Read
    CREATE = wire.Action.Create
    UPDATE = wire.Action.Update
    DELETE = wire.Action.Delete


class Status(IntEnum):
    """How a plugin ends a request; in brackets what the caller sees."""

    DENY = wire.ResponseStatus.Deny
    """403"""
    ACCEPT = wire.ResponseStatus.Accept
    """200"""
    MODIFIED = wire.ResponseStatus.Modified
    """200"""
    UNAVAILABLE = wire.ResponseStatus.Unavailable
    """503"""


class Request:
    """One HTTP request. Headers are read when they are first asked for."""

    def __init__(
        self,
        destination: str,
        action: Action = Action.READ,
        headers: Headers | Callable[[], dict[str, list[str]]] = {},  # noqa: B006 - never changed
        body: bytes = b"",
    ) -> None:
        """Describe a request; plugins get theirs from ``run``, tests make their own."""
        self.destination = destination
        """Path and query as they stood in the request line: ``/api/wfx/v1/jobs?limit=3``."""
        self.action = action
        self.body = body
        """The whole body."""
        self._headers = headers

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return self.destination.partition("?")[0]

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path cut at its slashes, each part decoded once, as the server does it: compare these, not the path."""
        return tuple(unquote(segment) for segment in self.path.removeprefix("/").split("/"))

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The decoded parameters of the query with all their values."""
        return parse_qs(self.destination.partition("?")[2], keep_blank_values=True)

    @cached_property
    def headers(self) -> dict[str, list[str]]:
        """All headers but Host and Transfer-Encoding, names in canonical form as in ``X-Response-Filter``."""
        if callable(self._headers):
            return self._headers()
        return {canonical(name): values_of(values) for name, values in self._headers.items()}

    def values(self, name: str) -> list[str]:
        """Give all values of a header, whatever the case of ``name``; none if it was not sent."""
        return self.headers.get(canonical(name), [])

    def header(self, name: str) -> str | None:
        """Give the first value of a header, whatever the case of ``name``; None if it was not sent."""
        return next(iter(self.values(name)), None)


@dataclass(frozen=True, slots=True)
class Pass:
    """Let the request go on unchanged."""


@dataclass(frozen=True, slots=True)
class Modify:
    """Let the request go on with changes; what is None stays as it is. The method cannot be changed."""

    destination: str | None = None
    headers: Headers | None = None
    """If given, replaces *all* headers: ``request.headers | {"X-Response-Filter": ".id"}`` changes one."""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Respond:
    """End the request with a response; without a Content-Type a body is sent as text."""

    status: Status
    body: bytes = b""
    headers: Headers = field(default_factory=dict)

    @classmethod
    def deny(cls, text: str) -> Respond:
        """Refuse with 403 and a text."""
        return cls(Status.DENY, text.encode())

    @classmethod
    def unavailable(cls, text: str) -> Respond:
        """Refuse for the moment, with 503 and a text."""
        return cls(Status.UNAVAILABLE, text.encode())


Decision = Pass | Modify | Respond
PASS = Pass()


def canonical(name: str) -> str:
    """Write a header name as the server does: ``x-response-FILTER`` becomes ``X-Response-Filter``."""
    return "-".join(part.capitalize() for part in name.split("-"))


def values_of(values: str | Sequence[str]) -> list[str]:
    """Give the values of a header as a list, also if there is a single one."""
    return [values] if isinstance(values, str) else list(values)
