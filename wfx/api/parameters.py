"""Parser of query strings, compiled from the OpenAPI document (rest-api section 2)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from wfx.api import times
from wfx.api.bad_request import BadRequest
from wfx.api.schema_rules import PATTERNS
from wfx.api.spec import CONTRACT, operations
from wfx.commandline.grammar import closest
from wfx.domain.job_list import ALWAYS, Period
from wfx.domain.query import JobQuery, Paging

Reader = Callable[[str], Any]

_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_MEASURES = {"date-time": times.moment, "duration": times.duration}
"""What is read as a number of microseconds, by the format of the schema."""
_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,19})")
_PART_OF_LIST = re.compile(r"\\[\\,]|,|[^\\,]+|\\")
_MOST_NAMED, _LONGEST_NAME = 5, 40
"""How many unknown parameters are named, and how long a name may be to be compared with others."""
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class ReadParameters(Protocol):
    """Reads the query string of an operation; see :func:`compile_parameters`."""

    def __call__(self, query: bytes, unknown: list[str] | None = None) -> dict[str, Any]:
        """Return a value for each parameter, and add to the list what is not known."""


def compile_parameters(operation_id: str) -> ReadParameters:
    """Return the reader of an operation's query string.

    The reader returns a new mapping with a value for each query parameter: the default, or None, where it is left out.
    Lists come as tuples. The reader raises BadRequest when a parameter is given twice or has a value that the document
    does not allow. What is unknown or cannot be decoded is ignored by the contract's API, which names the former, and
    refused by the others.
    """
    operation = operations()[operation_id]
    described = [p for p in operation.parameters if p["in"] == "query"]
    defaults = {p["name"]: _default(p["schema"]) for p in described}
    if operation.document == CONTRACT:
        return _lenient({p["name"]: _reader(p, _split) for p in described}, defaults)
    return _strict({p["name"]: _reader(p, _items) for p in described}, defaults)


def _lenient(readers: dict[str, Reader], defaults: dict[str, Any]) -> ReadParameters:

    def read(query: bytes, unknown: list[str] | None = None) -> dict[str, Any]:
        values = defaults.copy()
        if not query:
            return values
        seen: set[str] = set()
        for segment in query.split(b"&"):
            raw_name, _, raw_value = segment.partition(b"=")
            name = _decode(raw_name)
            if name is None or b";" in segment or (text := _decode(raw_value)) is None:
                continue
            if name not in readers:
                if name and unknown is not None:
                    unknown.append(f"parameter {name}")
                continue
            if name in seen:
                raise BadRequest(f"parameter '{name}' is given more than once")
            seen.add(name)
            values[name] = readers[name](text)
        return values

    return read


def _strict(readers: dict[str, Reader], defaults: dict[str, Any]) -> ReadParameters:
    def read(query: bytes, unknown: list[str] | None = None) -> dict[str, Any]:  # noqa: ARG001 - nothing is ignored
        given: dict[str, str] = {}
        for segment in filter(None, query.split(b"&")):
            raw_name, _, raw_value = segment.partition(b"=")
            name, text = _decode(raw_name), _decode(raw_value)
            if name is None or text is None:
                raise BadRequest(f"'{segment.decode('latin-1')}' in the query: % is not followed by two hex digits")
            if _REPLACED in name + text and not _is_utf8(segment):
                raise BadRequest(f"'{segment.decode('latin-1')}' in the query: it is not UTF-8")
            if name in given and name in readers:
                raise BadRequest(f"parameter '{name}' is given more than once")
            given[name] = text
        if others := [name for name in given if name not in readers]:
            raise BadRequest(_unknown(others, [*readers]))
        return defaults | {name: readers[name](text) for name, text in given.items()}

    return read


def _is_utf8(segment: bytes) -> bool:
    try:
        unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        return False
    return True


def _unknown(names: list[str], known: list[str]) -> str:
    """Name parameters that there are not, with what may have been meant."""
    named = [f"'{name}'{closest(name, known) if len(name) <= _LONGEST_NAME else ''}" for name in names[:_MOST_NAMED]]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"unknown parameter{'s' if len(names) > 1 else ''} {', '.join(named)}{more}"


def paging_of(query: dict[str, Any]) -> Paging:
    """Return the part of the result that was asked for (rest-api section 4.6)."""
    return Paging(
        offset=query["offset"], limit=query["limit"], descending=query["sort"] == "desc", with_total=query["pagination"]
    )


def period_of(since: int | None, until: int | None, unchanged: int | None = None) -> Period:
    """Return the period between two moments, where they are given, that ends so long ago at the latest."""
    begin, end = _within(since, ALWAYS.since), _within(until, ALWAYS.until)
    return Period(begin, end if unchanged is None else min(end, time.time_ns() // 1000 - unchanged + 1))


def _within(given: int | None, otherwise: int) -> int:
    return otherwise if given is None else max(ALWAYS.since, min(given, ALWAYS.until))


def job_query_of(query: dict[str, Any], paging: Paging) -> JobQuery:
    """Return which jobs were asked for."""
    return JobQuery(
        client_id=query["clientId"],
        state=query["state"],
        workflow=query["workflow"],
        groups=tuple(query["group"]),
        tags=tuple(query["tag"]),
        paging=paging,
    )


def _default(schema: dict[str, Any]) -> Any:
    default = schema.get("default")
    return tuple(default) if isinstance(default, list) else default


def _decode(part: bytes) -> str | None:
    """Undo the encoding of a name or value; None if it is broken. What is no UTF-8 becomes U+FFFD."""
    if b"+" in part:
        part = part.replace(b"+", b" ")
    if b"%" in part:
        if _BROKEN_PERCENT.search(part):
            return None
        part = unquote_to_bytes(part)
    return part.decode("utf-8", "replace")


def _split(text: str) -> list[str]:
    return text.split(",")


def _items(text: str) -> list[str]:
    r"""Take a list apart at its commas; ``\,`` is a comma in an item, and ``\\`` a backslash."""
    if "\\" not in text:
        return _split(text)
    items: list[list[str]] = [[]]
    for part in _PART_OF_LIST.findall(text):
        if part == ",":
            items.append([])
        else:
            items[-1].append(part[1:] if len(part) == 2 and part[0] == "\\" else part)
    return ["".join(item) for item in items]


def _reader(parameter: dict[str, Any], split: Callable[[str], list[str]]) -> Reader:
    name, schema = parameter["name"], parameter["schema"]
    match schema["type"]:
        case "integer":
            return _integer_reader(name, schema)
        case "boolean":
            return _boolean_reader(name)
        case "array":
            return _list_reader(name, schema, split, may_be_empty=parameter.get("allowEmptyValue", False))
    if (read := _MEASURES.get(schema.get("format", ""))) is not None:
        return _measure_reader(name, schema, read)
    return _text_reader(name, schema)


def _integer_reader(name: str, schema: dict[str, Any]) -> Reader:
    lowest, highest = _RANGES[schema["format"]]
    lowest, highest = schema.get("minimum", lowest), schema.get("maximum", highest)

    def read(text: str) -> int:
        if (found := _INTEGER.fullmatch(text)) is None:
            raise BadRequest(f"parameter '{name}': '{text}' is no integer between {lowest} and {highest}")
        value = int(found[1] + found[2])
        if not lowest <= value <= highest:
            raise BadRequest(f"parameter '{name}': {value} is not between {lowest} and {highest}")
        return value

    return read


def _measure_reader(name: str, schema: dict[str, Any], measure: Callable[[str], int]) -> Reader:
    read_text = _text_reader(name, schema)

    def read(text: str) -> int:
        try:
            return measure(read_text(text))
        except ValueError as exc:
            raise BadRequest(f"parameter '{name}': '{text}' {exc}") from exc

    return read


def _boolean_reader(name: str) -> Reader:
    def read(text: str) -> bool:
        if (value := _BOOLEANS.get(text)) is None:
            raise BadRequest(f"parameter '{name}': '{text}' is neither true nor false")
        return value

    return read


def _list_reader(name: str, schema: dict[str, Any], split: Callable[[str], list[str]], *, may_be_empty: bool) -> Reader:
    most = schema.get("maxItems")
    read_item = _text_reader(name, schema["items"], ", or one of its items is")

    def read(text: str) -> tuple[str, ...]:
        if not text and not may_be_empty:
            raise BadRequest(f"parameter '{name}' is empty")
        items = split(text)
        if most is not None and len(items) > most:
            raise BadRequest(f"parameter '{name}': {len(items)} items are more than {most}")
        return tuple(map(read_item, items))

    return read


def _mismatch(pattern: str, text: str) -> str:
    """Say what a pattern demands of a text that is otherwise."""
    return "contains U+0000" if "\x00" in text else PATTERNS.get(pattern, f"does not match {pattern}")


def _text_reader(name: str, schema: dict[str, Any], in_list: str = "") -> Reader:
    words, shortest, longest = schema.get("enum"), schema.get("minLength", 0), schema.get("maxLength")
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None

    def read(text: str) -> str:
        if words is not None and text not in words:
            raise BadRequest(f"parameter '{name}': '{text}' is none of {', '.join(filter(None, words))}")
        if len(text) < shortest:
            raise BadRequest(f"parameter '{name}' is empty{in_list}")
        if longest is not None and len(text) > longest:
            raise BadRequest(f"parameter '{name}': '{text}' is longer than {longest} characters")
        if pattern is not None and not pattern.fullmatch(text):
            raise BadRequest(f"parameter '{name}': '{text}' {_mismatch(pattern.pattern, text)}")
        return text

    return read
