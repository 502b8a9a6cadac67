"""What the log says of who asked for a change, and from where, on a real service."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from wfx.demo.local import LocalService
from wfx.store.sqlite.checking import check

BASE = "/api/wfx/v1"
WORKFLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "RUN"}],
    "transitions": [{"from": "NEW", "to": "RUN", "eligible": "CLIENT"}],
}
MINTED = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def ask(address: str, method: str, path: str, request_id: str = "", body: Any = None) -> httpx.Response:
    """Send a request, with an id if one is given, which must succeed."""
    headers = {"X-Request-Id": request_id} if request_id else {}
    answer = httpx.request(method, address + BASE + path, json=body, headers=headers, trust_env=False, timeout=60)
    return answer.raise_for_status()


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
def test_each_change_is_stored_with_its_request(engine: str, tmp_path: Path) -> None:
    """The event of each change of jobs and workflows has the id and the side of the request, and the state before."""
    with LocalService(tmp_path, f"--http-engine={engine}") as service:
        north, south = service.north, service.south
        ask(north, "POST", "/workflows", "w-create", WORKFLOW)
        job = ask(north, "POST", "/jobs", "create", {"clientId": "c", "workflow": "flow", "tags": ["a"]}).json()["id"]
        ask(south, "PUT", f"/jobs/{job}/status", "report", {"state": "RUN"})
        ask(south, "PUT", f"/jobs/{job}/definition", "define", {"n": 1})
        ask(north, "POST", f"/jobs/{job}/tags", "tag", ["b"])
        ask(north, "DELETE", f"/jobs/{job}/tags", "untag", ["a"])
        ask(north, "DELETE", f"/jobs/{job}", "delete")
        ask(north, "DELETE", "/workflows/flow", "w-delete")
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as tables:
        told = tables.execute(
            "SELECT iif(job_id = '', 'workflow', 'job'), action, cause, state_before FROM event ORDER BY seq"
        ).fetchall()
    assert told == [
        ("workflow", "CREATE", '["w-create","north"]', None),
        ("job", "CREATE", '["create","north"]', None),
        ("job", "UPDATE_STATUS", '["report","south"]', 0),
        ("job", "UPDATE_DEFINITION", '["define","south"]', 1),
        ("job", "ADD_TAGS", '["tag","north"]', 1),
        ("job", "DELETE_TAGS", '["untag","north"]', 1),
        ("job", "DELETE", '["delete","north"]', 1),
        ("workflow", "DELETE", '["w-delete","north"]', None),
    ]
    assert check(tmp_path / "wfx.db").findings == []


def test_a_request_without_an_id_has_the_one_of_the_log_records(tmp_path: Path) -> None:
    """Where the caller gives no id, its event has the one that was made up for it."""
    with LocalService(tmp_path) as service:
        ask(service.north, "POST", "/workflows", body=WORKFLOW)
        for _ in range(2):
            ask(service.north, "POST", "/jobs", body={"clientId": "c", "workflow": "flow"})
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as tables:
        ids = [row[0] for row in tables.execute("SELECT cause ->> 0 FROM event")]
    assert len(set(ids)) == 3
    assert all(map(MINTED.fullmatch, ids))
