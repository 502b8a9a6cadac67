"""Requests that plugins let pass or rewrite do on the real service what they would do without, or what they became."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from conformance import conforming_client
from plugin_programs import ROOT, PluginDirectory
from rawhttp import Wire, request

from tests.acceptance.plugins.conftest import Guard, Start, client_of
from tests.acceptance.streams.following import Follower
from tests.acceptance.streams.writing import BASE, WORKFLOW, create_job, store_workflow
from wfx.demo.local import LocalService

LIMIT = 1_000_000


def example(plugins: PluginDirectory, name: str, source: str) -> None:
    """Install an example under a name that decides its place."""
    plugins.sdk(name, (ROOT / "plugins" / "examples" / source / f"{source}.py").read_text())


def recorder(plugins: PluginDirectory, seen: Path) -> None:
    """Install a plugin that notes each destination and the length of the body, and lets pass."""
    plugins.sdk("recorder", f"""
        seen = open({str(seen)!r}, "a", buffering=1)
        def note(request):
            print(request.destination, len(request.body), file=seen)
            return PASS
        run(note)
    """)  # fmt: skip


def test_cat_changes_nothing(guard: Guard, start: Start, engine: str) -> None:
    """/bin/cat on both sides: the life of a job is what it is without plugins, and each answer as documented."""
    guard.north.link("cat", "/bin/cat")
    guard.south.link("cat", "/bin/cat")
    service = start(engine)
    store_workflow(service)
    with conforming_client(service.north + BASE) as north, conforming_client(service.south + BASE) as south:
        new = {"clientId": "dev", "workflow": WORKFLOW, "tags": ["b", "a"], "definition": {"n": 1}}
        job = north.post("/jobs", json=new).raise_for_status().json()
        path = f"/jobs/{job['id']}"
        report = {"state": "INSTALLING", "clientId": "dev", "progress": 7}
        filtered = south.put(f"{path}/status", json=report, headers={"X-Response-Filter": ".progress"})
        assert (filtered.status_code, filtered.text) == (200, "7\n")
        assert north.post(f"{path}/tags", json=["c"]).json() == ["a", "b", "c"]
        assert south.get(path, params={"history": "true"}).json()["status"]["state"] == "INSTALLING"
        assert len(south.get("/jobs", params={"group": "OPEN"}).json()["content"]) == 1
        assert south.post("/jobs", json=new).status_code == 403
        assert north.delete(path).status_code == 204
        assert south.get(path).status_code == 404


async def test_a_stream_is_decided_once(guard: Guard, start: Start, engine: str, tmp_path: Path) -> None:
    """Row 48: an event stream visits plugins with its opening GET; its events do not, and all of them arrive."""
    recorder(guard.south, tmp_path / "seen")
    service = start(engine)
    store_workflow(service)
    follower = Follower(lambda: service.ports["south"], "since=0")
    ids = [await asyncio.to_thread(create_job, service, f"dev-{number}") for number in range(20)]
    await follower.has_events(20)
    assert [json.loads(data.removeprefix(b"data: "))["job"]["id"] for _, data in follower.events] == ids
    await follower.leave()
    assert (tmp_path / "seen").read_text() == "/api/wfx/v1/jobs/events?since=0 0\n"


def test_a_stream_is_denied(guard: Guard, start: Start, engine: str) -> None:
    """Row 48: a stream that is denied never begins."""
    guard.south.sdk("deny", "run(lambda request: Respond.deny('no stream'))")
    with client_of(start(engine).south) as client:
        answer = client.get(f"{BASE}/jobs/events?since=0", headers={"Accept": "text/event-stream"})
        assert (answer.status_code, answer.text) == (403, "no stream")


def job_of(size: int) -> bytes:
    """Write a job request of so many bytes."""
    start = json.dumps({"clientId": "dev", "workflow": WORKFLOW, "definition": {"filling": ""}}).encode()
    return start.replace(b'""', b'"' + b"x" * (size - len(start)) + b'"')


def test_bodies_up_to_the_limit(guard: Guard, start: Start, engine: str, tmp_path: Path) -> None:
    """Row 48: a body of exactly the limit passes two plugins, declared or in chunks; one byte more is never shown."""
    guard.north.link("cat", "/bin/cat")
    recorder(guard.north, tmp_path / "seen")
    service = start(engine, f"--max-body-size={LIMIT}")
    store_workflow(service)
    (tmp_path / "seen").write_text("")
    with client_of(service.north) as client:
        for size, status in ((LIMIT, 201), (LIMIT + 1, 413)):
            for body in (job_of(size), iter([job_of(size)[:1000], job_of(size)[1000:]])):
                headers = {"Content-Type": "application/json"}
                assert client.post(f"{BASE}/jobs", content=body, headers=headers).status_code == status
    assert (tmp_path / "seen").read_text() == f"{BASE}/jobs {LIMIT}\n" * 2


def status_of(service: LocalService, target: str) -> int:
    """Ask the device side for a target exactly as it is written."""
    with Wire(service.ports["south"]) as wire:
        wire.send(request("GET", target))
        return wire.answer().status


def test_modify_then_deny(guard: Guard, start: Start, engine: str) -> None:
    """Two plugins act in the order of their names: what the first rewrote is what the second denies."""
    example(guard.south, "10-rewrite", "rewrite")
    example(guard.south, "20-deny", "deny")
    service = start(engine)
    store_workflow(service)
    assert status_of(service, "/wfx/workflows") == 403
    assert status_of(service, "/wfx/jobs") == 200
    assert status_of(service, "/wfx/nothing") == 404


def test_deny_then_modify(guard: Guard, start: Start, engine: str) -> None:
    """In the other order the second rewrites what the first did not recognise, and the new path is routed."""
    example(guard.south, "10-deny", "deny")
    example(guard.south, "20-rewrite", "rewrite")
    service = start(engine)
    store_workflow(service)
    assert status_of(service, "/wfx/workflows") == 200
    assert status_of(service, f"{BASE}/workflows") == 403


def test_changes_take_effect(guard: Guard, start: Start, engine: str) -> None:
    """Destination, headers and body that a plugin rewrote are what the service routes, filters, checks and stores."""
    example(guard.north, "rewrite", "rewrite")
    service = start(engine, REWRITE_TAG="hall-7")
    store_workflow(service)
    with client_of(service.north) as client:
        job = client.post("/wfx/jobs?x=1", json={"clientId": "dev", "workflow": WORKFLOW, "tags": ["a"]})
        assert (job.status_code, job.json()["tags"]) == (201, ["a", "hall-7"])
        shown = client.get(f"/wfx/jobs/{job.json()['id']}")
        assert (shown.status_code, "workflow" in shown.json()) == (200, False)
        assert shown.headers["X-Response-Filter"] == "del(.workflow)"
        assert len(client.get(f"{BASE}/jobs?tag=hall-7").json()["content"]) == 1
        assert client.post("/wfx/jobs", content=b"[", headers={"Content-Type": "application/json"}).status_code == 400
