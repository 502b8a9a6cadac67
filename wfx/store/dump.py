"""Portable dump of a store: JSON lines, with a header, a record each, and a hash at the end.

``docs/operations.md`` describes them. Documents (definitions, statuses, workflows, what events say) are parts of the
lines and, read again, the same bytes as in the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, TypeVar, get_type_hints

import orjson

from wfx.domain.errors import StoreUnusable
from wfx.domain.json import Json, embedded
from wfx.domain.numbers import encode_free_form
from wfx.store.dump_rule_records import RuleRecord, ScoreRecord, ScriptRecord, SequenceRecord, TaskRecord

FORMAT = 3
"""Version of the format. Dumps of version 1, which have no devices, and of 2, which have nothing of rules, are read."""
_LACKING: Mapping[object, Mapping[str, int]] = {
    1: {"devices": 0, "tasks": 0, "scores": 0, "sequences": 0, "scripts": 0},
    2: {"tasks": 0, "scores": 0, "sequences": 0, "scripts": 0},
    FORMAT: {},
}
"""What the header of each version that is read does not have."""
_HEADER, _END = "wfx-dump", "end"
"""Kinds of the first and the last line."""
_AS_TEXT = "Text"
"""Ends the name of a member that has a document as a string: re-encoded it would be other bytes."""
_LONGEST_REASON = 300
"""Characters of a reason that are shown: it may repeat a value of any length."""
_INTEGERS = range(-(1 << 63), 1 << 63)
"""Integers that databases can hold."""


class Header(NamedTuple):
    """What a dump is of."""

    log_id: str
    """The identity of the log."""
    horizon: int
    """The newest event that was pruned."""
    head: int
    """The newest event."""
    workflows: int
    jobs: int
    events: int
    consumers: int
    devices: int = 0
    tasks: int = 0
    scores: int = 0
    sequences: int = 0
    scripts: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """How many records there are of each kind, in the order of the dump."""
        return (
            self.workflows, self.jobs, self.events, self.consumers, self.devices, self.tasks, self.scores,
            self.sequences, self.scripts,
        )  # fmt: skip

    @property
    def records(self) -> int:
        """How many records there are."""
        return sum(self.counts)


class WorkflowRecord(NamedTuple):
    """A workflow; also a deleted one that events refer to."""

    number: int
    """What jobs and events refer to it by."""
    created: int | None
    """The event of its creation, if that is known."""
    deleted: int | None
    """The event of its deletion; None if it is there."""
    document: Json


class EntryRecord(NamedTuple):
    """A history entry of a job."""

    version: int
    mtime: int
    status: Json
    definition: Json | None


class JobRecord(NamedTuple):
    """A job; the order of the records is that of creation."""

    id: str
    client_id: str
    workflow: int
    state: str
    stime: int
    mtime: int
    version: int
    definition_hash: str
    tags: Json
    status: Json
    definition: Json | None
    history: tuple[EntryRecord, ...]
    """Oldest first."""
    history_dropped: int
    """Entries that were dropped from the middle of its history."""


class EventRecord(NamedTuple):
    """An event; the order of the records is that of the log."""

    seq: int
    ctime: int
    action: str
    job_id: str
    client_id: str
    workflow: int
    payload: Json
    state_before: str | None
    cause: Json | None


class ConsumerRecord(NamedTuple):
    """A consumer of the log."""

    name: str
    position: int
    steps: int
    lost: int


class DeviceRecord(NamedTuple):
    """What is known of a device beside its jobs."""

    client_id: str
    first_seen: int | None
    last_seen: int | None
    version: str
    unclaimed: bool
    """Whether there was no job of it when it was seen, and nothing was said about it."""
    description: Json


Record = WorkflowRecord | JobRecord | EventRecord | ConsumerRecord | DeviceRecord | RuleRecord
_Shape = TypeVar("_Shape", bound=tuple[Any, ...])
_KINDS: Mapping[str, type[Record]] = {
    "workflow": WorkflowRecord,
    "job": JobRecord,
    "event": EventRecord,
    "consumer": ConsumerRecord,
    "device": DeviceRecord,
    "task": TaskRecord,
    "score": ScoreRecord,
    "sequence": SequenceRecord,
    "script": ScriptRecord,
}
"""Kinds of records, in the order of the dump."""
_NAMES = {shape: kind for kind, shape in _KINDS.items()}


def lines(header: Header, records: Iterable[Record]) -> Iterator[bytes]:
    """Write a dump, line by line."""
    digest = hashlib.sha256()
    for line in _before_end(header, records):
        digest.update(line)
        yield line
    yield _line({"kind": _END, "sha256": digest.hexdigest()})


def _before_end(header: Header, records: Iterable[Record]) -> Iterator[bytes]:
    yield _line({"kind": _HEADER, "format": FORMAT, **_members(header)})
    for record in records:
        kind = _NAMES[type(record)]
        try:
            line = _line({"kind": kind, **_members(record)})
        except (TypeError, ValueError, OverflowError, RecursionError) as exc:
            raise StoreUnusable(f"{kind} {record[0]} cannot be written ({exc}); wfx check tells more") from exc
        yield line


def require_types(record: tuple[Any, ...]) -> None:
    """Raise ValueError for a record, or a header, with a value that is not of the type that its shape says."""
    for (member, types), value in zip(_fields(type(record)), record, strict=True):
        if type(value) not in types:
            raise _wrong_type(member, value)
        if type(value) is int and value not in _INTEGERS:
            raise _out_of_range(member, value)
        if type(value) is str:
            value.encode()  # fails for what is no text in the database
        elif type(value) is bytes:
            value.decode()
        elif type(value) is tuple:
            for entry in value:
                require_types(entry)


class SourceRefused(StoreUnusable):
    """What is imported is wrong: no import of it that is called again would go on."""


class DumpReader:
    """Reads a dump. Raises SourceRefused, naming file and line, for what is not one or was changed.

    For one that ends too early or cannot be read it raises StoreUnusable: the rest of it may come another time.
    """

    def __init__(self, name: str, source: Iterable[bytes]) -> None:
        """Read the header of this file, or of what is called by this name."""
        self._name = name
        self._source = iter(source)
        self._digest = hashlib.sha256()
        self._number = 0
        document = self._next()
        if document.get("kind") != _HEADER:
            raise self.refusal("it is not the header of a dump")
        version = document.get("format")
        if type(version) is not int or version not in _LACKING:
            raise self.refusal(f"the dump has format {version!r}, this program reads 1 to {FORMAT}")
        self.header = self._shaped(Header, {**_LACKING[version], **document})
        if min(self.header.counts) < 0:
            raise self.refusal("the header has a negative number of records")

    def records(self) -> Iterator[Record]:
        """Yield the records; behind the last one, the dump has proved to be whole and unchanged."""
        for (kind, shape), count in zip(_KINDS.items(), self.header.counts, strict=True):
            for _ in range(count):
                document = self._next()
                if document.get("kind") != kind:
                    raise self.refusal(f"a record of kind {kind!r} is missing here; there is {document.get('kind')!r}")
                yield self._shaped(shape, document)
        self._end(self._digest.hexdigest())

    def _end(self, digest: str) -> None:
        if self._next() != {"kind": _END, "sha256": digest}:
            raise self.refusal("it does not match the lines before it: the dump was changed, or is damaged")
        if self._next_line() is not None:
            raise self.refusal("the dump has ended before it")

    def refusal(self, reason: object) -> SourceRefused:
        """Make the exception for the line that was read last."""
        return SourceRefused(self._about_line(reason))

    def _about_line(self, reason: object) -> str:
        text = str(reason)
        shown = text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
        return f"{self._name}, line {self._number}: {shown}"

    def _next_line(self) -> bytes | None:
        self._number += 1
        try:
            return next(self._source, None)
        except OSError as exc:
            raise StoreUnusable(self._about_line(f"it cannot be read: {exc.strerror}")) from exc

    def _next(self) -> dict[str, Any]:
        line = self._next_line()
        if line is None:
            raise StoreUnusable(self._about_line("it ends here, but the dump is not whole"))
        try:
            document = orjson.loads(line)
        except ValueError as exc:
            raise self.refusal(f"it is not a line of a dump: {exc}") from exc
        if not isinstance(document, dict):
            raise self.refusal("it is not a JSON object")
        self._digest.update(line)
        return document

    def _shaped(self, shape: type[_Shape], document: dict[str, Any]) -> _Shape:
        try:
            return _read(shape, document)
        except (LookupError, TypeError, ValueError, OverflowError, RecursionError) as exc:
            raise self.refusal(exc) from exc


def _line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _members(record: tuple[Any, ...]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for (member, _), value in zip(_fields(type(record)), record, strict=True):
        if isinstance(value, bytes):
            exact = encode_free_form(orjson.loads(value)) == value
            members[member if exact else member + _AS_TEXT] = embedded(Json(value)) if exact else value.decode()
        elif isinstance(value, tuple):
            members[member] = [_members(entry) for entry in value]
        else:
            members[member] = value
    return members


def _read(shape: type[_Shape], document: Any) -> _Shape:
    if type(document) is not dict:
        raise ValueError(f"a JSON object was to come instead of {document!r}")
    try:
        return shape(*[read(document) for read in _readers(shape)])
    except KeyError as exc:
        raise ValueError(f"member {exc} is missing") from exc


_Reader = Callable[[dict[str, Any]], Any]
"""Reads one member of a line. Raises KeyError if it is missing, ValueError if it has a value of another type."""


@cache
def _readers(shape: type[tuple[Any, ...]]) -> list[_Reader]:
    return [_reader(member, types) for member, types in _fields(shape)]


def _reader(member: str, types: tuple[type, ...]) -> _Reader:
    if bytes in types:
        return _document_reader(member, optional=type(None) in types)
    if tuple in types:
        return lambda document: _entries(member, document[member])

    def read(document: dict[str, Any]) -> Any:
        value = document[member]  # texts of JSON are always such as a database can have
        if type(value) not in types:
            raise _wrong_type(member, value)
        if type(value) is int and value not in _INTEGERS:
            raise _out_of_range(member, value)
        return value

    return read


def _document_reader(member: str, *, optional: bool) -> _Reader:
    as_text = member + _AS_TEXT

    def read(document: dict[str, Any]) -> Any:
        if (text := document.get(as_text)) is not None:
            orjson.loads(text)
            return Json(text.encode())
        value = document[member]
        return None if value is None and optional else encode_free_form(value)

    return read


def _entries(member: str, entries: Any) -> tuple[EntryRecord, ...]:
    if type(entries) is not list:
        raise _wrong_type(member, entries)
    return tuple([_read(EntryRecord, entry) for entry in entries])


def _wrong_type(member: str, value: object) -> ValueError:
    return ValueError(f"member {member!r} has a value of the wrong type: {value!r}")


def _out_of_range(member: str, value: int) -> ValueError:
    return ValueError(f"member {member!r} has a number that is out of range: {value}")


_TYPES: Mapping[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    bool: (bool,),
    float: (float,),
    Json: (bytes,),
    int | None: (int, type(None)),
    str | None: (str, type(None)),
    Json | None: (bytes, type(None)),
    tuple[EntryRecord, ...]: (tuple,),
}


@cache
def _fields(shape: type[tuple[Any, ...]]) -> list[tuple[str, tuple[type, ...]]]:
    """Return the names of the members on the lines, and what they are made of; documents are bytes."""
    return [(_camel_case(name), _TYPES[hint]) for name, hint in get_type_hints(shape).items()]


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))
