"""Who should have heard of what: acknowledged writes on one side, delivered events on the other.

The writes of a job are acknowledged one after the other, and each makes one event, so the k-th event of a job belongs
to its k-th acknowledged write; it may well arrive before that. Writes that failed are not expected (they may have
happened all the same: their events count as unexpected, not as duplicates). Within one stream the ``mtime`` of a job
only grows, which tells duplicates and events that are out of order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import orjson

from wfx_loadtest.clock import Clock
from wfx_loadtest.facts import Fact, distribution
from wfx_loadtest.metrics import Latencies

_DATE = len("2026-01-01T00:00:00")


class Listener:
    """What one subscriber heard."""

    def __init__(self, ledger: Ledger) -> None:
        """Begin with nothing heard; :meth:`Ledger.listener` makes listeners."""
        self._ledger = ledger
        self.heard: Counter[str] = Counter()
        self._mtimes: dict[str, str] = {}
        self.duplicates = 0
        self.out_of_order = 0

    def received(self, data: bytes) -> None:
        """Take note of one event; those of other people's jobs do not matter."""
        try:
            job = orjson.loads(data)["job"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return  # no event as the API promises it: the one that was owed will be missing
        if not job.get("clientId", "").startswith(self._ledger.client_prefix):
            return
        if not self._is_news(job["id"], _sortable(job.get("mtime", ""))):
            return
        self.heard[job["id"]] += 1
        self._ledger.delivered(job["id"], self.heard[job["id"]])

    def _is_news(self, job_id: str, mtime: str) -> bool:
        before = self._mtimes.get(job_id, "")
        if mtime and mtime == before:
            self.duplicates += 1
            return False
        if mtime < before:
            self.out_of_order += 1
        else:
            self._mtimes[job_id] = mtime
        return True


def _sortable(moment: str) -> str:
    """Drop the offset of an RFC 3339 time: fractions without trailing zeros then compare as text."""
    if not moment:
        return ""
    digits = moment[_DATE + 1 :]
    return moment[:_DATE] + "." + digits[: next((i for i, c in enumerate(digits) if not c.isdigit()), len(digits))]


class Ledger:
    """Both sides of the account, for jobs whose client id starts with the run's own prefix."""

    def __init__(self, client_prefix: str, clock: Clock, delay_seen: Callable[[int, int], None]) -> None:
        """Call ``delay_seen(due, delay)`` for each delivery whose write is known."""
        self.client_prefix = client_prefix
        self.delays = Latencies()
        self.listeners: list[Listener] = []
        self._clock = clock
        self._delay_seen = delay_seen
        self._writes: dict[str, list[int]] = {}
        self._early: dict[tuple[str, int], list[int]] = {}

    def listener(self) -> Listener:
        """Enter another subscriber."""
        self.listeners.append(Listener(self))
        return self.listeners[-1]

    def acknowledged(self, job_id: str, due: int) -> None:
        """Enter a write, due at that moment, that the service has confirmed."""
        writes = self._writes.setdefault(job_id, [])
        writes.append(due)
        for arrival in self._early.pop((job_id, len(writes)), ()):
            self._delay(due, arrival)

    def delivered(self, job_id: str, number: int) -> None:
        """Enter the arrival of a job's event ``number`` (from 1) at some subscriber."""
        now = self._clock.now()
        writes = self._writes.get(job_id, ())
        if number <= len(writes):
            self._delay(writes[number - 1], now)
        else:
            self._early.setdefault((job_id, number), []).append(now)

    def _delay(self, due: int, arrival: int) -> None:
        self.delays.add(arrival - due)
        self._delay_seen(due, arrival - due)

    @property
    def expected(self) -> int:
        """Deliveries that are owed: every acknowledged write to every subscriber."""
        return sum(map(len, self._writes.values())) * len(self.listeners)

    @property
    def settled(self) -> int:
        """Owed deliveries that were made."""
        return sum(
            min(listener.heard[job], len(writes)) for job, writes in self._writes.items() for listener in self.listeners
        )

    def facts(self, lost_streams: int) -> list[Fact]:
        """Show the account."""
        unexpected = sum(listener.heard.total() for listener in self.listeners) - self.settled
        values = (
            self.expected,
            self.settled,
            self.expected - self.settled,
            sum(listener.duplicates for listener in self.listeners),
            sum(listener.out_of_order for listener in self.listeners),
            unexpected,
        )
        return [
            Fact("Streams", ("opened", "lost"), (str(len(self.listeners)), str(lost_streams))),
            Fact(
                "Deliveries",
                ("expected", "delivered", "missing", "duplicate", "out of order", "unexpected"),
                tuple(map(str, values)),
            ),
            distribution("Delays", self.delays),
        ]
