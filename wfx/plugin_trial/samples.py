"""Requests that plugins are tried with: from flags, from a file, or samples of both sides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

from wfx.commandline.failures import Failure, UsageFailure
from wfx.request_context import ClientCertificate, Side

OUTCOMES = ("pass", "modify", "deny", "accept", "unavailable")
"""What may become of a request, as it may be expected."""
_JOB = "/api/wfx/v1/jobs/5c0b2f0e-6f0d-4f3b-9f55-0b6a1a9c2d11"
_MEMBERS = frozenset({"method", "path", "headers", "body", "side", "peer", "certificate", "expect"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One request, as a client would send it."""

    method: str
    path: str
    """With the query, as it stands in the request line."""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    side: Side = Side.SOUTH
    peer: tuple[str, int] | None = ("127.0.0.1", 40000)
    certificate: ClientCertificate | None = field(default=None)
    expect: str = ""
    """One of ``OUTCOMES``; empty if anything is fine."""

    def __str__(self) -> str:
        """Name it."""
        return f"{self.method} {self.path} ({self.side})"

    @property
    def scope(self) -> Scope:
        """What the HTTP engine would make of it."""
        path, _, query = self.path.partition("?")
        fields = [(name.lower().encode("latin-1"), value.encode()) for name, value in self.headers]
        if self.body:
            fields.append((b"content-length", b"%d" % len(self.body)))
        return {
            "type": "http",
            "method": self.method,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": fields,
            "client": self.peer,
        }


def samples(side: Side) -> tuple[Sample, ...]:
    """Return one request of each kind that a side gets: readings, changes, what is beside the API, an unknown path."""
    typed = (("Content-Type", "application/json"), ("X-Client-Id", "device-1"))
    listed = "/api/wfx/v1/jobs" + ("?clientId=device-1&group=OPEN" if side is Side.SOUTH else "")
    new = b'{"clientId":"device-1","workflow":"wfx.workflow.dau.direct","definition":{}}'
    status = b'{"clientId":"device-1","state":"INSTALLING","progress":40}'
    return (
        Sample("GET", "/health", side=side),
        Sample("GET", listed, side=side),
        Sample("GET", _JOB, side=side),
        Sample("GET", "/api/wfx/v1/workflows", side=side),
        Sample("POST", "/api/wfx/v1/jobs", typed, new, side=side),
        Sample("PUT", f"{_JOB}/status", typed, status, side=side),
        Sample("DELETE", _JOB, side=side),
        Sample("GET", "/no/such/path", side=side),
    )


def header(text: str) -> tuple[str, str]:
    """Read ``Name: value``. Raises UsageFailure."""
    name, colon, value = text.partition(":")
    if not colon or not name.strip().isascii() or not name.strip():
        raise UsageFailure(f'--header must be "Name: value", not "{text}"')
    return name.strip(), value.strip()


def read(text: str, name: str, side: Side) -> Iterator[Sample]:
    """Read one request a line; ``side`` counts where a line names none. Raises Failure, with the line."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield _sample(json.loads(line), side)
        except (ValueError, TypeError) as exc:
            raise Failure(f"{name} line {number}: {exc}") from exc


def _sample(given: Any, side: Side) -> Sample:
    if not isinstance(given, dict):
        raise TypeError('a request is an object, such as {"method": "GET", "path": "/health"}')
    if unknown := given.keys() - _MEMBERS:
        raise ValueError(f"unknown member {min(unknown)!r}; known are {', '.join(sorted(_MEMBERS))}")
    path = _text(given, "path")
    if not path.startswith("/") or not path.isascii() or not path.isprintable():
        raise ValueError("the member 'path' must be a path as in a request line, such as /api/wfx/v1/jobs?limit=3")
    expect = _text(given, "expect", "")
    if expect and expect not in OUTCOMES:
        raise ValueError(f"the member 'expect' must be one of {', '.join(OUTCOMES)}")
    return Sample(
        _text(given, "method", "GET"), path, tuple(_headers(given.get("headers", {}))), _body(given.get("body", "")),
        Side(_text(given, "side", side)), _peer(_text(given, "peer", "127.0.0.1:40000")),
        _certificate(given.get("certificate")), expect,
    )  # fmt: skip


def _text(given: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise TypeError(f"the member {name!r} must be a string")
    return value


def _headers(given: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(given, dict):
        raise TypeError("the member 'headers' must be an object")
    for name, values in given.items():
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str) or not name.isascii():
                raise TypeError("names of headers must be ASCII, their values strings or lists of these")
            yield name, value


def _body(given: Any) -> bytes:
    """Take text as it is, and anything else as JSON."""
    return given.encode() if isinstance(given, str) else json.dumps(given).encode()


def _peer(text: str) -> tuple[str, int] | None:
    """Read an address with a port; empty is a Unix socket."""
    host, _, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if text else None


def _certificate(given: Any) -> ClientCertificate | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise TypeError("the member 'certificate' must be an object with subject, sha256 and names")
    names = given.get("names", [])
    found = ClientCertificate(_text(given, "subject"), tuple(map(str, names)), _text(given, "sha256", "0" * 64))
    if not all(text.isascii() for text in (found.subject, *found.alternative_names, found.sha256)):
        raise ValueError("names in certificates are escaped to ASCII, see docs/plugins.md")
    return found
