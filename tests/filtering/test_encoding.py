from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.filtering.json_programs import values
from wfx.filtering import encoding


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (-0.0, "-0"), (1.0, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (123456.789, "123456.789"),
    (1e15, "1000000000000000"), (1e16, "10000000000000000"), (-1.5e17, "-150000000000000000"),
    (1.2345678901234568e20, "123456789012345680000"), (1e21, "1e+21"), (1.5e300, "1.5e+300"),
    (0.0001, "0.0001"), (0.00001234, "0.00001234"), (-1e-6, "-0.000001"), (9.9e-7, "9.9e-7"), (5e-324, "5e-324"),
])
def test_numbers_are_positional_between_the_very_small_and_the_very_large(value: float, text: str) -> None:
    """Doubles are written in the shortest form, positionally from 1e-6 up to 1e21."""
    assert encoding.number(value) == text
    assert encoding.line(repr(value).encode()) == f"{text}\n".encode()
    assert encoding.line(f'{{"a":[{value!r}]}}'.encode()) == f'{{"a":[{text}]}}\n'.encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_itself(value: float) -> None:
    """No double changes by being written."""
    assert float(encoding.number(value)) == value


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
