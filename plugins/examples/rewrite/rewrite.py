#!/usr/bin/env python3
"""Rewrites requests in the three ways there are: destination, headers, body.

* ``/wfx/jobs`` means ``/api/wfx/v1/jobs``: a short prefix for people.
* Single jobs are answered without their workflow, unless the caller asks for a filter of its own.
* New jobs get the tag named by REWRITE_TAG, for instance the site this server stands at.
"""

import json
import os
from functools import partial

from wfx_plugin import PASS, Action, Decision, Headers, Modify, Request, run

SHORT, FULL = "/wfx/", "/api/wfx/v1/"
JOBS = ("api", "wfx", "v1", "jobs")


def decide(request: Request, tag: str | None) -> Decision:
    """Apply the three rules; pass what none of them touches."""
    destination = _lengthened(request.destination)
    meant = Request(destination, request.action)
    headers = _with_filter(request, meant)
    body = _tagged(request.body, tag) if meant.action == Action.CREATE and meant.segments == JOBS and tag else None
    if destination == request.destination and headers is None and body is None:
        return PASS
    return Modify(destination, headers, body)


def _lengthened(destination: str) -> str:
    return FULL + destination.removeprefix(SHORT) if destination.startswith(SHORT) else destination


def _with_filter(request: Request, meant: Request) -> Headers | None:
    one_job = meant.action == Action.READ and meant.segments[:-1] == JOBS and meant.segments[-1] != "events"
    if not one_job or request.header("X-Response-Filter") is not None:
        return None
    return request.headers | {"X-Response-Filter": "del(.workflow)"}


def _tagged(body: bytes, tag: str) -> bytes | None:
    """Add the tag to a job request; leave to the server what is not a sound one."""
    try:
        job = json.loads(body)
        tags = job.get("tags", [])
        return None if tag in tags else json.dumps(job | {"tags": [*tags, tag]}).encode()
    except (ValueError, AttributeError, TypeError):
        return None


if __name__ == "__main__":
    run(partial(decide, tag=os.environ.get("REWRITE_TAG")))
