from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import assume, example, given

from tests.domain.samples import applied, new_job, numbers, objects, values
from wfx.domain import definition, transition
from wfx.domain.definition import Definition, depth_within, hash_of
from wfx.domain.job import Action, Status
from wfx.domain.json import Json, decode, encode
from wfx.domain.numbers import encode_free_form, normalise
from wfx.domain.workflow import Actor
from wfx.jq_language.numbers import text_of

EMPTY = "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
MANY: dict[str, Any] = {"b": [1, -0.0, 2.5, 1e21, None, True, False, []], "a b": 'x"y', "a": {"k": 10}}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, EMPTY),
        ({}, EMPTY),
        ({"a": None}, "780ff67f3fb3b387c039a77052e5d7e350c00c5730fa764cef33ee9a93b1e1c0"),
        ({"a": []}, "7ebfb93509a6a6540128a7bd0496879dc7a3287e500b005c01a0188e8d7d9fb7"),
        ({"a": {}}, "7ebfb93509a6a6540128a7bd0496879dc7a3287e500b005c01a0188e8d7d9fb7"),
        (MANY, "c5a3552d00970547e51cb14fb24ab59e40d9f20d99e19d19cd2560affa58057c"),
    ],
)
def test_hash_is_the_contracts(wanted: dict[str, Any] | None, expected: str) -> None:
    """The hash of a definition is the one that devices know."""
    assert hash_of(wanted) == expected


@pytest.mark.parametrize(
    ("value", "canonical"),
    [
        (0, "0E+00"),
        (-0.0, "-0E+00"),
        (10, "1E+01"),
        (-10, "-1E+01"),
        (123456, "1.23456E+05"),
        (0.1, "1E-01"),
        (5e-324, "5E-324"),
        (1e100, "1E+100"),
        (1.7976931348623157e308, "1.7976931348623157E+308"),
        (2**53 + 1, "9.007199254740992E+15"),
        (2**64 - 1, "1.8446744073709552E+19"),
        (10**30, "1E+30"),
        (True, "t"),
        (False, "f"),
        (None, "<invalid Value>"),
        ('"\\/<\n\U0001f642', '""\\/<\n\U0001f642"'),
        ([1, "x", [None]], '[1E+00,"x",[<invalid Value>]]'),
        (
            {"a": 1, "a b": 2, "a!": 3, "aa": 4, "ä": 5, "": 6},
            '["":6E+00,"a b":2E+00,"a!":3E+00,"a":1E+00,"aa":4E+00,"ä":5E+00]',
        ),
    ],
)
def test_hash_covers_the_canonical_form(value: Any, canonical: str) -> None:
    """Each kind of value enters the hash in the form that the contract gives it."""
    assert hash_of({"v": value}) == sha256(f'["v":{canonical}]'.encode()).hexdigest()


@given(numbers)
@example(1e16)
@example(-1e-5)
@example(123456789012345.0)
@example(-(2**53))
def test_numbers_are_hashed_by_their_fewest_digits(number: float) -> None:
    """A number enters the hash as a double, in scientific notation with the fewest digits that identify it."""
    mantissa, _, exponent = f"{Decimal(repr(float(number))).normalize():E}".partition("E")
    canonical = f'["n":{mantissa}E{exponent[0]}{exponent[1:]:0>2}]'
    assert hash_of({"n": number}) == sha256(canonical.encode()).hexdigest()


def turned(value: Any) -> Any:
    """Return the value with the members of each object the other way round."""
    match value:
        case dict():
            return {key: turned(value[key]) for key in reversed(value)}
        case list():
            return [turned(item) for item in value]
    return value


@given(objects)
def test_hash_ignores_the_order_of_members(wanted: dict[str, Any]) -> None:
    """The same definition with its members in another order has the same hash."""
    assert hash_of(turned(wanted)) == hash_of(wanted)


@given(objects)
def test_hash_survives_storage(wanted: dict[str, Any]) -> None:
    """A definition that was stored and read again has the hash that it came with."""
    assert hash_of(decode(encode_free_form(wanted))) == hash_of(wanted)


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("1.0", "1"),
        ("-7.0", "-7"),
        ("1e2", "100"),
        ("2.5", "2.5"),
        ("-0.0", "-0.0"),
        ("0.0", "0"),
        ("9007199254740992", "9007199254740992"),
        ("9007199254740993", "9007199254740992"),
        ("-9007199254740993", "-9007199254740992"),
        ("9223372036854775807", "9223372036854776000"),
        ("1e18", "1000000000000000000"),
        ("18446744073709551615", "18446744073709552000"),
        ("-9223372036854775808", "-9223372036854776000"),
        ("100000000000000000000", "100000000000000000000"),
        ("1e21", "1e+21"),
        ("0.0000015", "0.0000015"),
        ("1e-7", "1e-7"),
        ('["1e+20", "-0.0 \\\\\\""]', '["1e+20","-0.0 \\\\\\""]'),
        ("5e-324", "5e-324"),
    ],
)
def test_numbers_are_shown_as_doubles(given_text: str, shown: str) -> None:
    """A number comes back as the double it is: whole ones without a fraction, large ones with the digits they have."""
    assert encode_free_form(orjson.loads(given_text)) == shown.encode()


