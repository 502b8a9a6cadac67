"""Plugins that observe are told of every answer, and change and hold up none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plugin_programs import ROOT, PluginDirectory

from tests.acceptance.plugins.conftest import Guard, Start, client_of, exit_status, last_word
from tests.acceptance.streams.writing import BASE, create_job, store_workflow
from tests.waiting import eventually

AUDIT = ROOT / "plugins" / "examples" / "audit" / "observe" / "audit.py"
TELLS = """
import json
def observe(request, answer):
    with open({out!r}, "a") as file:
        print(json.dumps(dict(
            destination=request.destination, request=request.body.decode("latin-1"), size=answer.request_size,
            status=answer.status, headers=answer.headers, body=answer.body.decode("latin-1"), sent=answer.size,
            complete=answer.complete, side=request.origin.side.name, peer=request.origin.peer,
            id=request.origin.request_id, lost=answer.lost,
        )), file=file)
run_observer(observe)
"""


def observers(directory: PluginDirectory) -> PluginDirectory:
    """Make the directory of plugins that observe."""
    (directory.path / "observe").mkdir(mode=0o755)
    return PluginDirectory(directory.path / "observe")


def lines(path: Path) -> list[dict[str, Any]]:
    """Read the lines of JSON that are complete."""
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def test_all_refusals_are_recorded(guard: Guard, start: Start, tmp_path: Path, engine: str) -> None:
    """The audit example records what wfx answers, and what rate limit, body limit, host check and a plugin refuse."""
    guard.south.sdk("guard", """
        def decide(request):
            return Respond.deny("no") if request.path == "/denied" else PASS
        run(decide)
    """)  # fmt: skip
    observers(guard.south).sdk("audit", AUDIT.read_text())
    service = start(
        engine, "--max-body-size=1000", "--rate-limit-enabled", "--rate-limit-sides=south", "--ip-rate-limit=6",
        "--ip-window-minutes=600", AUDIT_FILE=str(tmp_path / "audit.jsonl"),
    )  # fmt: skip
    sent = [
        ("GET", f"{BASE}/jobs", b"", {}), ("GET", "/unknown", b"", {}), ("DELETE", "/denied", b"", {}),
        ("PUT", f"{BASE}/jobs/x/status", b"{}", {}), ("PUT", f"{BASE}/jobs/x/status", b"x" * 2000, {}),
        ("GET", f"{BASE}/jobs?limit=none", b"", {}), ("GET", f"{BASE}/jobs", b"", {}),
        ("GET", f"{BASE}/jobs", b"", {"Host": "evil.example", "Origin": "http://evil.example"}),
    ]  # fmt: skip
    with client_of(service.south) as client:
        answers = [
            client.request(method, path, content=body or None, headers={"X-Request-Id": f"r-{number}"} | headers)
            for number, (method, path, body, headers) in enumerate(sent)
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 403, 400, 413, 400, 429, 421]
    assert service.stop() == 0
    records = {record["requestId"]: record for record in lines(tmp_path / "audit.jsonl")}
    found = [records[f"r-{number}"] for number in range(len(sent))]
    assert [record["status"] for record in found] == [answer.status_code for answer in answers]
    assert [(record["method"], record["destination"]) for record in found] == [each[:2] for each in sent]
    assert [record["sent"] for record in found] == [len(answer.content) for answer in answers]
    assert [record["answeredBy"] for record in found] == [None, None, "guard", None, None, None, None, None]
    assert found[0]["operation"] == "GetJobs"
    assert {record["side"] for record in found} == {"south"}
    assert all(record["peer"].startswith("127.0.0.1:") for record in found)


def test_what_an_observer_is_shown(guard: Guard, start: Start, tmp_path: Path, engine: str) -> None:
    """It is shown request and answer, of their bodies the beginning and the size; a stream when it begins."""
    out = tmp_path / "told.jsonl"
    observers(guard.north).sdk("tells", TELLS.format(out=str(out)))
    service = start(engine)
    store_workflow(service)
    job = create_job(service, "dev")
    path = f"{BASE}/jobs/{job}/definition"
    with client_of(service.north) as client:
        long = json.dumps({"a": "x" * 200_000})
        answer = client.put(path, content=long, headers={"Content-Type": "application/json"})
        head = client.head(path)
        with client.stream("GET", f"{BASE}/jobs/events?since=now") as stream:
            assert stream.status_code == 200
            eventually(lambda: any("events" in each["destination"] for each in lines(out)), "the stream is told of")
    assert service.stop() == 0
    put, headed = (each for each in lines(out) if each["destination"] == path)
    assert (put["request"], put["size"]) == (long[:65_536], len(long))
    assert (put["status"], put["body"], put["sent"]) == (200, answer.text[:65_536], len(answer.content))
    assert put["complete"]
    assert put["headers"]["Content-Type"] == ["application/json"]
    assert put["side"] == "NORTH"
    assert (headed["status"], headed["body"], headed["sent"]) == (head.status_code, "", 0)
    (events,) = (each for each in lines(out) if "events" in each["destination"])
    assert (events["status"], events["complete"], events["body"]) == (200, False, "")
    assert len({each["id"] for each in lines(out)}) == len(lines(out))
    assert {each["lost"] for each in lines(out)} == {0}


def test_an_observer_that_does_not_read(guard: Guard, start: Start) -> None:
    """Requests are answered although an observer reads nothing; what is dropped is counted, and logged once."""
    observers(guard.north).script("stuck", "time.sleep(600)")
    service = start()
    with client_of(service.north) as client:
        for _ in range(60):
            assert client.get("/version", headers={"X-Pad": "x" * 500_000}).status_code == 200
        told = client.get("/metrics").text
    (dropped,) = (line for line in told.splitlines() if line.startswith("wfx_plugin_observations_dropped_total{"))
    (kept,) = (line for line in told.splitlines() if line.startswith("wfx_plugin_observations_total{"))
    assert 'plugin="observe/stuck",side="north"' in dropped
    assert float(dropped.split()[1]) + float(kept.split()[1]) == 60
    assert 20 < float(dropped.split()[1]) < 40
    service.stop()
    assert len([line for line in service.lines if "does not read fast enough" in line]) == 1


def test_an_observer_that_catches_up(guard: Guard, start: Start, tmp_path: Path) -> None:
    """An observer that reads late is told of all that waited, also while the service stops, and how many it misses."""
    out, go = tmp_path / "told.jsonl", tmp_path / "go"
    source = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
    observers(guard.north).sdk("late", source + TELLS.format(out=str(out)))
    service = start()
    with client_of(service.north) as client:
        for _ in range(60):
            client.get("/version", headers={"X-Pad": "x" * 500_000})
        go.touch()
        eventually(lambda: bool(lines(out)), "it reads")
        eventually(lambda: client.get("/version").status_code == 200 and any(x["lost"] for x in lines(out)), "it lags")
    assert service.stop() == 0
    told = lines(out)
    assert sum(each["lost"] for each in told) > 20
    assert "does not read fast enough" in "".join(service.lines)


@pytest.mark.parametrize(("source", "reason"), [
    ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("frame(); raise ValueError('while it reads')", "ValueError: while it reads"),
])  # fmt: skip
def test_an_observer_is_lost(guard: Guard, start: Start, source: str, reason: str) -> None:
    """When an observer ends, the service stops with 1, and an error record has its last lines at the default level."""
    observers(guard.north).script("brief", source)
    service = start()
    try:
        with client_of(service.north) as client:
            client.get("/version")
    except Exception:  # noqa: BLE001 - it may have stopped already
        assert "no_such_module" in source
    assert exit_status(service) == 1
    (record,) = (json.loads(line) for line in service.lines if '"error"' in line and line.startswith("{"))
    assert record["plugin"] == "observe/brief"
    assert record["stderr"].splitlines()[-1] == reason
    assert last_word(service).startswith("Error: plugin observe/brief stopped unexpectedly with exit status 1")


@pytest.mark.parametrize("case", ["raises", "does not start"])
def test_last_lines_at_the_default_level(guard: Guard, start: Start, case: str) -> None:
    """A plugin that raises, or ends as it starts, leaves its last lines in an error record at the default level."""
    broken = "import no_such_module\n" if case == "does not start" else ""
    guard.south.sdk("faulty", broken + "def decide(request):\n    raise KeyError('the reason')\nrun(decide)")
    service = start()
    try:
        with client_of(service.south) as client:
            assert client.get("/version").status_code == 503
    except Exception:  # noqa: BLE001 - it may have stopped already
        assert broken
    if not broken:
        eventually(lambda: any('"error"' in line for line in service.lines), "an error record")
        service.stop()
    assert exit_status(service) == (1 if broken else 0)
    (record,) = (json.loads(line) for line in service.lines if '"error"' in line and line.startswith("{"))
    wanted = "ModuleNotFoundError: No module named 'no_such_module'" if broken else "KeyError: 'the reason'"
    assert record["stderr"].splitlines()[-1] == wanted
    assert "Traceback (most recent call last):" in record["stderr"]
    assert len(record["stderr"].splitlines()) <= 20
