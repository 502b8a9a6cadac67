#!/usr/bin/env python3
"""Writes one JSON line for every request and what was decided on it, to AUDIT_FILE or else to standard error.

Plugins are not shown what others decide, and what one has refused the next never sees. So this one runs the plugin
whose decisions are to be recorded: the one program in the directory ``audited`` beside it, where the server does not
look for plugins. It is asked, its decision is recorded, and then given. To record only, put /bin/cat there.

What a line says of the sender: ``claimed`` is the header X-Client-Id, which anybody can send. ``identity`` is the
header named by AUDIT_IDENTITY_HEADER, which a gateway sets and nobody else can; ``credential`` begins the SHA-256 of
the token that was sent, as the configuration of the example ``auth`` has it. What these two say is true if the audited
plugin examined them and let the request pass.

Bodies, tokens, and what is beyond the first 2048 characters of a destination are not written. The line is written
before the request goes on; if that fails (disk full), the request is answered 503: nothing happens without a record.
"""

import hashlib
import json
import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from wfx_plugin import Decision, Modify, Plugin, Request, Respond, run_async

STDERR = 2
LONGEST_TEXT = 2_048
IDENTITY_HEADER = os.environ.get("AUDIT_IDENTITY_HEADER")


async def decide(request: Request, audited: Plugin, out: int) -> Decision:
    """Record the request and what the audited plugin decides, and decide so."""
    decision = await audited.decide(request)
    record = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "action": request.action.name,
        "destination": request.destination[:LONGEST_TEXT],
        "bytes": len(request.body),
        "verdict": verdict(decision),
        "identity": shortened(request.header(IDENTITY_HEADER)) if IDENTITY_HEADER else None,
        "credential": digest(request.header("Authorization")),
        "claimed": shortened(request.header("X-Client-Id")),
    }
    line = json.dumps(record).encode() + b"\n"
    if os.write(out, line) != len(line):
        raise OSError("the record was written in part only")
    return decision


def verdict(decision: Decision) -> str:
    """Name a decision: passed, changed, or how the request was answered: deny, accept, modified, unavailable."""
    if isinstance(decision, Respond):
        return decision.status.name.lower()
    return "changed" if isinstance(decision, Modify) else "passed"


def shortened(text: str | None) -> str | None:
    """Cut a text that is too long for a record."""
    return text and text[:LONGEST_TEXT]


def digest(authorization: str | None) -> str | None:
    """Name a token without giving it away."""
    if authorization is None:
        return None
    token = authorization.partition(" ")[2].strip()
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def audited_plugin(directory: Path) -> Plugin:
    """Start the program in the directory."""
    programs = list(directory.iterdir()) if directory.is_dir() else []
    if len(programs) != 1:
        raise SystemExit(f"{directory} must hold the one plugin whose decisions are to be recorded")
    return Plugin(programs[0])


def main() -> None:
    """Open the file for appending, so that several plugins and log rotation by copying get along with it."""
    path = os.environ.get("AUDIT_FILE")
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640) if path else STDERR
    audited = audited_plugin(Path(__file__).with_name("audited"))
    run_async(partial(decide, audited=audited, out=out))


if __name__ == "__main__":
    main()
