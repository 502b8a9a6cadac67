"""Functions ``flw.*``, ``seq:*`` and ``json:*``: texts, numbers, times, encodings, outputs, sequences."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime

import orjson

from wfx.expressions.functions import CallSite, Function, Parameter
from wfx.expressions.scope import MOST_SET, Scope
from wfx.expressions.values import Value, ValueKind, depth_of, finite, size_of

_TEXT, _NUMBER = ValueKind.TEXT, ValueKind.NUMBER
_LONGEST_LIST = 1000
_DEEPEST_JSON = 32
"""Levels that a value made of JSON may have, as an event has."""
_MOST_PLACES = 10
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _on_text(
    name: str, call: Callable[[str], Value], gives: ValueKind, summary: str, example: str, result: Value
) -> Function:
    return Function(f"flw.{name}", (Parameter("text", _TEXT),), call, gives, summary, f"flw.{name}({example})", result)


def _on_number(name: str, call: Callable[[float], float], summary: str, example: str, result: Value) -> Function:
    def evaluate(number: float) -> int | float:
        return finite(call(finite(number)))

    parameters = (Parameter("number", _NUMBER),)
    return Function(f"flw.math.{name}", parameters, evaluate, _NUMBER, summary, f"flw.math.{name}({example})", result)


def _on_time(name: str, call: Callable[[datetime], Value], gives: ValueKind, summary: str, result: Value) -> Function:
    def evaluate(time: str) -> Value:
        return call(_moment(time))

    example = f'flw.time.{name}("2026-11-30T04:15:00Z")'
    return Function(f"flw.time.{name}", (Parameter("time", _TEXT),), evaluate, gives, summary, example, result)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise ValueError(f"{text[:60]!r} is no time such as 2026-11-30T04:15:00Z") from exc


def _now(scope: Scope) -> str:
    return scope.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _seconds_between(start: str, end: str) -> int | float:
    return finite((_moment(end) - _moment(start)).total_seconds())


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError as exc:
        raise ValueError("this is no base64 of a text in UTF-8") from exc


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _to_json(value: Value) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    except (ValueError, RecursionError) as exc:
        raise ValueError("the value cannot be written as JSON") from exc


def _from_json(text: str) -> Value:
    try:
        value: Value = orjson.loads(text)
    except ValueError as exc:
        raise ValueError("this is no JSON") from exc
    if depth_of(value, _DEEPEST_JSON) > _DEEPEST_JSON:
        raise ValueError(f"the JSON has more than {_DEEPEST_JSON} levels")
    return value


def _number_text(number: float, places: float) -> str:
    return f"{finite(number):.{_whole(places, _MOST_PLACES)}f}"


def _nulls(size: float) -> list[None]:
    return [None] * _whole(size, _LONGEST_LIST)


def _whole(number: float, most: int) -> int:
    """Return a whole number. Raises ValueError for another, and for one that is out of bounds."""
    whole = finite(number)
    if not isinstance(whole, int) or not 0 <= whole <= most:
        raise ValueError(f"a whole number from 0 to {most} is needed")
    return whole


def _language(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


def _country(tag: str) -> str:
    parts = [part for part in tag.replace("_", "-").split("-")[1:] if len(part) == 2 and part.isalpha()]
    return parts[0].upper() if parts else ""


def _set(variables: str) -> Callable[[Scope, str, Value], Value]:
    def evaluate(scope: Scope, name: str, value: Value) -> Value:
        size = size_of(value, scope.room) + len(name)
        if size > scope.room:
            raise ValueError(f"the variables for an event have at most {MOST_SET:,} characters and values")
        scope.room -= size
        getattr(scope, variables)[name] = value
        return value

    return evaluate


def _setter(name: str, variables: str, summary: str) -> Function:
    parameters = (Parameter("varName", _TEXT), Parameter("value"))
    example = f'flw.{name}("tier", "gold")'
    return Function(
        f"flw.{name}", parameters, _set(variables), ValueKind.ANY, summary, example, "gold", CallSite.OUTPUT, True
    )


def _number_of_sequence(scope: Scope, key: str) -> int:
    return scope.draw(key)


def _text_of_sequence(scope: Scope, key: str) -> str:
    return f"{scope.draw(key):06d}"


_KEY = (Parameter("sequenceKey", _TEXT),)
_PAIR = (Parameter("text", _TEXT), Parameter("part", _TEXT))
_TIMES = (Parameter("start", _TEXT), Parameter("end", _TEXT))
_NUMBERS = (Parameter("number", _NUMBER), Parameter("other", _NUMBER))
_FORMATTED = (Parameter("number", _NUMBER), Parameter("places", _NUMBER))

FUNCTIONS = (
    Function("flw.time.now", (), _now, _TEXT, "The time of the evaluation, in UTC.", takes_scope=True),
    _on_time("hour", lambda moment: moment.hour, _NUMBER, "The hour of a time, in UTC.", 4),
    _on_time("weekday", lambda moment: _DAYS[moment.weekday()], _TEXT, "The day of the week, in UTC.", "Monday"),
    Function(
        "flw.time.secondsBetween", _TIMES, _seconds_between, _NUMBER, "How many seconds one time is behind another.",
        'flw.time.secondsBetween("2026-11-30T04:15:00Z", "2026-11-30T04:16:30Z")', 90,
    ),
    _on_text("string.upper", str.upper, _TEXT, "In capitals.", "payload.category", "FOOD"),
    _on_text("string.lower", str.lower, _TEXT, "In small letters.", '"Food"', "food"),
    _on_text("string.trim", str.strip, _TEXT, "Without space at both ends.", '" food "', "food"),
    _on_text("string.length", len, _NUMBER, "How many characters there are.", "payload.category", 4),
    Function(
        "flw.string.startsWith", _PAIR, str.startswith, ValueKind.BOOLEAN, "Whether a text begins with another.",
        'flw.string.startsWith(event.source, "pos-")', True,
    ),
    Function(
        "flw.string.endsWith", _PAIR, str.endswith, ValueKind.BOOLEAN, "Whether a text ends with another.",
        'flw.string.endsWith(event.source, "-system")', True,
    ),
    _on_number("abs", abs, "Without its sign.", "-3", 3),
    _on_number("round", round, "The nearest whole number; halves to the even one.", "2.6", 3),
    _on_number("floor", math.floor, "The whole number below.", "2.6", 2),
    _on_number("ceil", math.ceil, "The whole number above.", "2.1", 3),
    Function(
        "flw.math.min", _NUMBERS, min, _NUMBER, "The smaller of two numbers.", "flw.math.min(payload.amount, 1000)",
        1000,
    ),
    Function("flw.math.max", _NUMBERS, max, _NUMBER, "The larger of two numbers.", "flw.math.max(2, 3)", 3),
    _on_text("locale.language", _language, _TEXT, "The language of a language tag.", '"de-AT"', "de"),
    _on_text("locale.country", _country, _TEXT, "The country of a language tag, or nothing.", '"de-AT"', "AT"),
    Function(
        "flw.format.number", _FORMATTED, _number_text, _TEXT, "A number with so many decimal places.",
        "flw.format.number(payload.amount, 2)", "1500.00",
    ),
    Function(
        "flw.format.date", (Parameter("time", _TEXT),), lambda time: _moment(time).date().isoformat(), _TEXT,
        "The day of a time, in UTC.", 'flw.format.date("2026-11-30T04:15:00Z")', "2026-11-30",
    ),
    _on_text("base64.encode", _encoded, _TEXT, "The base64 of a text.", '"food"', "Zm9vZA=="),
    _on_text("base64.decode", _decoded, _TEXT, "The text of a base64.", '"Zm9vZA=="', "food"),
    Function(
        "flw.io.toJson", (Parameter("value"),), _to_json, _TEXT, "A value as JSON. There are no files.",
        'flw.io.toJson(["a", 1])', '["a",1]',
    ),
    _on_text("io.fromJson", _from_json, ValueKind.ANY, "The value of a JSON text.", r'"[1,2]"', [1, 2]),
    _setter("setOutput", "outputs", "Set a variable for all that follows; the result of the evaluation tells it."),
    _setter("setTransientOutput", "transient", "Set a variable for all that follows."),
    _setter("setLocalOutput", "local", "Set a variable for the rest of the scenario."),
    Function(
        "seq:next", _KEY, _text_of_sequence, _TEXT, "The next number of a sequence, with six digits.",
        'seq:next("rollback")', "000001", CallSite.PARAMETERS, True,
    ),
    Function(
        "seq:nextNumber", _KEY, _number_of_sequence, _NUMBER, "The next number of a sequence.",
        'seq:nextNumber("rollback")', 1, CallSite.PARAMETERS, True,
    ),
    Function("json:array", (), list, ValueKind.LIST, "An empty list.", "json:array()", []),
    Function(
        "json:arrayWithSize", (Parameter("size", _NUMBER),), _nulls, ValueKind.LIST, "A list of so many nulls.",
        "json:arrayWithSize(2)", [None, None],
    ),
    Function("json:object", (), dict, ValueKind.OBJECT, "An empty object.", "json:object()", {}),
)  # fmt: skip
"""The table."""
