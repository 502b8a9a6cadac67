"""The functions of expressions, and those that packages add."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest
from expressions.evaluating import COMPILER, GUIDE_FACTS, scope, value

from wfx.expressions import functions
from wfx.expressions.errors import EvaluationError, ExpressionError
from wfx.expressions.expression import Compiler, Purpose
from wfx.expressions.functions import CallSite, allowed_in_strict_mode, not_allowed_in_strict_mode
from wfx.expressions.library import OWN, own_functions

NAMED = (  # noqa: SIM905 - a table of names
    """
flw.time flw.string flw.math flw.locale flw.format flw.base64 flw.io
flw.setOutput flw.setTransientOutput flw.setLocalOutput seq:next seq:nextNumber
json:array json:arrayWithSize json:object
vars:get vars:getOrDefault vars:containsAny vars:containsAll vars:equals vars:notEquals vars:exists vars:isEmpty
vars:isNotEmpty vars:lowerThan vars:lowerThanOrEquals vars:greaterThan vars:greaterThanOrEquals vars:base64
isUserInAnyGroup isUserInNoGroups findUser findGroupMemberEmails findGroupMemberUserIds
"""
).split()


def named(name: str) -> str:
    """Return the name in the list of 34 under which a function is: of ``flw.time.now`` it is ``flw.time``."""
    parts = name.split(".")
    return ".".join(parts[:2]) if len(parts) == 3 else name


def test_all_named_functions_exist() -> None:
    """There are the 34 named functions, and score."""
    assert len(NAMED) == 34
    assert {named(one.name) for one in OWN} == {*NAMED, "score"}


@pytest.mark.parametrize("function", OWN, ids=lambda one: one.name)
def test_examples(function: functions.Function) -> None:
    """The example of each function gives what the guide says, on the event of the guide."""
    example = function.example or f"{function.name}()"
    purpose = Purpose.OUTPUT if function.call_site is CallSite.OUTPUT else Purpose.VALUE
    found = COMPILER.compile(example, purpose).evaluate(scope(facts=GUIDE_FACTS))
    if function.example:
        assert found == function.result
        assert type(found) is type(function.result)
    else:
        assert (function.name, found) == ("flw.time.now", "2026-11-30T04:15:00Z")


@pytest.mark.parametrize(("text", "expected"), [
    ('vars:get("payload.tags.0")', "lab"),
    ('vars:get("event.type")', "transaction"),
    ('vars:get("nothing")', None),
    ('vars:getOrDefault("nothing", [1])', [1]),
    ('vars:containsAny("category", ["oo", "x"])', True),
    ('vars:containsAll("category", ["oo", "x"])', False),
    ('vars:containsAll("tags", ["lab", "night"])', True),
    ('vars:containsAny("amount", [1500])', False),
    ('vars:equals("nothing", null)', False),
    ('vars:notEquals("nothing", null)', True),
    ('vars:lowerThan("category", 1)', False),
    ('vars:greaterThan("nothing", 1)', False),
    ('vars:isEmpty("amount")', False),
    ('flw.locale.country("zh-Hant")', ""),
    ("flw.math.round(2.5)", 2),
    ("json:arrayWithSize(4 / 2)", [None, None]),
    ("flw.format.number(2.345, 2.0)", "2.35"),
    ('flw.time.hour("2026-11-30T01:00:00+02:00")', 23),
    ('isUserInNoGroups("nobody", "night")', True),
    ('findGroupMemberUserIds(["night", "lab"])', ["dana", "kim"]),
    ('findUser("nobody")', None),
    ('score("nobody")', 0),
    ('seq:next("ticket")', "000042"),
])  # fmt: skip
def test_edges(text: str, expected: object) -> None:
    """Variables that are missing or of another kind make nothing fail, and people are found by groups."""
    assert value(text) == expected


@pytest.mark.parametrize(("text", "message"), [
    ('flw.base64.decode("?")', "no base64"),
    ('flw.base64.decode("/w==")', "no base64 of a text"),
    ('flw.io.fromJson("{")', "no JSON"),
    ('flw.io.fromJson("NaN")', "no JSON"),
    ('flw.io.fromJson("1e400")', "no JSON"),
    ('flw.io.fromJson("\\"\\\\ud800\\"")', "no JSON"),
    (f'flw.io.fromJson("{"[" * 33}{"]" * 33}")', "more than 32 levels"),
    ("flw.io.toJson(payload.deep)", "cannot be written as JSON"),
    ('flw.time.hour("noon")', "is no time such as"),
    ("json:arrayWithSize(1001)", "from 0 to 1000"),
    ("json:arrayWithSize(0.5)", "from 0 to 1000"),
    ("flw.format.number(1, 11)", "from 0 to 10"),
    ("flw.math.floor(payload.huge)", "too large"),
    ("flw.math.floor(payload.endless)", "too large"),
    ("flw.format.number(payload.endless, 1)", "too large"),
    ("findGroupMemberEmails(1)", "groupKeys are a text"),
    ("flw.base64.encode(payload.long)", "more than 65,536 characters"),
])  # fmt: skip
def test_refusals(text: str, message: str) -> None:
    """A function that has no value for its operands says why."""
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(EvaluationError, match=message):
        value(text, {"deep": deep, "huge": 10**400, "long": "x" * 60_000, "endless": float("inf")})


def test_texts_do_not_grow_without_bound() -> None:
    """Functions inside functions that double a text each time are stopped at a length."""
    text = 'payload.quotes == ""'
    for _ in range(40):
        text = text.replace("payload.quotes", "flw.io.toJson(payload.quotes)")
    with pytest.raises(EvaluationError, match="more than 65,536 characters"):
        value(text, {"quotes": '"' * 1000})


def test_numbers_of_a_sequence_follow_each_other() -> None:
    """Each call draws the next number, and the evaluation tells the last one."""
    place = scope()
    draw = COMPILER.compile('[seq:next("ticket"), seq:nextNumber("ticket"), seq:nextNumber("new")]', Purpose.VALUE)
    assert draw.evaluate(place) == ["000042", 43, 1]
    assert place.drawn == {"ticket": 43, "new": 1}


class Added:
    """What a package adds: all methods may be called in strict mode but one."""

    @staticmethod
    def double(number: float, times: int = 1) -> float:
        """Return the number, doubled so many times."""
        return number * 2**times

    @staticmethod
    @not_allowed_in_strict_mode
    def fail(*_values: object) -> None:
        """Fail."""
        raise KeyError("lost")

    @staticmethod
    def leave() -> None:
        """End the program."""
        raise SystemExit(3)

    @staticmethod
    def strange() -> object:
        """Return what is no value."""
        return {1, 2}


Allowed = allowed_in_strict_mode(Added)


def plain(text: str) -> str:
    """Return the text."""
    return text


def with_added(*, strict: bool = False) -> Compiler:
    """Make a compiler that knows the functions of this file."""
    module = __name__
    points = [
        EntryPoint("acme", f"{module}:Allowed", functions.GROUP),
        EntryPoint("plain", f"{module}:plain", functions.GROUP),
    ]
    return Compiler(functions.installed(OWN, points), strict=strict)


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let entry points find this module by its name."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, type(sys)(__name__))
    for name in ("Allowed", "plain", "Added"):
        monkeypatch.setattr(sys.modules[__name__], name, globals()[name], raising=False)


def test_functions_of_packages() -> None:
    """A function of a package is called by the name of its entry point, a method of a class behind a dot."""
    for text, expected in {"acme.double(3)": 6, "acme.double(3, 2)": 12, 'plain("a")': "a"}.items():
        assert with_added().compile(text, Purpose.VALUE).evaluate(scope()) == expected
    with pytest.raises(ExpressionError, match="takes 1 to 2 values, not 0"):
        with_added().compile("acme.double()", Purpose.VALUE)
    for text, message in {
        "acme.fail(1)": "acme.fail failed with KeyError",
        "acme.leave()": "acme.leave failed with SystemExit: 3",
        "acme.strange()": "set is no kind of value",
        "acme.double(true, payload)": "acme.double failed with TypeError",
    }.items():
        with pytest.raises(EvaluationError, match=message):
            with_added().compile(text, Purpose.VALUE).evaluate(scope())


def test_strict_mode() -> None:
    """In strict mode only our functions may be called, and what a package allows; a method can be taken out."""
    strict = with_added(strict=True)
    assert strict.compile("acme.double(3)", Purpose.VALUE).evaluate(scope()) == 6
    assert strict.compile('vars:exists("amount")', Purpose.CONDITION).evaluate(scope()) is True
    for text in ("acme.fail(1)", 'plain("a")'):
        with pytest.raises(ExpressionError, match="not allowed in strict mode"):
            strict.compile(text, Purpose.VALUE)


def test_two_functions_of_one_name() -> None:
    """A package cannot replace a function, and one that cannot be loaded is named."""
    with pytest.raises(ValueError, match="two functions score"):
        functions.installed(OWN, [EntryPoint("score", f"{__name__}:plain", functions.GROUP)])
    with pytest.raises(ValueError, match="the function gone of nowhere:x cannot be used"):
        functions.installed(OWN, [EntryPoint("gone", "nowhere:x", functions.GROUP)])
    assert own_functions().allowed(strict=True).by_name.keys() == own_functions().by_name.keys()
