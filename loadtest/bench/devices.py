"""How long lists of devices take in a large store, by every kind of condition."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from statistics import median
from typing import Any

from wfx.api.problems import PREFIX

AIM = 15.0
"""Milliseconds that a page should take at most."""
_TIMES = 9
_REQUESTS = {
    "one device": "/devices/device-7",
    "a page": "/devices?",
    "the last page": "/devices?sort=desc",
    "a prefix": "/devices?clientIdPrefix=device-77",
    "an attribute, 10 % of all": "/devices?attribute=hall:3",
    "a label, 100 devices": "/devices?label=canary-3",
    "an attribute and a label": "/devices?attribute=hall:3&label=canary-3",
    "not seen for a day": "/devices?notSeenFor=P1D",
    "a version that few have": "/devices?version=SW%202",
    "a version that nobody has": "/devices?version=none",
    "a filter, 1 % of all": "/devices?filter=labels%20contains%20%22canary-3%22%20OR%20version%20==%20%22SW%202%22",
    "a filter that nobody fulfils": "/devices?filter=lastResult.group%20==%20%22none%22",
}


def measure(port: int) -> Iterator[tuple[str, float]]:
    """Ask the service there for each page, and for one far behind; yields what it was and its milliseconds."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        page = _get(connection, "/devices?limit=1000&clientIdPrefix=device-9")
        behind = {"a page far behind": f"/devices?after={page['next']}"} if "next" in page else {}
        for name, path in (_REQUESTS | behind).items():
            took = []
            for _ in range(_TIMES):
                begun = time.perf_counter()
                _get(connection, path)
                took.append((time.perf_counter() - begun) * 1000)
            yield name, median(took)


def _get(connection: HTTPConnection, path: str) -> Any:
    connection.request("GET", PREFIX + path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} for {path}: {body!r}")
    return json.loads(body)
