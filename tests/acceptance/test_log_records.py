"""The records that the service logs, at the levels that the contract gives them."""

from __future__ import annotations

import asyncio
import getpass
import json
import logging
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.events.listlog import ListLog
from tests.waiting import DEADLINE, eventually
from wfx.commandline.failures import EXIT_OK
from wfx.demo.local import LocalService
from wfx.domain.job import Action
from wfx.events.change_log import MOST_A_SECOND, ChangeLog
from wfx.store.sqlite.migrate import migrate, migrations

BASE = "/api/wfx/v1"
WORKFLOW = {
    "name": "flow",
    "states": [{"name": "NEW"}, {"name": "DONE"}],
    "transitions": [{"from": "NEW", "to": "NEW", "eligible": "WFX"}, {"from": "NEW", "to": "DONE", "eligible": "WFX"}],
}
ENGINES = ("uvicorn", "hypercorn")


def records(service: LocalService) -> list[dict[str, Any]]:
    """What was logged so far."""
    return [json.loads(line) for line in list(service.lines)]


def at(level: str, service: LocalService) -> list[str]:
    """The messages of a level."""
    return [record["message"] for record in records(service) if record["level"] == level]


def use(service: LocalService) -> str:
    """Do one of each thing; returns the id of a job."""
    with httpx.Client(base_url=service.north + BASE, headers={"X-Request-Id": "mine"}, trust_env=False) as client:
        client.post("/workflows", json=WORKFLOW).raise_for_status()
        new = {"workflow": "flow", "clientId": "press-7", "definition": {"artifact": "private"}}
        job: str = client.post("/jobs", json=new).raise_for_status().json()["id"]
        with client.stream("GET", "/jobs/events") as stream:
            status = {"state": "DONE", "message": "mail a@b.io", "progress": 40}
            client.put(f"/jobs/{job}/status", json=status).raise_for_status()
            next(stream.iter_lines())
        client.put(f"/jobs/{job}/definition", json={"artifact": "private"}).raise_for_status()
        client.post(f"/jobs/{job}/tags", json=["t"]).raise_for_status()
        client.request("DELETE", f"/jobs/{job}/tags", json=["t"]).raise_for_status()
        client.get("/jobs?clientId=press-7&tag=with%20blank").raise_for_status()
        client.delete(f"/jobs/{job}").raise_for_status()
        client.delete("/workflows/flow").raise_for_status()
    eventually(
        lambda: {"event stream ends", "workflow deleted"} <= set(at("info", service)),
        "the end of the stream and the last change have a record",
    )
    return job


def ran(folder: Path, *options: str) -> tuple[list[dict[str, Any]], str]:
    """Run a service, use it and stop it; returns its records and the id of the job."""
    with LocalService(folder, *options) as service:
        eventually(lambda: "store is up" in at("info", service), "it says that the store is up")
        job = use(service)
        assert service.stop() == EXIT_OK
    return records(service), job


@pytest.mark.parametrize("engine", ENGINES)
def test_info(engine: str, tmp_path: Path) -> None:
    """At level info there are the start, the storage, listeners, changes, event streams, and the steps of stopping."""
    logged, job = ran(tmp_path, f"--http-engine={engine}")
    assert {record["level"] for record in logged} == {"info"}
    messages = [record["message"] for record in logged]
    assert messages[:4] == ["wfx starts", "storage is open", "listening", "listening"]
    assert "store is up" in messages
    assert messages[-5:] == [
        "stopping",
        "event streams have ended",
        "listeners are closed",
        "storage is closed",
        "wfx stopped",
    ]
    first = logged[0]
    assert {"version", "commit"} <= set(first)
    assert first["user"] == getpass.getuser()
    assert [(each["side"], each["scheme"], each["tls"]) for each in logged[2:4]] == [
        ("south", "http", False), ("north", "http", False),
    ]  # fmt: skip
    changes = [record for record in logged if "event" in record]
    assert [change["message"] for change in changes] == [
        "workflow created", "job created", "job status updated", "job definition updated", "job tags added",
        "job tags deleted", "job deleted", "workflow deleted",
    ]  # fmt: skip
    assert {(change["reqID"], change["side"], change["workflow"]) for change in changes} == {("mine", "north", "flow")}
    assert {(change["jobId"], change["clientId"]) for change in changes[1:-1]} == {(job, "press-7")}
    update = changes[2]
    assert (update["from"], update["state"], update["progress"]) == ("NEW", "DONE", 40)
    assert update["statusMessage"] == "mail [REDACTED:email]"
    begins, ends = (record for record in logged if record["message"].startswith("event stream "))
    assert (begins["reqID"], begins["subscribers"], ends["subscribers"]) == ("mine", 1, 0)


def test_migration(tmp_path: Path) -> None:
    """A database of an older release is migrated, and the log says so, once."""
    steps = migrations()
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as connection:
        migrate(connection, steps[:-1], 0)
    told = []
    for _ in range(2):
        with LocalService(tmp_path) as service:
            assert service.stop() == EXIT_OK
        told += [record for record in records(service) if record["message"] == "database migrated"]
    assert [(record["from"], record["to"]) for record in told] == [(steps[-2].number, steps[-1].number)]


