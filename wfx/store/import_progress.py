"""What imports into any kind of store have in common: the digest of what is written, and the verdict on the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from wfx.store.dump import Record
from wfx.store.findings import Report


class RecordDigest:
    """Digest of the records that have come; an import that was interrupted knows by it whether it is the same one."""

    def __init__(self) -> None:
        """Begin before the first record."""
        self._digest = sha256()

    @property
    def value(self) -> str:
        """The digest, for the table of progress."""
        return self._digest.hexdigest()

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        """Yield the records, each behind its digest."""
        for record in records:
            self._digest.update(repr(record).encode())
            yield record


def contradiction(report: Report) -> str | None:
    """Say what the check of stores has found that no single record shows; None if nothing."""
    for found in report.findings:
        text = f"{found.row}: expected {found.expected}; found {found.found}"
        return f"the records contradict each other, and what was written was removed: {text}"
    return None
