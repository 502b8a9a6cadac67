#!/usr/bin/env python3
"""Denies whatever has to do with workflows; the smallest plugin that does something."""

import logging
from urllib.parse import unquote

from wfx_plugin import PASS, Decision, Request, Respond, run

FORBIDDEN = "/api/wfx/v1/workflows"
log = logging.getLogger("deny")


def decide(request: Request) -> Decision:
    """Deny a destination that names workflows, in the path or in the query, also if it is percent-encoded."""
    if FORBIDDEN not in unquote(request.destination):
        return PASS
    log.info("denied %s %s", request.action.name, request.destination)
    return Respond.deny("access to workflows is denied by a plugin\n")


if __name__ == "__main__":
    # One worker, and room for 64 requests to wait: what goes beyond is answered Unavailable (503) at once.
    run(decide, threads=1, backlog=64)
