from __future__ import annotations

import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wfx.api import body
from wfx.api.bad_request import BadRequest, CompressedBody

JSON_HEADERS = [(b"host", b"localhost"), (b"content-type", b"application/json")]


def parse(raw: bytes, headers: list[tuple[bytes, bytes]]) -> Any:
    """Decode a body as it is labelled."""
    body.check_kind(len(raw), headers)
    return body.decode(raw)


def decode(raw: bytes) -> Any:
    """Decode a body that is labelled as it should be."""
    return parse(raw, JSON_HEADERS)


def refusal(raw: bytes, headers: list[tuple[bytes, bytes]] = JSON_HEADERS) -> str:
    """Return what the caller is told."""
    with pytest.raises(BadRequest) as caught:
        parse(raw, headers)
    return str(caught.value)


@pytest.mark.parametrize(
    "label",
    [
        b"application/json",
        b"application/json; charset=utf-8",
        b"application/json;charset=latin-1",
        b"application/json ;x",
    ],
)
def test_json_is_taken_as_json(label: bytes) -> None:
    """The media type may have parameters, which have no effect."""
    assert parse('{"ä":1}'.encode(), [(b"content-type", label)]) == {"ä": 1}


@pytest.mark.parametrize(
    "label",
    [
        b"",
        b"Application/JSON",
        b"text/plain",
        b"application/jsonl",
        b"application/json2",
        b"application/vnd.x+json",
        b"multipart/form-data",
        b"application/json, text/plain",
        b";",
        b"\xff",
        b"x\r\ny",
    ],
)
def test_other_media_types_are_refused(label: bytes) -> None:
    """Any other media type is refused, in one line that names the header."""
    message = refusal(b"{}", [(b"content-type", label)])
    assert message.startswith("header Content-Type")
    assert message.isprintable()


def test_a_missing_media_type_is_refused() -> None:
    """A body without a Content-Type is refused."""
    assert refusal(b"{}", []) == "header Content-Type is missing; it must be application/json"


def test_of_two_media_types_the_first_counts() -> None:
    """The first Content-Type decides."""
    labels = [(b"content-type", b"application/json"), (b"content-type", b"text/plain")]
    assert parse(b"1", labels) == 1
    assert refusal(b"1", labels[::-1]).startswith("header Content-Type")


@pytest.mark.parametrize(
    "coding",
    [
        b"gzip",
        b"x-gzip",
        b"GZIP",
        b"deflate",
        b"br",
        b"zstd",
        b"compress",
        b"identity, gzip",
        b"gzip, identity",
        b"\xff",
        b"unheard-of",
    ],
)
@pytest.mark.parametrize("raw", [b"\x1f\x8b", b"{}"])
def test_compressed_bodies_are_refused_unseen(coding: bytes, raw: bytes) -> None:
    """A body in any coding is not looked at; the answer is 415."""
    with pytest.raises(CompressedBody) as caught:
        parse(raw, [*JSON_HEADERS, (b"content-encoding", coding)])
    assert caught.value.status == 415


@pytest.mark.parametrize("coding", [b"identity", b"Identity", b" identity ", b""])
def test_bodies_in_no_coding_are_read(coding: bytes) -> None:
    """A Content-Encoding that changes nothing is allowed."""
    assert parse(b"1", [*JSON_HEADERS, (b"content-encoding", coding)]) == 1


def test_every_coding_counts() -> None:
    """Of several Content-Encodings none may change the body."""
    with pytest.raises(CompressedBody):
        parse(b"1", [*JSON_HEADERS, (b"content-encoding", b"identity"), (b"content-encoding", b"gzip")])


@pytest.mark.parametrize("raw", [b"", b" ", b"\n\t"])
def test_a_missing_body_is_refused(raw: bytes) -> None:
    """No body, or only blanks, is refused."""
    assert "body" in refusal(raw)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":1} trailing', {"a": 1}),
        (b'{"a":1}{"b":2}', {"a": 1}),
        (b'{"a":1}\xff\xfe', {"a": 1}),
        (b'{"a":1}]]]]' + b"[" * 100_000, {"a": 1}),
        (b" \t\r\n[1] ", [1]),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'{"a":1,"A":2}', {"a": 1, "A": 2}),
        (b'"\xff"', "\ufffd"),
        (b'{"\xc3\x28":"a\x80b"}', {"\ufffd(": "a\ufffdb"}),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (rb'"\ud800"', "\ufffd"),
        (rb'"\udc00\ud800x"', "\ufffd\ufffdx"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'{"\udfff":["\uDABC",{"x":"\ud800"}]}', {"\ufffd": ["\ufffd", {"x": "\ufffd"}]}),
        (rb'"\\ud800"', r"\ud800"),
        (rb'"\u0000"', "\x00"),
        (b"null", None),
        (b"9223372036854775807", 2**63 - 1),
        (b"9223372036854775808", 2**63),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b"-9223372036854775808", -(2**63)),
        (b"-9223372036854775809", -(2.0**63)),
        (b"1" + b"0" * 300, 1e300),
        (b"0." + b"1" * 5000, 1 / 9),
        (b"1e308", 1e308),
        (b"1e-400", 0.0),
        (b"1.0", 1.0),
    ],
)
def test_json_is_read_leniently_where_the_contract_says_so(raw: bytes, value: Any) -> None:
    """What follows the first value is ignored, broken text becomes U+FFFD, big integers become doubles."""
    found = decode(raw)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("raw", [b"-0", b"-0 x", b"[-0]", b'{"a":"-0","b":-0}', b"-0.0", b"-0e7"])
