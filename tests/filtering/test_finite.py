from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from tests.filtering.json_programs import finite_programs, values, written
from wfx.filtering import finite
from wfx.filtering.finite import Leaf, Pipe
from wfx.filtering.grammar import recognise


def recognised(text: str) -> Leaf | Pipe:
    """Recognise a text that is surely of the grammar."""
    program = recognise(text)
    assert program is not None
    return program


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(finite_programs, values)
@example(". | .[0]", "text")
@example("del(.a, .a.b)", {"a": {"b": 1}})
@example("del(.[]?[0], .[1])", [[1, 2], [3], 4])
@example(".[] | .a", {"b": {"a": 1}, "a": 2})
@example("[.[].a]", [{"a": 1}, 2])
@example(". == 1", True)
@example(".", 1e300)
def test_the_process_and_a_worker_give_the_same_bytes(bench: Any, text: str, value: object) -> None:
    """A finite program gives the same, byte for byte, whether it runs here or in jq."""
    program = recognise(text)
    if program is not None:
        assert finite.run(program, written(value)) == bench.run_in_worker(text, written(value))


@settings(deadline=None)
@given(finite_programs, values)
@example(".a | .a", {})
@example(".[] | type", [1, 1, 1])
@example("keys", [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
@example('"a long text" == "a"', 1)
@example("map(.[] | {a: .})", [[], [1], {"b": 2}])
def test_the_output_stays_below_the_bound(text: str, value: object) -> None:
    """No program produces more than its growth times the document."""
    program, document = recognise(text), written(value)
    if program is not None:
        assert len(finite.run(program, document)) <= program.growth * (len(document) + 1)


def test_constructors_of_constructors_have_a_large_bound() -> None:
    """A short program that doubles its input again and again is known to grow, so it does not run here."""
    assert recognised("|".join(["[., .]"] * 14)).growth > 2**14


def test_a_value_is_not_changed_by_deleting_from_it() -> None:
    """What one part of a program deletes is still there for the next part."""
    output = finite.run(recognised("del(.a.b), ., del(.a), .a"), b'{"a":{"b":1}}')
    assert output.splitlines() == [b'{"a":{}}', b'{"a":{"b":1}}', b"{}", b'{"b":1}']


@pytest.mark.parametrize(("text", "document", "expected"), [
    (".[-1], .[-3], .[-4], .[2], .[3]", "[1,2,3]", "3 1 null 3 null"),
    (".a, .[0], .[0]?, .b.c", "null", "null null null null"),
    (".[]?, .a?, .[0]?", '"text"', ""),
    (".[], .a", '"text"', "{} {}"),
    (".[]", '{"b":1,"a":2}', "2 1"),
    (".[] | .a | .b", '[{"a":{"b":1}},2,{"a":3},{"a":{"b":4}}]', "1 {} {} 4"),
    (".[].a.b, .c[].b", '{"a":{"a":{"b":1}},"b":2,"c":[{"b":3},4,{"b":5}]}', "1 {} {} 3 {} 5"),
    ("has(0), has(2), has(3), has(-1)", "[0,0,0]", "true true false false"),
    ('has("a"), has("b")', '{"a":null}', "true false"),
    ('has(0), has("a")', "null", "false false"),
    ('has("a")', "[]", "{}"),
    ("has(0)", "{}", "{}"),
    (".[] | select(.)", '[0,"",[],{},false,null,true]', '0 "" [] {} true'),
    (".[] | not", '[0,"",false,null,true]', "false false true true false"),
    (".[] | length", '[-1.5,-2,null,"äb",[1],{"a":1},true]', "1.5 2 0 2 1 1 {}"),
    (".[] | keys", '[{"b":1,"a":2},[5,6],1]', '["a","b"] [0,1] {}'),
    (".[] | type", '[1,1.5,"a",true,null,[],{}]', '"number" "number" "string" "boolean" "null" "array" "object"'),
    (".[] | . == 1, . != 1", '[1,1.0,true,"1",null]', "true false true false false true false true false true"),
    (".[] | . == true", "[true,1,false]", "true false false"),
    (".[] | . == null, . == false", "[null,false,0]", "true false false true false false"),
    ("del(.a, .a.b)", '{"a":{"b":1}}', "{}"),
    ("del(.a, .a[0])", '{"a":{"b":1},"c":2}', "{}"),
    ("del(.a.b, .a)", '{"a":{"b":1},"c":2}', '{"c":2}'),
    ("del(.[0], .[2])", "[1,2,3,4]", "[2,4]"),
    ("del(.[9]), del(.a)", "[1,2]", "[1,2] {}"),
    ("del(.[].a)", '[{"a":1,"b":2},{"b":3}]', '[{"b":2},{"b":3}]'),
    ("del(.[])", "[1,2]", "[]"),
    ("del(.a)", "null", "null"),
    ("{a, b: .c}, {a: .a.x}", '{"a":1,"c":2}', '{"a":1,"b":2} {}'),
    ("{a: empty}, [empty], [.[] | .x]", "[1]", "[] {}"),
    ("map(.x), map(., .)", '{"b":{"x":1},"a":{"x":2}}', '[2,1] [{"x":2},{"x":2},{"x":1},{"x":1}]'),
    ("[.a, .b.c], [.a.x]", '{"a":1}', "[1,null] {}"),
    ("(.a | .x), .a", '{"a":1}', "{} 1"),
    (".[] | .x?", '[1,{"x":2},[3]]', "2"),
    (".", "12345678901234567", "12345678901234568"),
    (".", "1234567890123456", "1234567890123456"),
    (".[0]", "[1.50]", "1.5"),
    (".a", '{"a":"\\u2028 \\u2029 <>&"}', '"\\u2028 \\u2029 \\u003c\\u003e\\u0026"'),
])  # fmt: skip
def test_what_each_piece_gives(bench: Any, text: str, document: str, expected: str) -> None:
    """Every piece of the grammar gives what jq gives, at its bounds as well, here and in a worker."""
    assert finite.run(recognised(text), document.encode()).decode().split() == expected.split()
    assert bench.run_in_worker(text, document.encode()).decode().split() == expected.split()


@pytest.mark.parametrize(("text", "growth"), [
    (".", 2), (".a", 2), (".a.b", 3), (".a[0]?", 3), (".[]", 2), ("[]", 2), ("[.]", 3), ("[.a.b]", 4), ("map(.)", 5),
    ("., .a", 4), (". | .a", 4),
    ("select(.)", 3), (". == 1", 6), ("del(.a)", 2), ("del(.a.b, .c)", 4), ("{}", 2), ("{a: .}", 9), ("1", 2),
    ('"text"', 7), ("length", 2), ("keys", 5), ("not", 3), ("type", 5), ("empty", 2), ("has(0)", 3),
])  # fmt: skip
def test_the_bound_of_each_piece(text: str, growth: int) -> None:
    """Each piece has the bound that its description gives it: one below would be too small for some value."""
    assert recognised(text).growth == growth
