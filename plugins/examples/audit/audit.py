#!/usr/bin/env python3
"""Writes one JSON line for every request, to the file named by AUDIT_FILE or else to standard error.

Bodies, and headers that may hold credentials, are not written. The line is written before the request goes on; if
that fails (disk full), the request is answered 503: nothing happens without a record.
"""

import json
import os
from datetime import UTC, datetime
from functools import partial

from wfx_plugin import PASS, Decision, Request, run

STDERR = 2


def decide(request: Request, out: int) -> Decision:
    """Record the request and let it pass."""
    record = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "action": request.action.name,
        "destination": request.destination,
        "client": request.header("X-Client-Id"),
        "bytes": len(request.body),
    }
    line = json.dumps(record).encode() + b"\n"
    if os.write(out, line) != len(line):
        raise OSError("the record was written in part only")
    return PASS


def main() -> None:
    """Open the file for appending, so that several plugins and log rotation by copying get along with it."""
    path = os.environ.get("AUDIT_FILE")
    out = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640) if path else STDERR
    run(partial(decide, out=out))


if __name__ == "__main__":
    main()
