"""One double has one spelling: in a plain answer, in what a filter puts out, and in what it makes a text of."""

from __future__ import annotations

import json
from typing import Any

import jq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.filtering.json_programs import written
from tests.jq_language.doubles import doubles, spelling
from wfx.domain.json import decode, encode
from wfx.filtering import finite
from wfx.filtering.grammar import recognise
from wfxctl import gojson, jq_filter

_SEVERAL = st.lists(doubles, min_size=1, max_size=8)
_settings = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_ODD = [1e20, 1e21, 1e-7, -0.0, 1e16, 1e-5, 3.0, 1000.0, 1e30, 1.2345678901234567e30]


def both(bench: Any, program: str, document: bytes) -> list[str]:
    """Run in a worker and in the client, which have to agree; give the lines."""
    lines: list[str] = bench.run_in_worker(program, document).decode().splitlines()
    assert [gojson.encode(value) for value in jq_filter.apply(program, gojson.decode(document))] == lines
    return lines


@_settings
@given(_SEVERAL)
@example(_ODD)
def test_a_number_that_is_put_out(bench: Any, values: list[float]) -> None:
    """Each double comes out in the contract's spelling: run here, run by a worker, run by the client."""
    document = written({"n": values})
    numbers = [spelling(value) for value in values]
    for program, expected in [(".n[]", numbers), (".", [f'{{"n":[{",".join(numbers)}]}}'])]:
        recognised = recognise(program)
        assert recognised is not None
        assert finite.run(recognised, document).decode().splitlines() == expected
        assert both(bench, program, document) == expected
        assert both(bench, f"({program}) | if . then . else . end", document) == expected
    assert both(bench, ".n[] | . * 1", document) == numbers


@_settings
@given(_SEVERAL)
@example(_ODD)
@example([1.2345678901234567e30])
def test_a_number_that_becomes_a_text(bench: Any, values: list[float]) -> None:
    """Whatever makes a text of a double gives it the contract's spelling, be it a computed one or as it came."""
    document = written(values)
    numbers = [spelling(value) for value in values]
    for each in ("tostring", "tojson", "@text", "@json", '"\\(.)"', "@html", "@sh", "[.] | @csv", "[.] | @tsv"):
        assert both(bench, f"[.[] | {each}], [.[] | . * 1 | {each}] | .[] | [.]", document) == [
            json.dumps([number]) for number in numbers * 2
        ]
    listed = json.dumps(",".join(numbers))
    for whole in ('join(",")', "@csv", "@text[1:-1]", "tojson[1:-1]", '(map({n: .}) | [.[] | "\\(.n)"] | join(","))'):
        assert both(bench, f"{whole}, (map(. * 1) | {whole})", document) == [listed, listed]


@_settings
@given(_SEVERAL)
@example(_ODD)
def test_a_number_in_the_program(bench: Any, values: list[float]) -> None:
    """A literal, however spelled, is the double that it means, also as a text."""
    for form in ("{!r}", "{:.17e}", "{:+.20E}"):
        literals = ",".join(form.format(abs(value)).lstrip("+") for value in values)
        expected = [spelling(abs(value)) for value in values]
        assert both(bench, literals, b"null") == expected
        assert both(bench, f"[{literals}] | .[] | tostring", b"null") == [f'"{number}"' for number in expected]
        assert both(bench, f'[{literals}] | tojson[1:-1], join(",")', b"null") == [json.dumps(",".join(expected))] * 2


@pytest.mark.parametrize("document", [b"-0", b"[-0]", b'{"a":-0}', b'{"a":[-0.0,1e+20]}'])
def test_a_negative_zero_keeps_its_sign(bench: Any, document: bytes) -> None:
    """The whole number that is no integer comes out as it is, alone, in an array and as a member."""
    plain = gojson.encode(gojson.decode(document))
    assert both(bench, ".", document) == [plain]
    assert both(bench, '., tojson | if type == "string" then fromjson else . end', document) == [plain, plain]


def test_a_string_that_looks_like_numbers_stays(bench: Any) -> None:
    """Texts with what could be numbers in them stay as they are in texts of larger values."""
    value = {"a": 'x,1.0,"b":1e3,[1e-05]', "n": 1e21, "m": ["e-", 1e-7]}
    assert both(bench, "tojson", encode(value)) == [json.dumps(gojson.encode(value))]


def test_libjq_still_needs_the_definitions() -> None:
    """When libjq spells numbers as the contract does, the definitions can go."""
    assert jq.compile("map(tostring)").input_text("[1e20,3.0]").first() == ["1E+20", "3.0"]
    assert jq.compile("map(. * 1 | tostring)").input_text("[1e20,1e-5]").first() == ["1e+20", "1e-05"]
    assert decode(encode(1e20)) == 1e20
