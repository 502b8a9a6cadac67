"""Notes in the header field Warning: what was ignored, what is left out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from waiting import eventually

from tests.api.test_jobs import put
from tests.store.samples import FLOW, begin, move
from wfx.demo.local import LocalService
from wfx.store.opening import open_store

BASE = "/api/wfx/v1"


def told(answer: httpx.Response) -> str:
    """What the answer notes; nothing if it has no note."""
    text: str = answer.headers.get("warning", "")
    return text.removeprefix('299 wfx "').removesuffix('"')


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("clientid=x", "parameter clientid"),
        ("a=1&b&limit=1&a=2", "parameter a, parameter b, parameter a"),
        ("%22%0d%0a%c3%a9=1", "parameter ????"),
        (
            "&".join(f"n{n}=" for n in range(7)),
            "parameter n0, parameter n1, parameter n2, parameter n3, parameter n4 and 2 more",
        ),
    ],
)  # fmt: skip
def test_unknown_parameters_are_named(south: httpx.Client, query: str, names: str) -> None:
    """What a query asks for in vain is ignored, as before, and named."""
    answer = south.get(f"/jobs?{query}")
    assert answer.status_code == 200
    assert told(answer) == f"ignored what the API does not know: {names}"


def test_a_long_name_is_cut(south: httpx.Client) -> None:
    """However long a name is, the note about it is short."""
    assert len(told(south.get(f"/jobs?{'n' * 5000}=1"))) < 200


def test_unknown_members_are_named(job: dict[str, Any], south: httpx.Client, north: httpx.Client) -> None:
    """Members of a body that the API does not know are dropped, as before, and named."""
    answer = put(south, job, state="INSTALLING", mesage="typo")
    assert (answer.status_code, told(answer)) == (200, "ignored what the API does not know: member mesage")
    made = north.post("/jobs", json={"clientId": "c", "workflow": job["workflow"]["name"], "tag": ["t"]})
    assert (made.status_code, told(made)) == (201, "ignored what the API does not know: member tag")


def test_what_is_known_or_free_is_not_noted(job: dict[str, Any], south: httpx.Client) -> None:
    """Requests without a mistake, and any members of a definition, have no note."""
    assert told(put(south, job, state="INSTALLING", clientId="c", progress=1, message="m", context={"any": 1})) == ""
    assert told(south.put(f"/jobs/{job['id']}/definition", json={"any": 1})) == ""
    assert told(south.get("/jobs?limit=1&clientId=c")) == ""


def test_a_refusal_names_them_too(north: httpx.Client) -> None:
    """A refused request may have been refused for what was misspelled."""
    answer = north.get("/jobs/none?histroy=true")
    assert (answer.status_code, told(answer)) == (404, "ignored what the API does not know: parameter histroy")


def test_they_are_logged_for_who_looks(tmp_path: Path) -> None:
    """At level debug there is a record of what was ignored."""
    with LocalService(tmp_path, "--log-level=debug") as service:
        httpx.get(f"{service.south}{BASE}/jobs?clientid=x").raise_for_status()
        wanted = "ignored what the API does not know: parameter clientid"
        eventually(lambda: any(wanted in line for line in service.lines), "the record")


async def fill(folder: Path) -> tuple[str, str]:
    """Make a store with a job of a long history and one of a short one; return their ids."""
    store = await open_store("sqlite", str(folder / "wfx.db"))
    await store.create_workflow(FLOW)
    long, short = [await store.create_job("demo.flow", begin()) for _ in range(2)]
    for _ in range(9):
        await asyncio.gather(*(store.change_job(long.id, move("NEW")) for _ in range(1000)))
    await store.change_job(short.id, move("NEW"))
    await store.close()
    return long.id, short.id


def test_a_history_that_is_not_shown_whole_says_so(tmp_path: Path) -> None:
    """An answer with the newest entries of a long history says how many there were; one with all has no note."""
    jobs = asyncio.run(fill(tmp_path))
    with LocalService(tmp_path) as service:
        answers = [httpx.get(f"{service.north}{BASE}/jobs/{job}?history=true") for job in jobs]
    assert len(answers[0].json()["history"]) == 8192
    assert told(answers[0]) == "the history had 9000 entries, of which this answer has 8192"
    assert told(answers[1]) == ""
