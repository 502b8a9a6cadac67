from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given

from tests.filtering.json_programs import values
from tests.jq_language.doubles import doubles, spelling
from wfx.filtering import encoding


@given(doubles)
def test_a_number_is_spelled_alike_wherever_it_is(value: float) -> None:
    """A double has the contract's spelling alone, in an array and as a member."""
    text = spelling(value)
    assert encoding.line(repr(value).encode()) == f"{text}\n".encode()
    assert encoding.line(f'{{"a":[{value!r}],"b":{value!r}}}'.encode()) == f'{{"a":[{text}],"b":{text}}}\n'.encode()


def test_integers_beyond_53_bits_are_doubles() -> None:
    """An integer that a double cannot hold is written as the double next to it."""
    assert encoding.line(b"[9007199254740993,-9007199254740993]") == b"[9007199254740992,-9007199254740992]\n"


@pytest.mark.parametrize("text", [b"1e400", b"[-1E+999]", b'{"a":1e309}'])
def test_what_no_double_holds_has_no_text(text: bytes) -> None:
    """A number beyond the doubles is infinite, which JSON cannot say."""
    with pytest.raises(OverflowError):
        encoding.line(text)


def test_what_looks_like_a_number_in_a_string_stays() -> None:
    """Only numbers are rewritten, not texts that look like them."""
    text = rb'{"1.0,2e5":"[1.50,:1e5]","\"1.0":":12345678901234567890","u":"11e4-a,1.0","n":1.50}'
    assert encoding.line(text) == text.replace(b"1.50}", b"1.5}") + b"\n"


@given(values)
def test_a_line_is_escaped_json_of_the_same_value(value: object) -> None:
    """Whatever the value, its line has no character that ends a line or a script element, and means the value."""
    line = encoding.line(orjson.dumps(value))
    assert line.endswith(b"\n")
    assert not any(character in line[:-1].decode() for character in "<>&\u2028\u2029\n")
    assert json.loads(line, parse_int=float) == value
