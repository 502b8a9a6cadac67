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


class Side(IntEnum):
    """Which API a request came in by."""

    UNKNOWN = wire.Side.Unknown
    """The server is older than this package."""
    NORTH = wire.Side.North
    """That of operators."""
    SOUTH = wire.Side.South
    """That of devices."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whom the client's certificate names, which the server has verified."""

    subject: str
    """The distinguished name as in RFC 4514: ``CN=device-1,O=Example``."""
    sha256: str
    """The fingerprint, 64 hexadecimal digits."""
    names: tuple[str, ...] = ()
    """The alternative names with their kinds: ``DNS:device-1.example``."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a request beside its content; empty where the server does not tell."""

    method: str = ""
    peer: str = ""
    """Address and port of the client; empty on Unix sockets."""
    side: Side = Side.UNKNOWN
    request_id: str = ""
    """By which the log of the server names the request."""
    certificate: Certificate | None = None


NO_ORIGIN = Origin()


class Request:
    """One HTTP request. Headers and origin are read when they are first asked for."""

    def __init__(
        self,
        destination: str,
        action: Action = Action.READ,
        headers: Headers | Callable[[], dict[str, list[str]]] = {},  # noqa: B006 - never changed
        body: bytes = b"",
        origin: Origin | Callable[[], Origin] = NO_ORIGIN,
    ) -> None:
        """Describe a request; plugins get theirs from ``run``, tests make their own."""
        self.destination = destination
        """Path and query as they stood in the request line: ``/api/wfx/v1/jobs?limit=3``."""
        self.action = action
        self.body = body
        """The whole body; in a plugin that observes, at most its first 64 KiB."""
        self._headers = headers
        self._origin = origin

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
    def origin(self) -> Origin:
        """Method, peer, side, request id and certificate."""
        return self._origin() if callable(self._origin) else self._origin

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
class Answer:
    """How a request was answered, as plugins that observe are told."""

    status: int
    """499 if the client left before the answer began."""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    """At most its first 64 KiB."""
    size: int = 0
    """Bytes of the whole body."""
    complete: bool = True
    """Whether all of it was sent; event streams are told of when they begin."""
    seconds: float = 0.0
    """From the request's header to the end of the answer."""
    answered_by: str = ""
    """The plugin that answered, or was to decide and did not; empty if none has."""
    operation: str = ""
    """The operationId of the API, such as GetJobs; empty for what is no operation, and what was refused before."""
    request_size: int = 0
    """Bytes of the request's body that were read."""
    lost: int = 0
    """Answers that this plugin was not told of, since it did not read fast enough, between this and the one before."""


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
