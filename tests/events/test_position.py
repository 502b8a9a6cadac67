from __future__ import annotations

import pytest

from wfx.domain.errors import BehindHorizon, NotOnThisLog
from wfx.events.position import NOW, Start, event_id, parse_event_id, parse_since
from wfx.store.protocol import LogBounds

BOUNDS = LogBounds("a-b-c", oldest=11, head=20)


@pytest.mark.parametrize(
    ("since", "after"),
    [
        ("now", 20),
        ("20", 20),
        ("15", 15),
        ("10", 10),
        ("0012", 12),
        ("0", 10),
        ("a-b-c-20", 20),
        ("a-b-c-10", 10),
    ],
)
def test_position_on_the_log_is_read_on_from(since: str, after: int) -> None:
    """A position between the horizon and the head is where reading goes on; 0 is the oldest event that is kept."""
    start = parse_since(since)
    assert start is not None
    assert start.resolve(BOUNDS) == after


@pytest.mark.parametrize("since", ["9", "1", "a-b-c-9", "a-b-c-0"])
def test_position_behind_the_horizon_names_the_oldest(since: str) -> None:
    """Whoever asks for events that were pruned learns which is the oldest one left."""
    start = parse_since(since)
    assert start is not None
    with pytest.raises(BehindHorizon) as caught:
        start.resolve(BOUNDS)
    assert caught.value.oldest == 11


@pytest.mark.parametrize("since", ["21", str(2**63 - 1), "a-b-c-21", "x-15", "other-0"])
def test_position_not_on_this_log_names_the_head(since: str) -> None:
    """Whoever asks for a position ahead of the head, or of another log, learns this log's name and head."""
    start = parse_since(since)
    assert start is not None
    with pytest.raises(NotOnThisLog) as caught:
        start.resolve(BOUNDS)
    assert (caught.value.head, caught.value.log_id) == (20, "a-b-c")


@pytest.mark.parametrize(
    "since",
    [
        "",
        "-1",
        "-0",
        "+12",
        str(2**63),
        "9" * 20,
        "text",
        "NOW",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x3",
        "\u0661",
        "a-",
        "-",
        "a-b",
        "a-b-c-",
        "a-b-c- 1",
        "1\n",
    ],
)
def test_malformed_position_is_none(since: str) -> None:
    """Negative numbers, numbers beyond 64 bit and words are no positions."""
    assert parse_since(since) is None


def test_everything_pruned_leaves_the_head() -> None:
    """On a log whose events are all pruned, 0 and the head mean the same place."""
    empty = LogBounds("a", oldest=21, head=20)
    assert Start(0).resolve(empty) == Start(20).resolve(empty) == NOW.resolve(empty) == 20


def test_id_is_read_back() -> None:
    """The id of an event is understood whatever the log is called."""
    assert parse_event_id(event_id("0f-3e", 7)) == Start(7, "0f-3e")
