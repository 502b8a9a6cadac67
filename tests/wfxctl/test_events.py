"""``wfxctl job events`` (cli section 7)."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from wfxctl_stub import Reply, Seen, Stub

from tests.waiting import eventually
from wfxctl import main, stream

Run = Callable[..., Any]
STREAM = {"Content-Type": "text/event-stream"}


def block(name: str, data: str | None = None) -> bytes:
    """Return one block of a stream."""
    return (f"data: {data}\n" if data is not None else "").encode() + f"id: {name}\n\n".encode()


def streaming(*blocks: bytes) -> Reply:
    """Answer with these blocks and the end of the stream."""
    return Reply(headers=STREAM, chunks=lambda: iter(blocks))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let reconnections come quickly."""
    monkeypatch.setattr(stream.Backoff, "__init__", _set_initial)


def _set_initial(backoff: stream.Backoff) -> None:
    backoff.initial, backoff.longest, backoff._next = 0.01, 0.05, 0.0


FILTERS = [
    ([], []),
    (
        ["--job-id", "a,b", "--job-id", "c", "--client-id", "d", "--workflow", "w", "--tag", "t,u"],
        [("clientIds", "d"), ("jobIds", "a,b,c"), ("tags", "t,u"), ("workflows", "w")],
    ),
    (["--action", "create,delete", "--since", "0"], [("actions", "create,delete"), ("since", "0")]),
    (["--since", "abc-17"], [("since", "abc-17")]),
]


@pytest.mark.parametrize(("argv", "query"), FILTERS)
def test_a_subscription_says_what_it_wants(
    south: Run, stub: Stub, argv: list[str], query: list[tuple[str, str]]
) -> None:
    """The filters are sent comma-joined, with the stream's content type as the only accepted one."""
    stub.replies.append(streaming())
    assert south("job", "events", *argv).code == 1
    assert (stub.one.method, stub.one.path, stub.one.query) == ("GET", "/jobs/events", query)
    assert stub.one.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in stub.one.headers


def test_events_are_printed_as_they_came(south: Run, stub: Stub) -> None:
    """Standard output has the data of each event, byte for byte; ids and keep-alives are not shown."""
    event = '{"ctime":"2026-07-01T08:00:01.250Z","action":"CREATE","job":{"n":1.0,"x":"<é>"},"tags":null}'
    stub.replies.append(streaming(b": keepalive\n\n", block("1", event), block("2"), block("3", "not even JSON")))
    outcome = south("job", "events", "--filter", ".job", "--raw")
    assert outcome.code == 1
    assert outcome.out == f"{event}\nnot even JSON\n"
    assert outcome.err == "SSE connection established\nError: the server ended the event stream\n"


def test_any_printable_id_is_sent_back(south: Run, stub: Stub) -> None:
    """An id beyond ASCII comes back to the server as UTF-8."""
    stub.replies.append(streaming(block("ü€ 1", "one")))
    stub.replies.append(Reply(400, b""))
    assert south("job", "events", "--auto-reconnect").out == "one\n"
    assert stub.seen[1].headers["last-event-id"].encode("latin-1").decode() == "ü€ 1"


@pytest.mark.parametrize("more", [[], ["--auto-reconnect"]])
def test_a_refused_stream_is_never_retried(south: Run, stub: Stub, more: list[str]) -> None:
    """A status other than 200 ends the command, with the API's errors on standard error."""
    stub.will({"errors": [{"code": "wfx.invalidRequest", "logref": "96a3", "message": "unknown action"}]}, 400)
    outcome = south("job", "events", *more)
    assert (outcome.code, outcome.out) == (1, "")
    established, line, logged = outcome.err.splitlines()
    assert established == "SSE connection established"
    assert line == "ERROR: unknown action (code=wfx.invalidRequest, logref=96a3)"
    assert " ERR the server refused the event stream status=400 " in logged


def test_a_refused_connection_is_an_error(run: Run) -> None:
    """Without --auto-reconnect, a server that is not there is an error."""
    outcome = run("--client-port", "1", "job", "events")
    assert outcome.code == 1
    assert outcome.err.startswith("Error: GET ")


def test_a_lost_stream_is_taken_up_behind_the_last_event(south: Run, stub: Stub) -> None:
    """Each reconnection says which id came last, also one without an event, and nothing is printed twice."""
    stub.replies.append(streaming(block("log-5")))
    stub.replies.append(streaming(block("log-6", "one"), b"data: cut off\n"))
    stub.replies.append(streaming())
    stub.replies.append(streaming(block("log-7", "two")))
    stub.replies.append(Reply(410, b'{"errors":[]}'))
    outcome = south("job", "events", "--auto-reconnect")
    assert (outcome.code, outcome.out) == (1, "one\ntwo\n")
    assert [seen.headers.get("last-event-id") for seen in stub.seen] == [None, "log-5", "log-6", "log-6", "log-7"]
    assert all(seen.query == [("since", "now")] for seen in stub.seen)
    assert outcome.err.count("SSE connection established\n") == 5
    assert outcome.err.count("connection lost (the server ended the event stream), trying again in ") == 4


def test_the_position_asked_for_stays_in_reconnections(south: Run, stub: Stub) -> None:
    """A position given by --since is sent each time; the last id, being newer, beside it."""
    stub.replies.append(streaming(block("log-6", "one")))
    stub.replies.append(Reply(409, b""))
    assert south("job", "events", "--auto-reconnect", "--since", "3").code == 1
    assert [seen.query for seen in stub.seen] == [[("since", "3")]] * 2
    assert stub.seen[1].headers["last-event-id"] == "log-6"


