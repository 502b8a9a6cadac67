"""The audit example records every request with how it was answered."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from plugin_programs import DEADLINE, ROOT, PluginDirectory, StartChain

from wfx.plugin import chain
from wfx.plugin.message import Action, Answer, Origin, PluginRequest, ShownSide
from wfx.request_context import ClientCertificate

RequestOf = Callable[..., PluginRequest]
Records = Callable[[], list[dict[str, object]]]
EXAMPLE = ROOT / "plugins" / "examples" / "audit" / "observe" / "audit.py"
OK = Answer(200, (), b"{}", 2, True, 1_500, b"", b"GetJobs", 0)


@pytest.fixture(autouse=True)
def audited(plugins: PluginDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the example where plugins observe."""
    monkeypatch.setenv("AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    directory = plugins.path / "observe"
    directory.mkdir(mode=0o755)
    PluginDirectory(directory).sdk("audit", EXAMPLE.read_text())


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Read what was recorded."""
    return lambda: [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]


async def test_what_a_line_holds(start: StartChain, request_of: RequestOf, records: Records, tmp_path: Path) -> None:
    """A line tells who asked for what and how it was answered, is JSON whatever the target holds, and bounded."""
    chain = await start()
    headers = [(b"Authorization", (b"Bearer secret",)), (b"X-Client-Id", (b"c" * 5_000,))]
    origin = Origin(b"PUT", b"192.0.2.1:4711", ShownSide.SOUTH, b"r-1", ClientCertificate("CN=dev-a", (), "0" * 64))
    request = replace(request_of('/"x"?\x1b', Action.UPDATE, headers, b"secret"), origin=origin)
    answer = Answer(403, ((b"X", (b"secret",)),), b"secret", 6, True, 2_500, b"auth", b"", 6)
    chain.observe(replace(request, answer=answer))
    chain.observe(replace(request_of("/" + "x" * 900_000), answer=OK))
    await chain.stop()
    text = (tmp_path / "audit.jsonl").read_text()
    assert "secret" not in text
    assert "\x1b" not in text
    first, second = records()
    assert str(first.pop("time")).startswith("20")
    assert first == {
        "requestId": "r-1", "side": "south", "peer": "192.0.2.1:4711", "method": "PUT", "destination": '/"x"?\x1b',
        "operation": None, "bytes": 6, "status": 403, "answeredBy": "auth", "complete": True, "sent": 6,
        "milliseconds": 2.5, "certificate": "CN=dev-a", "identity": None,
        "credential": hashlib.sha256(b"secret").hexdigest()[:16], "claimed": "c" * 2_048,
    }  # fmt: skip
    assert (second["operation"], second["answeredBy"], second["sent"]) == ("GetJobs", None, 2)
    assert len(str(second["destination"])) == 2_048


async def test_the_identity_of_a_gateway(
    start: StartChain, request_of: RequestOf, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The header that a gateway sets is recorded as the identity, X-Client-Id as what the sender claims."""
    monkeypatch.setenv("AUDIT_IDENTITY_HEADER", "x-client-cert-CN")
    chain = await start()
    claimed = (b"X-Client-Id", (b"dev-b",))
    for headers in ([(b"X-Client-Cert-Cn", (b"dev-a",)), claimed], [claimed]):
        chain.observe(replace(request_of("/", headers=headers), answer=OK))
    await chain.stop()
    assert [(record["identity"], record["claimed"]) for record in records()] == [("dev-a", "dev-b"), (None, "dev-b")]


async def test_missing_records(start: StartChain, request_of: RequestOf, records: Records) -> None:
    """Where answers were dropped, a line says how many."""
    chain = await start()
    chain.observe(replace(request_of("/1"), answer=OK))
    chain._observed += 5
    chain.observe(replace(request_of("/2"), answer=OK))
    await chain.stop()
    assert [(record.get("destination"), record.get("lost")) for record in records()] == [
        ("/1", None), (None, 5), ("/2", None),
    ]  # fmt: skip


async def test_without_room(start: StartChain, request_of: RequestOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a line cannot be written, the example ends and says why, and the server with it."""
    monkeypatch.setenv("AUDIT_FILE", "/dev/full")
    chain = await start()
    chain.observe(replace(request_of("/"), answer=OK))
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin observe/audit stopped unexpectedly with exit status 1"
    assert "cannot write the record: [Errno 28]" in lost.last_lines


async def test_nobody_listens(
    start: StartChain, request_of: RequestOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer is not encoded for observers that are gone; it counts as not told, and not as read too slowly."""
    monkeypatch.setenv("AUDIT_FILE", "/dev/full")
    started = await start()
    started.observe(replace(request_of("/"), answer=OK))
    await asyncio.wait_for(started.lost, DEADLINE)
    monkeypatch.setattr(chain, "encode_request", None)
    started.observe(replace(request_of("/"), answer=OK))
    assert [(observer.told, observer.dropped) for observer in started.observers] == [(1, 1)]
    assert "fast enough" not in caplog.text