def test_negative_zero_keeps_its_sign(raw: bytes) -> None:
    """The literal -0 stays negative, which the definition's hash depends on."""
    found = decode(raw)
    while isinstance(found, list | dict):
        found = found[0] if isinstance(found, list) else found["b"]
    assert math.copysign(1, found) == -1


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1,]",
        b'{"a"}',
        b"{'a':1}",
        b"nul",
        b"+1",
        b".5",
        b"\xef\xbb\xbf{}",
        b"NaN",
        b"-Infinity",
        b"[Infinity]",
        b"1e400",
        b"-1e400",
        b"[1e999999999]",
        b"1" * 400,
        b"1" * 5000,
        b"-" + b"9" * 5000,
        b'"\x00"',
        b'"a\nb"',
        b'"\\x"',
        b"\xff",
        b"\x00",
        b"//x\n1",
        "\u00a01".encode(),
        b'"abc',
        b"-",
        b'{"a":NaN}',
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    """Broken JSON, NaN, a byte-order mark and numbers beyond a double are refused in one line."""
    message = refusal(raw)
    assert message.startswith("the body is not JSON: ")
    assert message.isprintable()
    assert len(message) <= 500


def nested(depth: int) -> bytes:
    """Make arrays and objects in turn, so many levels deep."""
    opening = b"".join(b"[" if level % 2 else b'{"a":' for level in range(depth))
    closing = b"".join(b"]" if level % 2 else b"}" for level in reversed(range(depth)))
    return opening + b"1" + closing


@pytest.mark.parametrize("tail", [b"", b" trailing", rb' "\ud800"'])
def test_a_hundred_levels_are_the_limit(tail: bytes) -> None:
    """A body may be nested 100 levels deep, and not 101."""
    assert decode(nested(100) + tail) == json.loads(nested(100))
    assert refusal(nested(101) + tail) == "the body is nested more than 100 levels deep"


def test_width_is_no_depth() -> None:
    """Many objects beside each other are no problem, and brackets within text do not count."""
    assert len(decode(b"[" + b"{}," * 10_000 + b"{}]")) == 10_001
    assert decode(b'["' + b"[" * 1000 + b'"]') == ["[" * 1000]


@pytest.mark.parametrize(
    "raw",
    [
        nested(1000),
        nested(100_000),
        b"[" * 1_000_000,
        b'{"a":' * 100_000,
        b"[" * 5000 + b"]" * 5000 + b"x",
        b"[" * 500 + rb'"\ud800"' + b"]" * 500,
    ],
)
def test_bombs_are_refused(raw: bytes) -> None:
    """However deep a body is nested, it is refused and does no harm."""
    assert refusal(raw)


def test_many_members_are_read() -> None:
    """A body with a hundred thousand members is read as it is."""
    members = {f"k{n}": n for n in range(100_000)}
    assert decode(orjson.dumps(members)) == members


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES, st.sampled_from([b"", b" trailing", b"\xff"]))
def test_quick_and_lenient_reading_agree(value: Any, tail: bytes) -> None:
    """What is JSON is read the same whether or not something follows that calls for leniency."""
    assert decode(orjson.dumps(value) + tail) == value


FRAGMENTS = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\\ud800",
        b"\\u0000",
        b'"a"',
        b"-0",
        b"1e400",
        b"NaN",
        b"null",
        b"1",
        b"true",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b" ",
        b"9" * 30,
        b"-",
        b".5",
    ]
)


CUT_SHORT = VALUES.map(lambda value: orjson.dumps(value)[:-1])
BYTES = st.binary() | st.lists(FRAGMENTS, max_size=40).map(b"".join) | CUT_SHORT


@given(BYTES)
@example(b"[" * 1100 + b"\xff")
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    """Whatever bytes are sent, they become a value that can be stored and printed, or are refused in one line."""
    message = ""
    try:
        value = decode(raw)
        assert decode(orjson.dumps(value)) == value
    except BadRequest as exc:
        message = str(exc)
    assert message.isprintable()


@pytest.mark.parametrize("raw", [b"0.", b"1.x", b"-2e", b"3E x", b"4e+"])
def test_numbers_are_whole(raw: bytes) -> None:
    """A body whose number breaks off (`1.`, `2e`) is not JSON, whatever follows."""
    with pytest.raises(BadRequest, match="the body is not JSON: "):
        body._decode_leniently(raw)


@given(BYTES)
@example(b"[1.]")
@example(b"[01]")
@example(b"[-]")
def test_what_is_hopeless_is_refused_by_the_lenient_decoder_too(raw: bytes) -> None:
    """No body is refused by the quick decoder that the lenient one would take."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        if exc.msg.startswith(body._HOPELESS):
            with pytest.raises(BadRequest):
                body._decode_leniently(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[1,]",
        b"[1",
        b"[x]",
        b'["\n"]',
        b'["\\x"]',
        b"[1e400]",
        b"\xef\xbb\xbf[]",
        b"[1,2",
        b'["abc',
        b"[nul]",
    ],
)
def test_plain_nonsense_is_refused_at_once(raw: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that is no JSON by any reading is not read a second time."""
    monkeypatch.setattr(body, "_LENIENT", None)
    assert refusal(raw).startswith("the body is not JSON: ")


@pytest.mark.parametrize("number", [0, -7, 2**53 + 1, -(2**63), 2**64 - 1])
def test_whole_numbers_stay_exact_where_something_follows_the_document(number: int) -> None:
    """Integers of up to 64 bits are read as such, to the last digit, also in a body that has more than one document."""
    value = decode(f"[{number}] and more".encode())
    assert value == [number]
    assert isinstance(value[0], int)