def test_events_survive_a_killed_and_restarted_server() -> None:
    """A server that is not up yet, is killed in mid-stream and comes back on the same port costs no event."""
    log = [f'{{"n":{n}}}' for n in range(6)]
    second = threading.Event()

    def serve(request: Seen) -> Reply:
        after = int(request.headers.get("last-event-id", "log-0").removeprefix("log-"))
        end = len(log) if second.is_set() else 3

        def chunks() -> Iterator[bytes]:
            yield b"".join(block(f"log-{n + 1}", log[n]) for n in range(after, end)) + b'data: {"n":'
            while True:  # until the connection is cut
                time.sleep(0.02)
                yield b"" if not second.is_set() else b": keepalive\n\n"

        return Reply(headers=STREAM, chunks=chunks)

    stub = Stub()
    stub.usual = serve
    with stub.listening():
        port = stub.port
    out, err = io.BytesIO(), io.BytesIO()
    argv = ["job", "events", "--auto-reconnect", "--client-host", "127.0.0.1", "--client-port", str(port)]
    reader = threading.Thread(target=_run_until_refused, args=(argv, out, err), daemon=True)
    reader.start()
    eventually(lambda: b"Connection refused" in err.getvalue(), "the refusal is told")
    with stub.listening(port):
        eventually(lambda: out.getvalue().count(b"\n") == 3, "three events")
    second.set()
    with stub.listening(port):
        eventually(lambda: out.getvalue().count(b"\n") == 6, "six events")
        stub.usual = lambda _: Reply(410, b"")
        stub.cut()
        reader.join(10)
    assert not reader.is_alive()
    assert out.getvalue().decode().splitlines() == log


def _run_until_refused(argv: list[str], out: io.BytesIO, err: io.BytesIO) -> None:
    main.run(argv, io.BytesIO(), out, err, {})


def test_the_stream_may_set_the_pause_between_attempts(south: Run, stub: Stub) -> None:
    """A retry field in the stream is honoured."""
    stub.replies.append(streaming(b"retry: 2\n\n"))
    stub.replies.append(Reply(400, b""))
    outcome = south("job", "events", "--auto-reconnect")
    assert any(f"trying again in {n}ms\n" in outcome.err for n in (1, 2, 3))


def test_lines_for_people(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --output line each event is one readable line, in local time and without control characters."""
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    events = [
        {
            "ctime": "2026-07-01T08:00:01.250Z",
            "action": "UPDATE_STATUS",
            "job": {"id": "7", "clientId": "dev\x1b[31m", "status": {"state": "BUSY", "message": "half\nway\u202e"}},
        },
        {"ctime": "never", "action": "DELETE", "job": {"id": "8", "clientId": "x"}},
        {"job": 3},
        ["\x07"],
    ]
    stub.replies.append(
        streaming(*(block(str(n), json.dumps(event)) for n, event in enumerate(events)), block("9", "bell\x07"))
    )
    outcome = south("job", "events", "--output", "line")
    assert outcome.out.splitlines() == [
        "2026-07-01 10:00:01  UPDATE_STATUS      dev\\x1b[31m  7  BUSY  half\\x0away\\u202e",
        "never  DELETE             x  8  -  -",
        "-  -                  -  -  -  -",
        "-  -                  -  -  -  -",
        "bell\\x07",
    ]
    monkeypatch.undo()
    time.tzset()


def test_an_endless_refusal_is_an_error(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an error answer comes instead of a stream, it is read up to a bound."""
    monkeypatch.setattr(stream, "LARGEST_REFUSAL", 100_000)
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while sum(sent) < 1_000_000_000:
            sent.append(0x8000)
            yield b" " * 0x8000

    stub.replies.append(Reply(500, chunks=endless))
    outcome = south("job", "events")
    assert outcome.code == 1
    assert outcome.err.endswith(": the answer has more than 100000 bytes\n")
    assert sum(sent) < 100_000_000, "everything was read"


def test_a_compressed_stream_is_followed(south: Run, stub: Stub) -> None:
    """A stream may come compressed; an event that is a bomb ends it with an error."""
    packed = gzip.compress(block("1", '{"a":1}'))
    stub.replies.append(Reply(headers=STREAM | {"Content-Encoding": "gzip"}, chunks=lambda: iter([packed])))
    assert '"a"' in south("job", "events").out
    bomb = gzip.compress(b"data: " + b" " * (stream.LARGEST_EVENT + 1))
    stub.replies.append(Reply(headers=STREAM | {"Content-Encoding": "gzip"}, chunks=lambda: iter([bomb])))
    assert f"an event of more than {stream.LARGEST_EVENT} bytes" in south("job", "events").err


def test_a_stream_that_falls_silent_is_taken_up_again(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has frozen, and sends not even signs of life, is left, and asked for what follows."""
    monkeypatch.setattr(stream, "SILENCE", 0.2)
    thawed = threading.Event()

    def frozen() -> Iterator[bytes]:
        yield block("L-1", "one")
        thawed.wait(60)

    stub.replies += [Reply(headers=STREAM, chunks=frozen), streaming(block("L-2", "two")), Reply(400, b"{}")]
    outcome = south("job", "events", "--auto-reconnect")
    thawed.set()
    assert outcome.out == "one\ntwo\n"
    assert [seen.headers.get("last-event-id") for seen in stub.seen] == [None, "L-1", "L-2"]
