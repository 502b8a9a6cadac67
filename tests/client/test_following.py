"""Streams of events are followed through losses and silences, nothing lost and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Event as Flag
from threading import Thread
from typing import Any

import httpx
import pytest
from wfxctl_stub import Reply, Stub

from tests.client.conftest import DIRECT, QUICK, Connect
from tests.waiting import eventually
from wfx.client import Client, EventsGone, EventsOtherLog, Refused, Retries, TimedOut, Unreachable, Unreadable
from wfx.demo.local import LocalService

TYPE = {"Content-Type": "text/event-stream"}


def block(number: int) -> bytes:
    """An event as it is sent."""
    job = {"id": str(number), "clientId": "c", "workflow": {"name": "w"}}
    event = {"ctime": "2026-07-01T08:00:00.000Z", "action": "DELETE", "job": job, "tags": None}
    return f"id: log-{number}\ndata: {json.dumps(event)}\n\n".encode()


def stream(*numbers: int, end: bytes = b"") -> Reply:
    """Events, and then the end of the connection."""
    return Reply(200, headers=TYPE, chunks=lambda: iter([*map(block, numbers), end]))


def silent(stub: Stub, *numbers: int) -> Reply:
    """Events, and then nothing until connections are cut."""

    def chunks() -> Iterator[bytes]:
        stopped: Flag = stub.stopped
        yield from map(block, numbers)
        stopped.wait(60)

    return Reply(200, headers=TYPE, chunks=chunks)


def taken(items: Any, count: int) -> list[str]:
    """The ids of jobs of so many events."""
    return [next(items).job_id for _ in range(count)]


def test_a_stream_goes_on_where_it_broke_off(connect: Connect) -> None:
    """Each connection goes on behind the last event of the one before, however that ended."""
    with Stub().listening() as stub:
        stub.replies += [stream(1, 2), stream(3, end=b"id: log-9\nda"), Reply(503), stream(), stream(4)]
        stub.usual = lambda _: silent(stub)
        events = connect(f"http://127.0.0.1:{stub.port}").events("0", client_ids=["c", "d"])
        assert taken(events, 4) == ["1", "2", "3", "4"]
        stub.cut()
        events.close()
    sent = [(seen.headers.get("last-event-id"), dict(seen.query)) for seen in stub.seen[:5]]
    assert [position for position, _ in sent] == [None, "log-2", "log-3", "log-3", "log-3"]
    assert all(query == {"since": "0", "clientIds": "c,d"} for _, query in sent)
    assert {seen.headers["accept"] for seen in stub.seen} == {"text/event-stream"}


def test_a_silent_stream_is_opened_again(connect: Connect) -> None:
    """A stream without a sign of life is taken for dead, and opened again behind the last event."""
    with Stub().listening() as stub:
        stub.replies += [silent(stub, 1), stream(2)]
        stub.usual = lambda _: silent(stub)
        events = connect(f"http://127.0.0.1:{stub.port}").events("now", heartbeat=2.0)
        assert taken(events, 2) == ["1", "2"]
        events.close()
        assert stub.seen[1].headers["last-event-id"] == "log-1"
        stub.cut()


def test_a_service_that_is_restarted(connect: Connect, other_service: LocalService, dev: str) -> None:
    """Across a restart of the service all events come, each once."""
    north = connect(other_service.north)
    events = connect(other_service.south, Retries(attempts=None, initial=0.05)).events("0", client_ids=[dev])
    jobs = [north.create_job(dev, DIRECT).id]
    assert taken(events, 1) == jobs
    jobs.append(north.create_job(dev, DIRECT).id)
    other_service.stop()
    other_service.start()
    jobs += [connect(other_service.north).create_job(dev, DIRECT).id for _ in range(2)]
    assert taken(events, 3) == jobs[1:]
    events.close()


@pytest.mark.parametrize(("status", "code", "kind"), [
    (410, "wfx.eventsGone", EventsGone), (409, "wfx.eventsOtherLog", EventsOtherLog), (400, "x", Refused),
    (403, "x", Refused),
])  # fmt: skip
def test_what_cannot_be_resumed_is_told(connect: Connect, status: int, code: str, kind: type[Refused]) -> None:
    """A position that is not on the log any more is an error of its own, also in the middle; so is a refusal."""
    with Stub().listening() as stub:
        stub.replies.append(stream(1))
        stub.will({"errors": [{"code": code, "message": "no", "logref": "1"}], "oldest": 7}, status)
        events = connect(f"http://127.0.0.1:{stub.port}").events("0")
        assert taken(events, 1) == ["1"]
        with pytest.raises(kind) as refused:
            next(events)
    assert refused.value.extra == {"oldest": 7}
    assert len(stub.seen) == 2


def test_attempts_in_a_row(connect: Connect) -> None:
    """After so many attempts in a row without a byte the last error is told."""
    with Stub().listening() as stub:
        stub.replies += [stream(1), *[stream()] * 3, stream(2)]
        stub.usual = lambda _: stream()
        events = connect(f"http://127.0.0.1:{stub.port}", QUICK).events("0")
        with pytest.raises(Unreachable, match="the server ended the event stream"):
            taken(events, 2)
    assert len(stub.seen) == QUICK.attempts


def test_what_is_no_event(connect: Connect) -> None:
    """Something else than events of wfx is an error."""
    for data in (b"data: x\n\n", b"data: {}\n\n", b'data: {"action": 1}\n\n'):
        with Stub().listening() as stub:
            stub.replies.append(stream(end=data))
            with pytest.raises(Unreadable):
                next(connect(f"http://127.0.0.1:{stub.port}").events("0"))


def test_a_server_that_does_not_answer(connect: Connect) -> None:
    """A port where nobody listens is an error that says so."""
    with Stub().listening() as stub:
        port = stub.port
    with pytest.raises(Unreachable, match=r"refused|attempts failed"):
        next(connect(f"http://127.0.0.1:{port}", Retries(attempts=1)).events("now"))
    assert issubclass(TimedOut, Unreachable)


def test_an_answer_that_is_no_stream(connect: Connect) -> None:
    """Whoever answers with a page in place of a stream is no wfx, and is not asked again and again."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=b"<html>", headers={"Content-Type": "text/html"})
        with pytest.raises(Unreadable, match="not text/event-stream"):
            next(connect(f"http://127.0.0.1:{stub.port}").events("0"))
        assert len(stub.seen) == 1


def test_a_stream_that_has_told_nothing_yet(connect: Connect, other_service: LocalService, dev: str) -> None:
    """From now on means from when it was opened: what happens while the connection is lost comes, too."""
    events = connect(other_service.south, Retries(attempts=None, initial=2.0)).events("now", client_ids=[dev])
    first: list[str] = []
    reader = Thread(target=lambda: first.append(next(events).job_id), daemon=True)
    reader.start()
    metrics = f"{other_service.north}/metrics"
    eventually(lambda: "\nwfx_event_subscribers 1.0\n" in httpx.get(metrics).text, "the stream is open")
    other_service.stop()
    other_service.start()
    with Client(other_service.north) as north:
        job = north.create_job(dev, DIRECT)
    reader.join(60)
    assert first == [job.id]
    events.close()
