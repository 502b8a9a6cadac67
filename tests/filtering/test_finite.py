from __future__ import annotations

from typing import Any

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
    max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture],
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
