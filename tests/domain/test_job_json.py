from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.samples import JOB_ID, PRESS, STARTED, flow, happened, new_job, objects, texts
from wfx.domain import job_json
from wfx.domain.job import Action, HistoryEntry, Job
from wfx.domain.json import Json, decode
from wfx.domain.numbers import normalise
from wfx.domain.query import Paging
from wfx.domain.timestamp import Timestamp

HASH = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
WORKFLOW = b'{"name":"demo.flow","states":[{"name":"A"}]}'
STATUS = b'{"clientId":"press-7","definitionHash":"%b","state":"A"}' % HASH.encode()
ONE = flow("A")


def test_smallest_job_is_shown() -> None:
    """A job without definition shows no definition, and its tags even if it has none."""
    assert job_json.job(new_job(ONE)) == (
        b'{"clientId":"press-7","id":"%b","mtime":"2026-07-01T08:00:00.123456Z","status":%b,'
        b'"stime":"2026-07-01T08:00:00.123456Z","tags":[],"workflow":%b}' % (JOB_ID.encode(), STATUS, WORKFLOW)
    )


def test_reply_to_creation_shows_tags_as_asked() -> None:
    """The reply to a creation repeats the tags of the request, and shows none if it had none."""
    job = new_job(ONE, tags=("b", "a", "b"))
    assert decode(job_json.job(job))["tags"] == ["a", "b"]
    assert decode(job_json.job(job, asked_tags=["b", "a", "b"]))["tags"] == ["b", "a", "b"]
    assert decode(job_json.job(job, asked_tags=[]))["tags"] == []
    assert "tags" not in decode(job_json.job(job, asked_tags=None))


@pytest.mark.parametrize("empty", [None, {}])
def test_empty_definition_is_not_shown(empty: dict[str, Any] | None) -> None:
    """A definition that was never set or is empty is absent from the job."""
    assert "definition" not in decode(job_json.job(new_job(definition=empty)))


def test_history_is_shown_with_its_job() -> None:
    """History entries come as given, with the former definition where a change replaced one."""
    entries = [
        HistoryEntry(STARTED, Json(b'{"state":"B"}'), Json(b'{"n":1}')),
        HistoryEntry(Timestamp(0), Json(b'{"state":"A"}'), None),
    ]
    before, behind = job_json.around_history(new_job())
    shown = decode(Json(before + b",".join(map(job_json.history_entry, entries)) + behind))
    assert list(shown) == sorted(shown)
    assert {name: value for name, value in shown.items() if name != "history"} == decode(job_json.job(new_job()))
    assert shown["history"] == [
        {"definition": {"n": 1}, "mtime": "2026-07-01T08:00:00.123456Z", "status": {"state": "B"}},
        {"mtime": "1970-01-01T00:00:00Z", "status": {"state": "A"}},
    ]


@given(texts, texts, st.none() | objects, st.lists(texts, max_size=4))
def test_job_shows_its_members(job_id: str, client_id: str, wanted: dict[str, Any] | None, names: list[str]) -> None:
    """Whatever a job holds, its text is one JSON object with exactly its members in alphabetical order."""
    draft = new_job(client_id=client_id, definition=wanted, tags=tuple(names))
    job = draft._replace(id=job_id)
    shown = decode(job_json.job(job))
    expected = {
        "clientId": client_id,
        "definition": wanted and normalise(wanted),
        "id": job_id,
        "mtime": "2026-07-01T08:00:00.123456Z",
        "status": decode(job.status),
        "stime": "2026-07-01T08:00:00.123456Z",
        "tags": sorted(set(names)),
        "workflow": decode(PRESS.encoded),
    }
    assert shown == {name: value for name, value in expected.items() if value or name in ("id", "tags")}
    assert list(shown) == sorted(shown)


def test_list_shows_its_place_only_if_asked() -> None:
    """A list has its content always and its pagination only if the total is known, with limit and offset as asked."""
    assert b"".join(job_json.around_page(Paging(), None)) == b'{"content":[]}'
    assert job_json.around_page(Paging(offset=-3, limit=0), 7) == (
        b'{"content":[', b'],"pagination":{"limit":0,"offset":-3,"total":7}}'
    )  # fmt: skip


