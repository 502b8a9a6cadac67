"""Records of the reference implementation's rows (rest-api sections 9.6 and 15), whatever database they are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from wfx.domain import tags
from wfx.domain.definition import hash_of
from wfx.domain.errors import StoreUnusable
from wfx.domain.job import Status
from wfx.domain.json import Json
from wfx.domain.numbers import encode_free_form
from wfx.domain.timestamp import Timestamp
from wfx.domain.workflow import Workflow
from wfx.store.dump import EntryRecord, Header, JobRecord, Record, WorkflowRecord
from wfx.store.findings import UNREADABLE

TABLES = frozenset({"schema_migrations", "tag_jobs"})
"""Tables by which its database is known."""


class ReferenceWorkflow(NamedTuple):
    """A row of its table ``workflow``; documents are JSON as the database has it."""

    number: int
    name: str
    description: str | None
    states: bytes | str
    transitions: bytes | str
    groups: bytes | str


class ReferenceEntry(NamedTuple):
    """A row of its table ``history``."""

    mtime: str
    status: bytes | str | None
    definition: bytes | str | None


class ReferenceJob(NamedTuple):
    """A row of its table ``job``; times are text as ISO 8601 has it."""

    id: str
    client_id: str
    workflow: int | None
    stime: str
    mtime: str
    status: bytes | str
    definition: bytes | str | None


def header_of(workflows: int, jobs: int, entries: int) -> Header:
    """Make the header of a store with so many of each.

    As if an event for each change had been pruned: whoever reads from the oldest event on begins with what is new.
    """
    return Header("", jobs + entries, jobs + entries, workflows, jobs, events=0, consumers=0)


def require_known(name: str, versions: Sequence[tuple[Any, ...]], known: Sequence[int], advice: str = "") -> None:
    """Raise StoreUnusable, with the database's name and advice, unless its schema is one of the known ones.

    The rows of ``schema_migrations`` are ``versions``: a number, and whether the step to it is unfinished.
    """
    if len(versions) != 1:
        fault = f"whose table schema_migrations has {len(versions)} rows in place of one"
    elif versions[0][1]:
        fault = f"whose step to schema version {versions[0][0]} is not finished"
    elif versions[0][0] not in known:
        fault = f"with schema version {versions[0][0]}; this program reads {', '.join(map(str, known))}"
    else:
        return
    raise StoreUnusable(f"{name} is a database of another implementation of this service, {fault}{advice}")


def records_of(
    workflows: Iterable[ReferenceWorkflow],
    jobs: Iterable[tuple[ReferenceJob, Iterable[str], Sequence[ReferenceEntry]]],
) -> Iterator[Record]:
    """Yield records of all workflows, then of all jobs, which come with their tags and history, oldest first.

    Raises ValueError, naming it, for a row that makes no sense.
    """
    known: dict[int, Workflow] = {}
    for workflow, record in _workflows(workflows):
        known[workflow.number] = workflow
        yield record
    for row, names, entries in jobs:
        try:
            yield _job(row, names, entries, known)
        except UNREADABLE as exc:
            raise ValueError(f"job {row.id}: {in_words(exc)}") from exc


_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    (orjson.JSONDecodeError, "a document is not JSON: {}"),
    (KeyError, "a document lacks the member {}"),
    (RecursionError, "a document is nested too deeply"),
    (UnicodeError, "a text is not UTF-8"),
    (ArithmeticError, "a number or a time is out of range"),
    ((AttributeError, TypeError, LookupError), "a document has a value of the wrong type"),
)


def in_words(exc: Exception) -> str:
    """Say what is wrong with a row that cannot be read."""
    return next((text.format(exc) for kinds, text in _REASONS if isinstance(exc, kinds)), str(exc))


def _workflows(rows: Iterable[ReferenceWorkflow]) -> Iterator[tuple[Workflow, WorkflowRecord]]:
    for row in rows:
        try:
            document = {
                "name": row.name, "description": row.description or "", "states": _decoded(row.states),
                "transitions": _decoded(row.transitions) or [], "groups": _decoded(row.groups),
            }  # fmt: skip
            workflow = Workflow.from_wire(document, row.number)
            yield workflow, WorkflowRecord(row.number, None, None, workflow.encoded)
        except UNREADABLE as exc:
            raise ValueError(f"workflow {row.name}: {in_words(exc)}") from exc


def _job(
    row: ReferenceJob, names: Iterable[str], entries: Sequence[ReferenceEntry], workflows: Mapping[int, Workflow]
) -> JobRecord:
    workflow = None if row.workflow is None else workflows.get(row.workflow)
    if workflow is None:
        raise ValueError("its workflow is missing")
    stime = _moment(row.stime)
    moments = list(_rising(stime, [*(_moment(entry.mtime) for entry in entries), _moment(row.mtime)]))
    definition = _decoded(row.definition)
    definition_hash = hash_of(definition)
    present = Status.from_wire(_object("its status", row.status))._replace(definition_hash=definition_hash)
    if present.state not in workflow.positions:
        raise ValueError(f"its workflow has no state {present.state!r}")
    history = map(EntryRecord, range(1, len(moments)), moments, _statuses(entries, present), _definitions(entries))
    return JobRecord(
        id=row.id, client_id=row.client_id, workflow=workflow.number, state=present.state, stime=stime,
        mtime=moments[-1], version=len(moments), definition_hash=definition_hash, tags=tags.ordered(names),
        status=present.encoded, definition=_document(definition), history=tuple(history), history_dropped=0,
    )  # fmt: skip


def _statuses(entries: Sequence[ReferenceEntry], present: Status) -> list[Json]:
    """Return the status of each version before the present one; a change of tags recorded none, as it changed none."""
    found = [present.encoded]
    for entry in reversed(entries):
        document = _object("the status of a history entry", entry.status or b"{}") or {"state": ""}
        found.append(Status.from_wire(document).encoded if document["state"] else found[-1])
    return found[:0:-1]


def _definitions(entries: Sequence[ReferenceEntry]) -> Iterator[Json | None]:
    """Yield the definition before each change of it. Entries tell the one after, so the first one is not known."""
    before: Json | None = None
    for entry in entries:
        after = _document(_decoded(entry.definition))
        yield before if after not in (None, before) else None
        before = after or before


def _rising(earliest: Timestamp, moments: Iterable[Timestamp]) -> Iterator[Timestamp]:
    """Yield the moments, later where it takes that to rise: here a job's time does, whatever the clock did there."""
    least = int(earliest)
    for moment in moments:
        yield (lifted := Timestamp(max(moment, least)))
        least = lifted + 1


def _moment(text: str) -> Timestamp:
    """Read a time in any offset; without one it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time between the years 1 and 9999") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return Timestamp((since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds)


def _decoded(document: bytes | str | None) -> Any:
    """Decode with members in the order in which the reference shows them; PostgreSQL's jsonb has another one."""
    if document is None:
        return None
    return orjson.loads(orjson.dumps(orjson.loads(document), option=orjson.OPT_SORT_KEYS))


def _object(what: str, document: bytes | str) -> dict[str, Any]:
    decoded = _decoded(document)
    if decoded is None:
        return {}
    if type(decoded) is not dict:
        raise ValueError(f"{what} is not a JSON object")
    return decoded


def _document(value: Any) -> Json | None:
    return None if value is None else encode_free_form(value)
