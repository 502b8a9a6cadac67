"""How long lists of jobs take in a large store, by every kind of condition."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from statistics import median
from typing import NamedTuple

from bench.filling import WORKFLOWS
from bench.fixture import BASE

HEAD = f"{'jobs by':<30} {'there are':>9} {'first':>6} {'last':>6} {'deep':>6} {'total':>7}"
_TIMES = 9
_DIRECT, _PHASED = WORKFLOWS
FILTERS = {
    "no condition": "",
    "client": "clientId=device-7",
    "client that has none": "clientId=nobody",
    "group, 5 % of all": "group=OPEN",
    "group, 95 % of all": "group=CLOSED",
    "both groups": "group=OPEN,CLOSED",
    "state": "state=INSTALLING",
    "workflow": f"workflow={_PHASED}",
    "tag, 10 % of all": "tag=hall-3",
    "tag, 100 jobs": "tag=batch-3",
    "two tags": "tag=hall-3,hall-4",
    "client, group": "clientId=device-7&group=OPEN",
    "client, workflow, tag": f"clientId=device-7&workflow={_DIRECT}&tag=hall-7",
    "group, workflow": f"group=OPEN&workflow={_DIRECT}",
    "group of 5 %, tag of 10 %": "group=OPEN&tag=hall-3",
    "group of 95 %, tag of 10 %": "group=CLOSED&tag=hall-3",
    "group of 95 %, tag of 100 jobs": "group=CLOSED&tag=batch-3",
    "workflow, tag": f"workflow={_DIRECT}&tag=hall-3",
    "state, workflow, tag": f"state=ACTIVATED&workflow={_PHASED}&tag=hall-3",
    "group, workflow, two tags": f"group=OPEN&workflow={_PHASED}&tag=hall-3,hall-4",
    "workflow, ten tags": f"workflow={_DIRECT}&tag=" + ",".join(f"hall-{number}" for number in range(10)),
}
"""Conditions of ``GET /jobs``, by what they are."""
_PAGES = {
    "first": "limit=10",
    "last": "limit=10&sort=desc",
    "deep": "limit=10&offset=10000",
    "total": "limit=10&pagination=true",
}


class Aims(NamedTuple):
    """Milliseconds that pages should take at most."""

    page: float = 15
    """A page of ten at either end."""
    deep: float = 15
    total: float = 150
    """A page with the number of all matching jobs."""


ON_SQLITE = Aims()
ON_POSTGRESQL = Aims(deep=100, total=350)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a filter takes, in milliseconds: the median of a few requests, one after the other."""

    name: str
    matches: int
    first: float
    """For the first page of ten."""
    last: float
    """For the first page of ten in descending order."""
    deep: float
    """For ten jobs at offset 10,000."""
    total: float
    """For the first page with the number of all matching jobs."""
    aims: Aims = ON_SQLITE

    def __str__(self) -> str:
        """Return it as a line of the table."""
        page, deep, total = self.aims
        is_met = max(self.first, self.last) <= page and self.deep <= deep and self.total <= total
        verdict = "ok" if is_met else "MISSED"
        return (
            f"{self.name:<30} {self.matches:>9,} {self.first:>6.1f} {self.last:>6.1f} {self.deep:>6.1f} "
            f"{self.total:>7.1f}  {verdict}"
        )


def measure(port: int, aims: Aims = ON_SQLITE) -> Iterator[Duration]:
    """Ask the service there for each filter's pages."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for name, conditions in FILTERS.items():
            paths = {page: f"{BASE}/jobs?{conditions}&{paging}" for page, paging in _PAGES.items()}
            durations = {page: took(connection, path) for page, path in paths.items()}
            matches = json.loads(get(connection, paths["total"]))["pagination"]["total"]
            yield Duration(name, matches, **durations, aims=aims)


def took(connection: HTTPConnection, path: str, times: int = _TIMES) -> float:
    """Return how long it takes to get this, in milliseconds: the median of some times."""
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        get(connection, path)
        found.append((time.perf_counter() - begun) * 1000)
    return median(found)


def get(connection: HTTPConnection, path: str) -> bytes:
    """Return the body of a good answer."""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} for {path}: {body!r}")
    return body
