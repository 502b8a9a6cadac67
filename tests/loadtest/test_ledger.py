from __future__ import annotations

import orjson
import pytest

from wfx_loadtest.ledger import Ledger


class Watch:
    """A clock that a test sets."""

    moment = 0

    def now(self) -> int:
        """Tell the moment."""
        return self.moment

    async def until(self, moment: int) -> None:
        """Jump."""
        self.moment = moment


def _event(job: str, mtime: str, client: str = "run-1") -> bytes:
    return orjson.dumps({"action": "UPDATE_STATUS", "job": {"id": job, "clientId": client, "mtime": mtime}})


@pytest.fixture
def watch() -> Watch:
    """A clock at zero."""
    return Watch()


@pytest.fixture
def delays() -> list[tuple[int, int]]:
    """What the ledger told about single deliveries."""
    return []


@pytest.fixture
def ledger(watch: Watch, delays: list[tuple[int, int]]) -> Ledger:
    """A ledger for client ids that begin with ``run-``."""
    return Ledger("run-", watch, lambda due, delay: delays.append((due, delay)))


def _deliveries(ledger: Ledger) -> dict[str, str]:
    fact = next(fact for fact in ledger.facts(0) if fact.title == "Deliveries")
    return dict(zip(fact.members, fact.values, strict=True))


def test_delay_counts_from_the_moment_the_write_was_due(
    ledger: Ledger,
    watch: Watch,
    delays: list[tuple[int, int]],
) -> None:
    """An event that arrives 7 after the write was due is 7 late, also when it comes before the write is confirmed."""
    first, second = ledger.listener(), ledger.listener()
    watch.moment = 107
    first.received(_event("j", "2026-01-01T00:00:00Z"))
    ledger.acknowledged("j", 100)
    watch.moment = 120
    second.received(_event("j", "2026-01-01T00:00:00Z"))
    assert delays == [(100, 7), (100, 20)]
    assert (ledger.delays.min, ledger.delays.max) == (7, 20)


def test_what_did_not_arrive_is_missing(ledger: Ledger) -> None:
    """Every confirmed write is owed to every subscriber; what is not delivered is counted as missing."""
    first, _second = ledger.listener(), ledger.listener()
    for number in range(3):
        ledger.acknowledged("j", number)
        first.received(_event("j", f"2026-01-01T00:00:0{number}Z"))
    assert _deliveries(ledger) == {
        "expected": "6",
        "delivered": "3",
        "missing": "3",
        "duplicate": "0",
        "out of order": "0",
        "unexpected": "0",
    }


def test_duplicates_and_events_out_of_order_are_told_apart(ledger: Ledger) -> None:
    """The same mtime again is a duplicate; an older one is out of order, whatever the fractions look like."""
    listener = ledger.listener()
    for moment in ("00.5Z", "00.5Z", "00.25Z", "01Z", "01.000001Z", "01Z"):
        ledger.acknowledged("j", 0)
        listener.received(_event("j", f"2026-01-01T00:00:{moment}"))
    found = _deliveries(ledger)
    assert (found["duplicate"], found["out of order"]) == ("1", "2")


def test_events_of_writes_that_were_not_confirmed_are_surplus(ledger: Ledger) -> None:
    """A write whose answer was lost may have happened: its event is neither missing nor a duplicate."""
    listener = ledger.listener()
    listener.received(_event("j", "2026-01-01T00:00:00Z"))
    found = _deliveries(ledger)
    assert (found["expected"], found["missing"], found["duplicate"], found["unexpected"]) == ("0", "0", "0", "1")


def test_other_peoples_and_odd_events_do_not_count(ledger: Ledger) -> None:
    """Events of jobs that another run made, and texts that are no events, change nothing."""
    listener = ledger.listener()
    listener.received(_event("j", "2026-01-01T00:00:00Z", client="press-7"))
    listener.received(orjson.dumps({"action": "DELETE", "job": {"id": "k"}}))
    for odd in (b"not JSON", b"[]", b"{}", b"7"):
        listener.received(odd)
    assert _deliveries(ledger)["unexpected"] == "0"
