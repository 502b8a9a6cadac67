"""Jobs over HTTP: creation, reading, status, definition, tags, history, deletion (rest-api sections 4, 5, 9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

Name = Callable[[str], str]
EMPTY_HASH = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of a JSON refusal."""
    error = answer.json()["errors"][0]
    return answer.status_code, error["code"], error["message"]


def put(client: httpx.Client, job: dict[str, Any], **status: object) -> httpx.Response:
    """Update a job's status."""
    return client.put(f"/jobs/{job['id']}/status", json=status)


class TestCreation:
    """POST /jobs."""

    def test_reply(self, job: dict[str, Any], workflow: dict[str, Any]) -> None:
        """A new job has an id, equal times, the settled initial state, a hash, and the tags as they were sent."""
        assert UUID4.fullmatch(job["id"])
        assert job["stime"] == job["mtime"]
        assert abs(datetime.fromisoformat(job["stime"]) - datetime.now(UTC)) < timedelta(minutes=1)
        assert job["status"] == {
            "clientId": job["clientId"], "definitionHash": job["status"]["definitionHash"], "state": "INSTALL"
        }  # fmt: skip
        assert job["tags"] == ["b", "a"]
        assert job["definition"] == {"n": 1}
        assert job["workflow"] == workflow
        assert "history" not in job

    def test_read_back(self, job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
        """Both sides show the job as created, with its tags sorted."""
        for client in (north, south):
            assert client.get(f"/jobs/{job['id']}").json() == {**job, "tags": ["a", "b"]}

    def test_least(self, north: httpx.Client, workflow: dict[str, Any]) -> None:
        """Without tags and definition, the reply has neither, later reads show an empty list and a null."""
        created = north.post("/jobs", json={"clientId": "c", "workflow": workflow["name"]})
        assert created.status_code == 201
        assert not {"tags", "definition"} & created.json().keys()
        assert created.json()["status"]["definitionHash"] == EMPTY_HASH
        path = f"/jobs/{created.json()['id']}"
        assert north.get(path).json()["tags"] == []
        assert north.get(f"{path}/definition").text == "null\n"

    def test_tags_in_the_event(self, north: httpx.Client, workflow: dict[str, Any], unique: Name) -> None:
        """The event of a creation shows the tags as the reply does: in the order in which they were sent."""
        client = unique("ordered")
        for tags in (["b", "a"], []):
            job = {"clientId": client, "workflow": workflow["name"], "tags": tags}
            assert north.post("/jobs", json=job).json()["tags"] == tags
        asked = {"since": 0, "clientIds": client}
        page = north.get("/jobs/events", params=asked, headers={"Accept": "application/json"})
        assert [entry["event"]["job"]["tags"] for entry in page.json()["content"]] == [["b", "a"], []]

    def test_progress_of_minus_zero(self, south: httpx.Client, job: dict[str, Any]) -> None:
        """The literal -0 is a whole number, and no progress; -0.0 is none."""
        status, content = f"/jobs/{job['id']}/status", {"Content-Type": "application/json"}
        for text, code in (("-0", 200), (" -0 ", 200), ("-0.0", 400), ("-0e1", 400)):
            body = f'{{"state":"INSTALLING","progress":{text}}}'
            answer = south.put(status, content=body, headers=content)
            assert answer.status_code == code
        assert south.get(status).json()["progress"] == 0
        assert '"progress":0,' in south.get(status).text

    def test_an_empty_list_of_tags(self, north: httpx.Client, workflow: dict[str, Any]) -> None:
        """The reply shows an empty list of tags where one was sent."""
        created = north.post("/jobs", json={"clientId": "c", "workflow": workflow["name"], "tags": []})
        assert created.json()["tags"] == []

    def test_immediate_chase(self, north: httpx.Client, unique: Name) -> None:
        """A job starts behind the immediate transitions of its initial state."""
        name = unique("chase")
        hops = [{"from": a, "to": b, "eligible": "WFX", "action": "IMMEDIATE"} for a, b in ("AB", "BC")]
        states = [{"name": n} for n in "ABC"]
        north.post("/workflows", json={"name": name, "states": states, "transitions": hops})
        assert north.post("/jobs", json={"clientId": "c", "workflow": name}).json()["status"]["state"] == "C"

    def test_unknown_workflow(self, north: httpx.Client) -> None:
        """An unknown workflow is a 400 that names it."""
        refused = north.post("/jobs", json={"clientId": "c", "workflow": "nope"})
        assert error_of(refused) == (400, "wfx.workflowNotFound", "workflow nope does not exist")

    def test_duplicate_tags(self, north: httpx.Client, workflow: dict[str, Any], unique: Name) -> None:
        """A tag given twice is kept once."""
        tag = unique("tag")
        request = {"clientId": "c", "workflow": workflow["name"], "tags": [tag, tag, ""]}
        created = north.post("/jobs", json=request)
        assert created.status_code == 201
        assert north.get(f"/jobs/{created.json()['id']}/tags").json() == ["", tag]

    def test_read_only_members_are_ignored(self, north: httpx.Client, workflow: dict[str, Any]) -> None:
        """An id or time that the caller sends does not count."""
        request = {"clientId": "c", "workflow": workflow["name"], "unknown": 1}
        created = north.post("/jobs", json=request).json()
        assert "unknown" not in created

    @pytest.mark.parametrize(("member", "value"), [
        ("clientId", ""), ("clientId", None), ("clientId", 5), ("workflow", ""), ("workflow", None), ("tags", None),
        ("tags", "a"), ("tags", [1]), ("tags", ["x"] * 17), ("definition", None), ("definition", []),
        ("definition", "text"), ("clientId", "a\x00b"), ("tags", ["a\x00b"]),
    ])  # fmt: skip
    def test_syntax(self, north: httpx.Client, workflow: dict[str, Any], member: str, value: object) -> None:
        """What breaks the schema is a text 400 that names the member."""
        refused = north.post("/jobs", json={"clientId": "c", "workflow": workflow["name"], member: value})
        assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert f"/{member}" in refused.text

    @pytest.mark.parametrize("missing", ["clientId", "workflow"])
    def test_required(self, north: httpx.Client, missing: str) -> None:
        """A missing member is named."""
        request = {"clientId": "c", "workflow": "w"}
        del request[missing]
        refused = north.post("/jobs", json=request)
        assert refused.status_code == 400
        assert missing in refused.text

    def test_names_match_exactly(self, north: httpx.Client, workflow: dict[str, Any]) -> None:
        """A member in other case is an unknown member, so it cannot slip past the checks."""
        request = {"clientId": "right", "CLIENTID": "wrong", "workflow": workflow["name"]}
        assert north.post("/jobs", json=request).json()["clientId"] == "right"


class TestStatus:
    """GET and PUT /jobs/{id}/status."""

    def test_replaces_wholly(self, job: dict[str, Any], south: httpx.Client) -> None:
        """A status replaces the former one: what is not sent is gone, zero and empty are kept, the hash stays."""
        full = {"state": "INSTALLING", "clientId": "other", "progress": 0, "message": "m", "context": {}}
        first = put(south, job, **full)
        assert (first.status_code, first.json()) == (200, {**full, "definitionHash": job["status"]["definitionHash"]})
        second = put(south, job, state="INSTALLING").json()
        assert second == {"state": "INSTALLING", "definitionHash": job["status"]["definitionHash"]}
        assert south.get(f"/jobs/{job['id']}/status").json() == second

    def test_chase_drops_what_was_sent(self, job: dict[str, Any], south: httpx.Client) -> None:
        """Where an immediate transition follows, only the final state is left."""
        put(south, job, state="INSTALLING")
        done = put(south, job, state="INSTALLED", clientId="c", progress=100, message="done", context={"a": 1})
        assert done.json() == {"state": "ACTIVATE", "definitionHash": job["status"]["definitionHash"]}

    def test_no_such_transition(self, job: dict[str, Any], south: httpx.Client) -> None:
        """An edge that does not exist is refused with both states named; nothing changes."""
        refused = put(south, job, state="NOWHERE")
        message = "transition from 'INSTALL' to 'NOWHERE' does not exist"
        assert error_of(refused) == (400, "wfx.invalidRequest", message)
        assert south.get(f"/jobs/{job['id']}").json()["mtime"] == job["mtime"]

    def test_other_actor(self, job: dict[str, Any], north: httpx.Client) -> None:
        """An edge of the other side is refused with the actor named."""
        refused = put(north, job, state="INSTALLING")
        message = "transition from 'INSTALL' to 'INSTALLING' is not allowed for actor 'WFX'"
        assert error_of(refused) == (400, "wfx.invalidRequest", message)

    def test_same_state_is_free(self, job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
        """Both actors may repeat the present state, also a final one."""
        for state in ("INSTALL", "TERMINATED"):
            assert put(south, job, state=state).status_code == 200
            assert put(north, job, state=state, message="seen").json()["message"] == "seen"

    def test_mtime_rises(self, job: dict[str, Any], south: httpx.Client) -> None:
        """Each update gives the job a later modification time and leaves its creation time alone."""
        seen = [job["mtime"]]
        for _ in range(5):
            put(south, job, state="INSTALLING")
            shown = south.get(f"/jobs/{job['id']}").json()
            assert shown["stime"] == job["stime"]
            seen.append(shown["mtime"])
        moments = [datetime.fromisoformat(moment) for moment in seen]
        assert all(earlier < later for earlier, later in pairwise(moments))

    def test_unknown_job(self, north: httpx.Client, south: httpx.Client) -> None:
        """An unknown job is not found."""
        assert error_of(put(south, {"id": "x"}, state="S")) == (404, "wfx.jobNotFound", "Job ID was not found")
        assert error_of(north.get("/jobs/x/status"))[:2] == (404, "wfx.jobNotFound")

    @pytest.mark.parametrize(("member", "value"), [
        ("state", ""), ("state", None), ("state", 1), ("progress", 101), ("progress", 1.0), ("progress", "1"),
        ("progress", -(2**31) - 1), ("progress", None), ("message", "x" * 1025), ("message", None), ("context", None),
        ("context", []), ("clientId", None), ("definitionHash", ""), ("definitionHash", "ab"),
    ])  # fmt: skip
    def test_syntax(self, job: dict[str, Any], south: httpx.Client, member: str, value: object) -> None:
        """What breaks the schema is a text 400 that names the member; nothing changes."""
        refused = south.put(f"/jobs/{job['id']}/status", json={"state": "INSTALLING", member: value})
        assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert member in refused.text
        assert south.get(f"/jobs/{job['id']}/status").json()["state"] == "INSTALL"

    @pytest.mark.parametrize(("member", "value"), [
        ("progress", 100), ("progress", -5), ("message", "ä" * 1024), ("context", {"deep": [None, {"x": 1.5}]}),
        ("clientId", "somebody else"),
    ])  # fmt: skip
    def test_limits(self, job: dict[str, Any], south: httpx.Client, member: str, value: object) -> None:
        """Values at the limits are kept as they are."""
        assert put(south, job, state="INSTALLING", **{member: value}).json()[member] == value


class TestDefinition:
    """GET and PUT /jobs/{id}/definition, and the hash (section 7)."""

    VECTORS = (
        ({}, EMPTY_HASH),
        ({"a": None}, "780ff67f3fb3b387c039a77052e5d7e350c00c5730fa764cef33ee9a93b1e1c0"),
        ({"a": []}, "7ebfb93509a6a6540128a7bd0496879dc7a3287e500b005c01a0188e8d7d9fb7"),
        ({"a": {}}, "7ebfb93509a6a6540128a7bd0496879dc7a3287e500b005c01a0188e8d7d9fb7"),
    )

    @pytest.mark.parametrize(("definition", "digest"), VECTORS)
    @pytest.mark.parametrize("side", ["north", "south"])
    def test_replace(
        self, request: pytest.FixtureRequest, job: dict[str, Any], side: str, definition: dict[str, Any], digest: str
    ) -> None:
        """Either side may replace the definition; the answer is the definition, the status gets its hash."""
        client: httpx.Client = request.getfixturevalue(side)
        replaced = client.put(f"/jobs/{job['id']}/definition", json=definition)
        assert (replaced.status_code, replaced.json()) == (200, definition)
        assert client.get(f"/jobs/{job['id']}/definition").json() == definition
        shown = client.get(f"/jobs/{job['id']}").json()
        assert shown["status"] == {**job["status"], "definitionHash": digest}
        assert shown.get("definition", {}) == definition

    def test_numbers(self, job: dict[str, Any], south: httpx.Client) -> None:
        """Numbers are doubles, minus zero included, and the hash counts them so."""
        text = '{"b":[1,-0,2.5,1e21,null,true,false,[]],"a b":"x\\"y","a":{"k":10}}'
        path = f"/jobs/{job['id']}"
        south.put(f"{path}/definition", content=text, headers={"Content-Type": "application/json"})
        digest = south.get(f"{path}/status").json()["definitionHash"]
        assert digest == "c5a3552d00970547e51cb14fb24ab59e40d9f20d99e19d19cd2560affa58057c"

    @pytest.mark.parametrize("body", ["[]", "null", '"x"', "1", "true", ""])
    def test_syntax(self, job: dict[str, Any], south: httpx.Client, body: str) -> None:
        """A definition is an object."""
        headers = {"Content-Type": "application/json"}
        refused = south.put(f"/jobs/{job['id']}/definition", content=body, headers=headers)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")

    def test_unknown_job(self, south: httpx.Client) -> None:
        """An unknown job is not found."""
        assert error_of(south.put("/jobs/x/definition", json={}))[:2] == (404, "wfx.jobNotFound")
        assert error_of(south.get("/jobs/x/definition"))[:2] == (404, "wfx.jobNotFound")


class TestTags:
    """GET, POST and DELETE /jobs/{id}/tags."""

    def test_union_and_difference(self, job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
        """Adding is a union, deleting a difference; the answer is the sorted result."""
        path = f"/jobs/{job['id']}/tags"
        assert north.post(path, json=["c", "a", "c"]).json() == ["a", "b", "c"]
        assert north.request("DELETE", path, json=["a", "unknown"]).json() == ["b", "c"]
        assert south.get(path).json() == ["b", "c"]
        assert north.request("DELETE", path, json=["b", "c"]).json() == []

    def test_beyond_sixteen(self, job: dict[str, Any], north: httpx.Client) -> None:
        """A job may come to have more than 16 tags."""
        many = [f"t{n:02}" for n in range(40)]
        assert north.post(f"/jobs/{job['id']}/tags", json=many).json() == sorted(["a", "b", *many])

    def test_beyond_the_limit(self, job: dict[str, Any], north: httpx.Client) -> None:
        """Row 61: a job may have 1,024 tags; more are refused with the reason, and none of them is added."""
        path = f"/jobs/{job['id']}/tags"
        assert len(north.post(path, json=[f"t{n:04}" for n in range(1022)]).json()) == 1024
        refused = error_of(north.post(path, json=["one more"]))
        assert refused[:2] == (400, "wfx.invalidRequest")
        assert "at most 1,024 tags" in refused[2]
        assert len(north.get(path).json()) == 1024
        request = {"clientId": "c", "workflow": job["workflow"]["name"], "tags": ["x" * 140_000]}
        assert error_of(north.post("/jobs", json=request))[:2] == (400, "wfx.invalidRequest")

    def test_odd_tags(self, job: dict[str, Any], north: httpx.Client) -> None:
        """Tags are kept as they are: no trimming, no folding, the empty string is one."""
        odd = ["", " a", "A", "ä", "\N{FIRE}", "a,b"]
        sent = north.post(f"/jobs/{job['id']}/tags", json=odd).json()
        assert sent == sorted([*odd, "a", "b"], key=str.encode)

    def test_every_call_counts(self, job: dict[str, Any], north: httpx.Client) -> None:
        """A call that changes nothing still moves mtime and writes history."""
        north.post(f"/jobs/{job['id']}/tags", json=["a"])
        shown = north.get(f"/jobs/{job['id']}", params={"history": "true"}).json()
        assert shown["mtime"] != job["mtime"]
        assert len(shown["history"]) == 1

    @pytest.mark.parametrize("body", [[], {}, [1], [None], "a", ["a\x00"]])
    @pytest.mark.parametrize("method", ["POST", "DELETE"])
    def test_syntax(self, job: dict[str, Any], north: httpx.Client, method: str, body: object) -> None:
        """Tags are a list of at least one string."""
        refused = north.request(method, f"/jobs/{job['id']}/tags", json=body)
        assert (refused.status_code, refused.headers["content-type"]) == (400, "text/plain; charset=utf-8")

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    def test_unknown_job(self, north: httpx.Client, method: str) -> None:
        """An unknown job is not found."""
        body = None if method == "GET" else ["a"]
        assert error_of(north.request(method, "/jobs/x/tags", json=body))[:2] == (404, "wfx.jobNotFound")


class TestHistory:
    """GET /jobs/{id}?history=true (sections 6.3 and 9.6)."""

    def test_former_values(self, job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
        """Each change leaves what was before it, newest first, each entry with a status that has a state."""
        put(south, job, state="INSTALLING", progress=10)
        south.put(f"/jobs/{job['id']}/definition", json={"n": 2})
        north.post(f"/jobs/{job['id']}/tags", json=["c"])
        history = south.get(f"/jobs/{job['id']}", params={"history": "True"}).json()["history"]
        first_hash = job["status"]["definitionHash"]
        assert [entry["status"]["state"] for entry in history] == ["INSTALLING", "INSTALLING", "INSTALL"]
        assert history[2] == {"mtime": job["mtime"], "status": job["status"]}
        assert history[1]["status"] == {"state": "INSTALLING", "progress": 10, "definitionHash": first_hash}
        assert history[1]["definition"] == {"n": 1}, "what the definition was before it was replaced"
        assert history[0]["status"]["definitionHash"] != first_hash
        moments = [datetime.fromisoformat(entry["mtime"]) for entry in history]
        assert moments == sorted(moments, reverse=True)

    def test_only_when_asked(self, job: dict[str, Any], south: httpx.Client) -> None:
        """History is absent unless asked for, and while there is none."""
        assert "history" not in south.get(f"/jobs/{job['id']}", params={"history": "true"}).json()
        put(south, job, state="INSTALLING")
        for spelling in ("0", "f", "F", "FALSE", "false", "False"):
            assert "history" not in south.get(f"/jobs/{job['id']}", params={"history": spelling}).json()
        for spelling in ("1", "t", "T", "TRUE", "true", "True"):
            assert "history" in south.get(f"/jobs/{job['id']}", params={"history": spelling}).json()


class TestDeletion:
    """DELETE /jobs/{id}."""

    def test_gone(self, job: dict[str, Any], north: httpx.Client, south: httpx.Client) -> None:
        """A deleted job is gone; deleting it again finds an empty object."""
        put(south, job, state="INSTALLING")
        deleted = north.delete(f"/jobs/{job['id']}")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert north.get(f"/jobs/{job['id']}").status_code == 404
        again = north.delete(f"/jobs/{job['id']}")
        assert (again.status_code, again.json()) == (404, {})
        assert again.headers["content-type"] == "application/json"


class TestSides:
    """What devices may not do (section 5)."""

    @pytest.mark.parametrize(("method", "path", "body"), [
        ("POST", "/workflows", {"name": "n", "states": [{"name": "S"}], "transitions": []}),
        ("DELETE", "/workflows/any", None),
        ("POST", "/jobs", {"clientId": "c", "workflow": "w"}),
        ("DELETE", "/jobs/any", None),
        ("POST", "/jobs/any/tags", ["t"]),
        ("DELETE", "/jobs/any/tags", ["t"]),
    ])  # fmt: skip
    def test_forbidden(self, south: httpx.Client, method: str, path: str, body: object) -> None:
        """Southbound, management is refused with an empty 403, whether the thing exists or not."""
        answer = south.request(method, path, json=body)
        assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (403, b"", None)

    @pytest.mark.parametrize(("path", "body"), [("/workflows", {}), ("/jobs", {"clientId": ""}), ("/jobs/x/tags", [])])
    def test_validation_comes_first(self, south: httpx.Client, path: str, body: object) -> None:
        """A request that breaks the schema is a 400 even where it would be forbidden."""
        assert south.post(path, json=body).status_code == 400
