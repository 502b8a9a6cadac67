"""Taking event streams apart, whatever pieces they come in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wfx.client import sse
from wfx.client.pauses import Backoff
from wfx.commandline.failures import Failure
from wfxctl import stream
from wfxctl.client import OpenStream
from wfxctl.exchange import Exchange
from wfxctl.failures import Unreachable
from wfxctl.stream import Follower, Following, Parser

LINE_ENDS = st.sampled_from(["\n", "\r\n", "\r"])
LINES = st.text(st.characters(blacklist_characters="\r\n\0", blacklist_categories=["Cs"]), max_size=12)
IDS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)


def parse(*chunks: bytes) -> tuple[list[str], Parser]:
    """Feed all chunks to a new parser."""
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)], parser


CASES = [
    (b'data: {"a":1}\nid: 1\n\n', ['{"a":1}'], "1"),
    (b"data: a\ndata: b\n\n", ["a\nb"], None),
    (b"data:a\n\ndata: b\r\n\r\ndata:  c\r\r", ["a", "b", " c"], None),
    (b": keepalive\n\n", [], None),
    (b"id: 7\n\n", [], "7"),
    (b"id: 7\n\ndata: x\n\n", ["x"], "7"),
    (b"id: 7\n\nid\n\n", [], ""),
    (b"id: 7\n\nid: a\0b\n\n", [], "7"),
    (b"id: 7\n\nid: a\x1bb\n\n", [], "7"),
    (b"data: unfinished\nid: 8\n", [], None),
    (b"data\n\n", [""], None),
    (b"event: x\nunknown: y\nnonsense\ndata: z\n\n", ["z"], None),
    (b"\xef\xbb\xbfdata: bom\n\n", ["bom"], None),
    (b"data: \xff\n\n", ["\ufffd"], None),
]


@pytest.mark.parametrize(("text", "events", "last_id"), CASES)
def test_streams_read_as_the_standard_says(text: bytes, events: list[str], last_id: str | None) -> None:
    """Events end at blank lines; ids count from then on, also without an event; all else is passed over."""
    found, parser = parse(text)
    assert (found, parser.last_id) == (events, last_id)
    found, parser = parse(*(text[i : i + 1] for i in range(len(text))))
    assert (found, parser.last_id) == (events, last_id)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"retry: 250\n", 0.25),
        (b"retry: x\n", None),
        (b"retry: -1\n", None),
        (b"retry: 12345678901\n", None),
        (b"retry\n", None),
    ],
)
def test_the_stream_may_set_the_pause(line: bytes, seconds: float | None) -> None:
    """A retry field in milliseconds is taken if it is a number."""
    assert parse(line)[1].retry == seconds


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.tuples(st.lists(LINES, min_size=1, max_size=3), IDS)), LINE_ENDS, st.lists(st.integers(0, 200)))
def test_events_survive_any_line_ends_and_pieces(
    events: list[tuple[list[str], str]], end: str, cuts: list[int]
) -> None:
    """What was put into a stream comes out of it, wherever the network cuts it."""
    text = "".join(
        f": c{end}id: {name}{end}" + "".join(f"data: {line}{end}" for line in lines) + end for lines, name in events
    ).encode()
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    found, parser = parse(*(text[a:b] for a, b in pairwise(edges)))
    assert found == ["\n".join(lines) for lines, _ in events]
    assert parser.last_id == (events[-1][1] if events else None)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.binary(max_size=200), st.integers(1, 7))
def test_garbage_does_no_harm(garbage: bytes, size: int) -> None:
    """Any bytes are taken, and the pieces they come in make no difference."""
    pieces = [garbage[i : i + size] for i in range(0, len(garbage), size)]
    assert parse(garbage)[0] == parse(*pieces)[0]


@pytest.mark.parametrize("endless", [b"x" * 1000, b"data: 1234567890123\n" * 50, b": 1234567890123456\n" * 50])
def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch, endless: bytes) -> None:
    """A server that never ends an event does not fill the memory."""
    monkeypatch.setattr(sse, "LARGEST_EVENT", 5000)
    parser = Parser()
    for _ in range(5000 // len(endless)):
        parser.feed(endless)
    with pytest.raises(Failure, match="an event of more than 5000 bytes"):
        parser.feed(endless)


def test_many_events_are_no_large_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is for one event, not for the stream."""
    monkeypatch.setattr(sse, "LARGEST_EVENT", 100)
    parser = Parser()
    assert sum(len(parser.feed(b"data: x\nid: 1\n\n")) for _ in range(1000)) == 1000


def test_pauses_grow_by_half_and_begin_anew() -> None:
    """Attempts come after half a second, then half as long again each time, spread by half, up to a minute."""
    backoff = Backoff()
    waits = [backoff.wait() for _ in range(40)]
    for n, wait in enumerate(waits):
        middle = min(0.5 * 1.5**n, 60)
        assert 0.5 * middle <= wait <= 1.5 * middle
    backoff.succeeded()
    assert backoff.wait() <= 0.75


class Flaky:
    """Stands in for an API: each connection is answered with a status, or not made at all (0)."""

    def __init__(self, *statuses: int) -> None:
        """Say what becomes of each connection; after the last one, the test ends it all."""
        self._statuses = iter(statuses)
        self.resumed: list[str | None] = []
        """After which event each connection wanted to go on."""

    @contextmanager
    def stream(
        self, _path: str, _query: object, headers: dict[str, str], _silence: float | None
    ) -> Iterator[OpenStream]:
        """Open the next connection, which carries one event."""
        self.resumed.append(headers.get("Last-Event-ID"))
        status = next(self._statuses, None)
        if status is None:
            raise Failure("enough")
        if not status:
            raise Unreachable("connection refused")
        chunks = [b"data: x\nid: L-1\n\n"] if status == 200 else [b"{}"]
        yield OpenStream(status, iter(chunks), Exchange("GET", "http://localhost"))


def followed(monkeypatch: pytest.MonkeyPatch, flaky: Any, *, patient: bool) -> list[float]:
    """Follow a flaky stream to its end, which must come by a Failure; returns the pauses."""
    monkeypatch.setattr(stream.time, "sleep", lambda _: None)
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)
    pauses: list[float] = []
    how = Following(reconnect=True, patient=patient, report=lambda _, seconds: pauses.append(seconds))
    with pytest.raises(Failure):
        list(Follower(flaky, [], how))
    return pauses


@pytest.mark.parametrize("status", [409, 410])
def test_a_reader_that_cannot_resume_begins_anew(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Where the server no longer has the place, or has another log, a patient reader begins anew, but only once."""
    flaky = Flaky(200, status, 200, status, status, 200)
    followed(monkeypatch, flaky, patient=True)
    assert flaky.resumed == [None, "L-1", None, "L-1", None]
    strict = Flaky(200, status, 200)
    followed(monkeypatch, strict, patient=False)
    assert strict.resumed == [None, "L-1"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_that_cannot_serve_now_is_asked_again(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A patient reader asks again after any 5xx, and gives up after a 4xx."""
    flaky = Flaky(status, 200, 404, 200)
    followed(monkeypatch, flaky, patient=True)
    assert flaky.resumed == [None, None, "L-1"]


def test_pauses_begin_anew_after_each_good_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a good connection the next attempt comes soon, however many were lost; refused ones make it later."""
    pauses = followed(monkeypatch, Flaky(200, 200, 0, 0, 200, 200, 0), patient=True)
    assert pauses == [0.5, 0.5, 0.75, 1.125, 0.5, 0.5, 0.75]
