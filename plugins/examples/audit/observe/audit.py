#!/usr/bin/env python3
"""Writes one JSON line for every request and how it was answered, to AUDIT_FILE or else to standard error.

It observes: it belongs into the subdirectory ``observe`` of the plugin directory, is told of every request of the side
once it was answered, whoever has answered it, and holds nobody up.

What a line says of the sender: ``claimed`` is the header X-Client-Id, which anybody can send. ``certificate`` is the
subject of the client's certificate, which wfx has verified. ``identity`` is the header named by AUDIT_IDENTITY_HEADER,
which a gateway sets and nobody else can; ``credential`` begins the SHA-256 of the token that was sent, as the
configuration of the example ``auth`` has it. What these two say is true if a plugin examined them and let the request
pass.

Bodies, tokens, and what is beyond the first 2048 characters of a destination are not written. If a line cannot be
written (disk full), this plugin ends with status 1, and the server with it: nothing goes on without a record.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from functools import partial

from wfx_plugin import Answer, Request, run_observer

STDERR = 2
LONGEST_TEXT = 2_048
IDENTITY_HEADER = os.environ.get("AUDIT_IDENTITY_HEADER")


def record(request: Request, answer: Answer, out: int) -> None:
    """Write the line; before it one that says how many are missing, if any are."""
    if answer.lost:
        write(out, {"time": now(), "lost": answer.lost})
    origin = request.origin
    described = {
        "time": now(),
        "requestId": origin.request_id,
        "side": origin.side.name.lower(),
        "peer": origin.peer,
        "method": origin.method,
        "destination": request.destination[:LONGEST_TEXT],
        "operation": answer.operation or None,
        "bytes": answer.request_size,
        "status": answer.status,
        "answeredBy": answer.answered_by or None,
        "complete": answer.complete,
        "sent": answer.size,
        "milliseconds": round(answer.seconds * 1000, 3),
        "certificate": origin.certificate and origin.certificate.subject,
        "identity": shortened(request.header(IDENTITY_HEADER)) if IDENTITY_HEADER else None,
        "credential": digest(request.header("Authorization")),
        "claimed": shortened(request.header("X-Client-Id")),
    }
    write(out, described)


def write(out: int, described: dict[str, object]) -> None:
    """Write one line, or end."""
    line = json.dumps(described).encode() + b"\n"
    try:
        written = os.write(out, line)
    except OSError as exc:
        raise SystemExit(f"cannot write the record: {exc}") from exc
    if written != len(line):
        raise SystemExit("cannot write the record: there is no room left")


def now() -> str:
    """Tell the time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def shortened(text: str | None) -> str | None:
    """Cut a text that is too long for a record."""
    return text and text[:LONGEST_TEXT]


def digest(authorization: str | None) -> str | None:
    """Name a token without giving it away."""
    if authorization is None:
        return None
    token = authorization.partition(" ")[2].strip()
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def main() -> None:
    """Open the file for appending, so that several plugins and log rotation by copying get along with it."""
    path = os.environ.get("AUDIT_FILE")
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640) if path else STDERR
    run_observer(partial(record, out=out))


if __name__ == "__main__":
    main()
