"""Records of rows, for the dump of any database; a row that cannot be read is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from wfx.domain.job import Job
from wfx.store.dump import EntryRecord, JobRecord, SourceRefused, require_types
from wfx.store.findings import UNREADABLE, shown

_Row = TypeVar("_Row")
_Shape = TypeVar("_Shape", bound=tuple[Any, ...])


def typed(
    kind: str, rows: Iterable[_Row], make: Callable[[_Row], _Shape], name: Callable[[_Row], object]
) -> Iterator[_Shape]:
    """Yield what is made of each row. Raises SourceRefused, with kind and name, for one that cannot be read."""
    for row in rows:
        try:
            record = make(row)
            require_types(record)
        except UNREADABLE as exc:
            del rows  # in a traceback, a cursor would keep its database open
            raise SourceRefused(f"{kind} {shown(name(row))} cannot be read ({exc!r}); wfx check tells more") from exc
        yield record


def job_record(job: Job, history: Iterable[EntryRecord], history_dropped: int) -> JobRecord:
    """Make the record of a job."""
    return JobRecord(
        id=job.id, client_id=job.client_id, workflow=job.workflow.number, state=job.state, stime=job.stime,
        mtime=job.mtime, version=job.version, definition_hash=job.definition_hash, tags=job.tags, status=job.status,
        definition=job.definition, history=tuple(history), history_dropped=history_dropped,
    )  # fmt: skip
