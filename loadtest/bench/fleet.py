"""How long the fleet API takes for counts and slim pages in a large store, by every kind of condition."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import NamedTuple

from bench.filling import WORKFLOWS
from bench.queries import get, took
from wfx.api.cursor import cursor_of
from wfx.api.problems import PREFIX

AIM = 15.0
"""Milliseconds for whatever indexes answer."""
_DEEP = 0.9
"""Share of the jobs that a page lies behind."""
_DIRECT, _PHASED = WORKFLOWS
SUMMARIES = {
    "all": "",
    "a group": "group=OPEN",
    "a state": "state=INSTALLING",
    "a workflow": f"workflow={_PHASED}",
    "a client": "clientId=device-7",
    "20 clients by prefix": "clientIdPrefix=device-777",
    "a tag of 100 jobs": "tag=batch-3",
    "a tag of 10 %": "tag=hall-3",
    "workflow, tag of 10 %": f"workflow={_DIRECT}&tag=hall-3",
    "group of 5 %, two tags": "group=OPEN&allTags=hall-3,batch-3",
}
"""What is counted, by what it is."""
AT_EACH_JOB = {
    "half of the clients by prefix": "clientIdPrefix=device-1",
    "jobs unchanged for a minute": "unchangedFor=1m",
}
"""What no index answers: each job is looked at, so there is no aim."""
PAGES = {
    "first": "limit=100",
    "newest": "limit=100&sort=desc",
    "a client": "limit=100&clientId=device-7",
    "20 clients by prefix": "limit=100&clientIdPrefix=device-777",
    "a tag of 10 %": "limit=100&tag=hall-3",
    "group of 5 %, tag of 10 %": "limit=100&group=OPEN&tag=hall-3",
    "group of 5 %, two tags": "limit=100&group=OPEN&allTags=hall-3,batch-3",
    "open jobs unchanged for a second": "limit=100&group=OPEN&unchangedFor=1s",
}


class Took(NamedTuple):
    """How long something takes: the median of a few requests, one after the other."""

    name: str
    milliseconds: float
    aim: float | None = AIM


def measure(port: int, jobs: int) -> Iterator[Took]:
    """Ask the service there, which has so many jobs."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        yield Took("fleet: first summary", took(connection, f"{PREFIX}/jobs/summary", times=1), None)
        for aim, conditions in ((AIM, SUMMARIES), (None, AT_EACH_JOB)):
            for name, query in conditions.items():
                yield Took(f"fleet: summary of {name}", took(connection, f"{PREFIX}/jobs/summary?{query}"), aim)
        log_id = json.loads(get(connection, f"{PREFIX}/jobs?limit=1"))["position"].rpartition("-")[0]
        behind = {f"behind {_DEEP:.0%}": f"limit=100&after={cursor_of(log_id, round(jobs * _DEEP))}"}
        for name, query in (PAGES | behind).items():
            yield Took(f"fleet: page of 100, {name}", took(connection, f"{PREFIX}/jobs?{query}"))