@given(numbers)
def test_a_number_is_spelled_as_by_filters(number: float) -> None:
    """A number of a definition is spelled as response filters and wfxctl spell it, but for negative zero."""
    assume(number != 0)
    with suppress(OverflowError):
        assert encode_free_form([number, {"a": number}]) == b'[%b,{"a":%b}]' % ((text_of(float(number)).encode(),) * 2)


@given(numbers)
def test_normal_number_is_the_same_double(number: float) -> None:
    """A number keeps its value as a double, is printable, and is left alone the second time."""
    normal = normalise(number)
    again = decode(encode(normal))
    assert repr(float(normal)) == repr(float(number)) == repr(float(again))
    assert normalise(again) == normal
    assert type(normalise(again)) is type(normal)


@given(values)
def test_normal_value_has_the_same_shape(value: Any) -> None:
    """Nothing but the kind and precision of numbers changes, and the value that came in stays as it was."""
    before = repr(value)
    normal = normalise(value)
    assert repr(value) == before
    assert as_doubles(normal) == as_doubles(value)
    assert list(map(repr, [normalise(normal)])) == [repr(normal)]


def as_doubles(value: Any) -> str:
    """Write the value with every number as a double."""
    match value:
        case dict():
            return "{" + ",".join(f"{key!r}:{as_doubles(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(as_doubles, value)) + "]"
        case bool() | str() | None:
            return repr(value)
    return repr(float(value))


def test_normal_value_is_not_copied() -> None:
    """A value in which nothing needs changing is returned itself."""
    value = {"a": [1, 2.5, {"b": None}], "c": "text", "d": True}
    assert normalise(value) is value


def test_too_large_an_integer_is_an_overflow() -> None:
    """An integer beyond all doubles is refused, not guessed."""
    with pytest.raises(OverflowError):
        normalise([10**400])


def nested(depth: int) -> Any:
    """Nest arrays and objects in turn."""
    value: Any = "core"
    for level in range(depth):
        value = [0, value] if level % 2 else {"a": 1, "b": value}
    return value


@pytest.mark.parametrize("depth", [0, 1, 2, 99, 100, 101, 100_000])
def test_depth_is_counted_exactly(depth: int) -> None:
    """A value is within a depth of 100 up to the hundredth nested level and not beyond, however deep it is."""
    assert depth_within(nested(depth), 100) == (depth <= 100)


@given(values)
def test_depth_is_that_of_the_brackets(value: Any) -> None:
    """The depth of a value is the number of brackets open at once in its text."""
    deepest = depth = 0
    for kind in skeleton(value):
        depth += 1 if kind == "[" else -1
        deepest = max(deepest, depth)
    assert depth_within(value, deepest)
    assert deepest == 0 or not depth_within(value, deepest - 1)


def skeleton(value: Any) -> str:
    """Write only the brackets of the value."""
    match value:
        case dict():
            return "[" + "".join(map(skeleton, value.values())) + "]"
        case list():
            return "[" + "".join(map(skeleton, value)) + "]"
    return ""


def test_hundred_levels_are_hashed_and_shown() -> None:
    """A definition of the greatest depth that is let in can be hashed, normalised and stored."""
    deep = {"a": nested(99)}
    assert decode(encode(normalise(deep))) == deep
    assert len(hash_of(deep)) == 64


@given(objects)
def test_new_definition_changes_only_itself_and_its_hash(wanted: dict[str, Any]) -> None:
    """A new definition replaces the old one whole; of the status only the hash changes."""
    job = new_job(definition={"old": 1}, tags=("a",))
    context = encode({"x": 1.5, "y": {"definitionHash": job.definition_hash}})
    reported = Status("RUN", "press-7", 5, f'on <it>","definitionHash":"{job.definition_hash}"', context)
    job = applied(job, transition.decide(job, reported, Actor.WFX))
    change = definition.decide(job, Definition.of(wanted))
    assert change.action is Action.UPDATE_DEFINITION
    assert change.definition == encode_free_form(wanted)
    assert change.definition_hash == hash_of(wanted)
    assert decode(change.status) == {**decode(job.status), "definitionHash": hash_of(wanted)}
    assert list(decode(change.status)) == sorted(decode(change.status))
    assert (change.state, change.tags) == (job.state, job.tags)


def test_a_new_definition_does_not_look_into_the_context() -> None:
    """However large the context of a status is, a new definition costs no more: the context is taken over unread."""
    job = new_job(definition={"old": 1})
    unreadable = Json(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}")
    job = applied(job, transition.decide(job, Status("RUN", context=unreadable), Actor.WFX))
    change = definition.decide(job, Definition.of({"new": 2}))
    assert change.status == job.status.replace(job.definition_hash.encode(), hash_of({"new": 2}).encode())