SHOWN: dict[str, tuple[Action, Callable[[Job], Json], bytes]] = {
    "CREATE": (
        Action.CREATE,
        job_json.created,
        (
            b'"definition":{"n":1},"id":"%(id)b","mtime":"%(mtime)b","status":%(status)b,"stime":"%(mtime)b","tags":["a"],'
            b'"workflow":%(workflow)b'
        ),
    ),
    "UPDATE_STATUS": (
        Action.UPDATE_STATUS,
        lambda job: job_json.changed(job, Action.UPDATE_STATUS),
        b'"id":"%(id)b","mtime":"%(mtime)b","status":%(status)b,"workflow":{"name":"demo.flow"}',
    ),
    "UPDATE_DEFINITION": (
        Action.UPDATE_DEFINITION,
        lambda job: job_json.changed(job, Action.UPDATE_DEFINITION),
        (
            b'"definition":{"n":1},"id":"%(id)b","mtime":"%(mtime)b",'
            b'"status":{"definitionHash":"%(hash)b","state":""},"workflow":{"name":"demo.flow"}'
        ),
    ),
    "ADD_TAGS": (
        Action.ADD_TAGS,
        lambda job: job_json.changed(job, Action.ADD_TAGS),
        b'"id":"%(id)b","mtime":"%(mtime)b","tags":["a"],"workflow":{"name":"demo.flow"}',
    ),
    "DELETE_TAGS": (
        Action.DELETE_TAGS,
        lambda job: job_json.changed(job, Action.DELETE_TAGS),
        b'"id":"%(id)b","mtime":"%(mtime)b","tags":["a"],"workflow":{"name":"demo.flow"}',
    ),
    "DELETE": (Action.DELETE, job_json.deleted, b'"id":"%(id)b","workflow":{"name":"demo.flow"}'),
}


@pytest.mark.parametrize(("action", "payload", "members"), SHOWN.values(), ids=SHOWN)
def test_event_is_shown_byte_for_byte(action: Action, payload: Callable[[Job], Json], members: bytes) -> None:
    """Each kind of event shows the members that the contract gives it, and the workflow by its name."""
    job = new_job(ONE, definition={"n": 1}, tags=("a",))
    parts = {
        b"id": job.id.encode(),
        b"mtime": b"2026-07-01T08:00:00.123456Z",
        b"status": job.status,
        b"hash": job.definition_hash.encode(),
        b"workflow": WORKFLOW,
    }
    assert job_json.event(happened(job, action, payload(job))) == (
        b'{"ctime":"2026-07-01T08:00:00.124Z","action":"%b","job":{"clientId":"press-7",%b},"tags":null}'
        % (action.encode(), members % parts)
    )


def test_events_without_definition_or_tags() -> None:
    """What a job has not is absent from its events, an empty definition too; but emptied tags are shown."""
    job = new_job(ONE, definition={})
    assert set(decode(job_json.created(job))) == {"clientId", "id", "mtime", "status", "stime"}
    assert "definition" not in decode(job_json.changed(job, Action.UPDATE_DEFINITION))
    assert decode(job_json.changed(job, Action.DELETE_TAGS))["tags"] == []


def test_a_creation_shows_the_tags_that_were_asked_for() -> None:
    """The event of a creation has the tags as they were sent: in their order, an empty list, or none."""
    job = new_job(ONE, tags=("a", "b"))
    for asked in (b'["b","a","b"]', b"[]"):
        assert job_json.created(job, Json(asked)).endswith(b',"tags":%b}' % asked)
    assert b"tags" not in job_json.created(job, None)
    assert decode(job_json.created(job))["tags"] == ["a", "b"]


def test_labels_end_every_event() -> None:
    """A subscriber's labels come last and are the only part of an event that differs between subscribers."""
    event = happened(new_job(ONE), Action.DELETE, job_json.deleted(new_job(ONE)))
    head = job_json.event_head(event)
    assert job_json.event_tail(["x", "<y>"]) == b',"tags":["x","\\u003cy\\u003e"]}'
    assert job_json.event(event, ["x"]) == head + b',"tags":["x"]}'
    assert decode(Json(job_json.event(event, [])))["tags"] == []
