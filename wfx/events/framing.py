"""Encoding of server-sent events (rest-api section 10.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wfx.domain import job_json
from wfx.domain.job import Event, Subject

KEEP_ALIVE = b": keepalive\n\n"
"""A comment: readers skip it."""

CHUNK_BYTES = 32 * 1024
"""What is sent at once, about. A connection whose reader is stuck holds one chunk beside its send buffer."""

_DATA = b"data: "
_COUNTS = 1 << 64
"""So many numbers there are for the events of a stream that counts its own; then it goes on from 0."""


class EncodedEvent:
    """An event of the log, encoded once for everybody."""

    __slots__ = ("event", "head", "seq")

    def __init__(self, event: Event) -> None:
        """Encode the part that does not depend on the reader. Events of workflows are shown to nobody."""
        self.event = event
        self.seq = event.seq
        self.head = job_json.event_head(event) if event.subject is Subject.JOB else b""


class Framing:
    """Makes blocks for one stream: labelled, and numbered by the log or by the stream itself."""

    def __init__(self, labels: Sequence[str] | None, id_prefix: str | None) -> None:
        """Begin a stream. With a prefix ids are ``<prefix><sequence number>``, without they count 1, 2, 3 …."""
        self._prefix = b"id: " + (id_prefix or "").encode()
        self._end_of_data = job_json.event_tail(labels) + b"\n"
        self._counts = id_prefix is None
        self._count = 0

    def bookmark(self, seq: int) -> bytes:
        """Make a block that tells a position and nothing else: readers remember it and are told of no event."""
        return b"%b%d\n\n" % (self._prefix, seq)

    def chunks(self, entries: Iterable[EncodedEvent]) -> Iterator[bytes | memoryview]:
        """Make the blocks of events, many small ones at once, a huge one in slices of the bytes that all share."""
        pieces: list[bytes] = []
        size = 0
        for entry in entries:
            pieces.append(_DATA)
            if len(entry.head) <= CHUNK_BYTES:
                pieces.append(entry.head)
                size += len(entry.head)
            else:
                yield b"".join(pieces)
                yield from _slices(entry.head)
                pieces, size = [], 0
            pieces.append(self._end(entry.seq))
            if size >= CHUNK_BYTES:
                yield b"".join(pieces)
                pieces, size = [], 0
        if pieces:
            yield b"".join(pieces)

    def _end(self, seq: int) -> bytes:
        if self._counts:
            self._count = (self._count + 1) % _COUNTS
            seq = self._count
        return self._end_of_data + self.bookmark(seq)


def _slices(document: bytes) -> Iterator[memoryview]:
    view = memoryview(document)
    for start in range(0, len(view), CHUNK_BYTES):
        yield view[start : start + CHUNK_BYTES]