@pytest.mark.parametrize("engine", ENGINES)
def test_debug(engine: str, tmp_path: Path) -> None:
    """At level debug each request has two records with its id; the time that it took is in milliseconds."""
    logged, _ = ran(tmp_path, f"--http-engine={engine}", "--log-level=debug")
    assert sum("Setting up persistent storage" in record["message"] for record in logged) == 1
    requests = [record for record in logged if record["message"] in ("processing", "finished")]
    assert {record["reqID"] for record in requests} == {"mine"}
    begun = [record for record in requests if record["message"] == "processing"]
    done = [record for record in requests if record["message"] == "finished"]
    assert len(begun) == len(done) == 10
    common = {"level", "time", "caller", "message", "reqID", "remoteAddr", "method", "path", "host", "tls"}
    assert {frozenset(record) for record in begun} == {frozenset(common)}
    assert {frozenset(record) for record in done} == {frozenset(common | {"code", "duration"})}
    assert [record["code"] for record in done if record["method"] == "POST"] == [201, 201, 200]
    assert all(isinstance(record["duration"], float) for record in done)
    assert "private" not in json.dumps(logged)


@pytest.mark.parametrize("engine", ENGINES)
def test_trace(engine: str, tmp_path: Path) -> None:
    """At level trace there are bodies and query strings too, without definitions."""
    logged, job = ran(tmp_path, f"--http-engine={engine}", "--log-level=trace")
    queries = [record["query"] for record in logged if "query" in record]
    assert queries == ["clientId=press-7&tag=with blank"]
    traced = [record for record in logged if record["level"] == "trace"]
    assert {record["reqID"] for record in traced} == {"mine"}
    bodies = [record["body"] for record in traced if record["message"] == "request body"]
    assert json.loads(bodies[1]) == {"workflow": "flow", "clientId": "press-7", "definition": "[REDACTED:definition]"}
    assert "[REDACTED:definition]" in bodies[2:], "the body that is one"
    answers = [record["body"] for record in traced if record["message"] == "response body"]
    assert json.loads(answers[1])["id"] == job
    assert "private" not in json.dumps(logged)


def test_large_bodies(tmp_path: Path) -> None:
    """Of a body of more than 16 KiB, and of one that is no JSON, the length is logged alone."""
    with LocalService(tmp_path, "--log-level=trace") as service:
        for content in (b'{"x": "' + b"y" * 20_000 + b'"}', b"{secret"):
            kind = {"Content-Type": "application/json"}
            httpx.post(f"{service.north}{BASE}/jobs", content=content, headers=kind, trust_env=False)
        service.stop()
    bodies = [record["body"] for record in records(service) if record["message"] == "request body"]
    assert bodies == ["(20009 bytes, not shown)", "(7 bytes, not shown)"]


def test_pretty(tmp_path: Path) -> None:
    """The form for people has time, level, caller, message and fields, and says nothing of TLS where there is none."""
    command = [sys.executable, "-m", "wfx", "--log-format=pretty", "--client-host=127.0.0.1", "--client-port=0",
               "--mgmt-port=0", "--storage-opt=:memory:"]  # fmt: skip
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGTERM)
        lines += process.stdout.read().splitlines(keepends=True)
    assert process.returncode == EXIT_OK
    form = re.compile(
        r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d INF [a-z_]+\.py:\d+ > [a-z ]+( [a-z]+=\S+| [a-z]+=\"[^\"]+\")*\n"
    )
    assert [line for line in lines if not form.fullmatch(line)] == []
    listening = [line.partition(" > ")[2] for line in lines if "listening" in line]
    assert [re.sub(r":\d+ ", ":N ", line) for line in listening] == [
        "listening side=south addr=127.0.0.1:N scheme=http\n", "listening side=north addr=127.0.0.1:N scheme=http\n",
    ]  # fmt: skip


async def test_many_changes(caplog: pytest.LogCaptureFixture) -> None:
    """Of many changes in a second some have a record each, and one record counts the others."""
    log, changes = ListLog(), ChangeLog()
    many = [("job", "client", "flow-a", Action.ADD_TAGS)] * (MOST_A_SECOND + 50)
    with caplog.at_level(logging.INFO, "wfx.events.change_log"):
        changes.note(log.commit(*many))
        changes.note(log.commit(*many[:7]))
        assert caplog.records == [], "they gather first"
        async with asyncio.timeout(DEADLINE):
            while not caplog.records:  # noqa: ASYNC110 - what is waited for has no event to tell it
                await asyncio.sleep(0.01)
        assert [record.getMessage() for record in caplog.records] == ["job tags added"] * MOST_A_SECOND
        changes.close()
        assert caplog.records[-1].__dict__["fields"] == {"count": 57}
        caplog.clear()
        changes.note(log.commit(*many[:1]))
        log.commit(*many[:5])
        changes.note(log.commit(*many[:1]))
        changes.close()
    assert [record.__dict__["fields"].get("count") for record in caplog.records] == [None, None, 5], (
        "those not seen too"
    )


async def test_all_changes(caplog: pytest.LogCaptureFixture) -> None:
    """At level debug all changes have records; at warn none has, and nothing is counted."""
    log, changes = ListLog(), ChangeLog()
    many = [("job", "client", "flow-a", Action.ADD_TAGS)] * (MOST_A_SECOND * 2)
    with caplog.at_level(logging.DEBUG, "wfx.events.change_log"):
        changes.note(log.commit(*many))
        assert len(caplog.records) == len(many)
        changes.close()
    assert len(caplog.records) == len(many)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "wfx.events.change_log"):
        changes.note(log.commit(*many))
        changes.close()
    assert caplog.records == []
