from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wfx.api.bad_request import BadRequest
from wfx.api.parameters import compile_parameters
from wfx.api.spec import operations

JOBS = compile_parameters("GetJobs")
JOB = compile_parameters("GetJobsId")
EVENTS = compile_parameters("GetJobsEvents")
NONE = compile_parameters("PutJobsIdStatus")
DEFAULTS = {
    "clientId": "",
    "state": "",
    "group": (),
    "workflow": "",
    "tag": (),
    "limit": 10,
    "offset": 0,
    "sort": "asc",
    "pagination": False,
}


def refusal(query: bytes, read: Any = JOBS) -> str:
    """Return what the caller is told."""
    with pytest.raises(BadRequest) as caught:
        read(query)
    return str(caught.value)


@pytest.mark.parametrize("query", [b"", b"&", b"&&&", b"class=OPEN", b"limit%zz=3", b"=x", b"CLIENTID=a", b"unknown"])
def test_what_is_left_out_or_unknown_has_no_effect(query: bytes) -> None:
    """Without parameters, and with unknown ones however often, a query means the defaults."""
    assert JOBS(query) == DEFAULTS
    assert JOBS(query + b"&x=1&x=2") == DEFAULTS


def test_an_answer_can_be_changed_without_harm() -> None:
    """Each call returns a mapping of its own."""
    JOBS(b"")["limit"] = 99
    assert JOBS(b"")["limit"] == 10


def test_events_say_what_was_left_out() -> None:
    """In an event query, a list that is left out is None and an empty one holds the empty id."""
    assert EVENTS(b"jobIds=&tags=a,b") == {
        "jobIds": ("",),
        "clientIds": None,
        "workflows": None,
        "actions": None,
        "tags": ("a", "b"),
        "since": None,
        "limit": 100,
    }


@pytest.mark.parametrize(
    ("segment", "name", "value"),
    [
        (b"clientId=dev", "clientId", "dev"),
        (b"clientId=", "clientId", ""),
        (b"clientId", "clientId", ""),
        (b"clientId=a=b", "clientId", "a=b"),
        (b"clientId=a+b%20c%2Bd", "clientId", "a b c+d"),
        (b"client%49d=x", "clientId", "x"),
        (b"clientId=%C3%A4", "clientId", "ä"),
        (b"clientId=\xc3\xa4", "clientId", "ä"),
        (b"clientId=%ff%fe", "clientId", "\ufffd\ufffd"),
        (b"group=OPEN", "group", ("OPEN",)),
        (b"group=OPEN,CLOSED", "group", ("OPEN", "CLOSED")),
        (b"group=OPEN%2CCLOSED", "group", ("OPEN", "CLOSED")),
        (b"group=X,", "group", ("X", "")),
        (b"tag=x,,y", "tag", ("x", "", "y")),
        (b"tag=" + b",".join([b"t"] * 16), "tag", ("t",) * 16),
        (b"group=" + b",".join([b"g"] * 500), "group", ("g",) * 500),
        (b"sort=desc", "sort", "desc"),
        (b"limit=0", "limit", 0),
        (b"limit=-5", "limit", -5),
        (b"limit=%2B5", "limit", 5),
        (b"limit=007", "limit", 7),
        (b"limit=" + b"0" * 6000 + b"3", "limit", 3),
        (b"limit=%2B" + b"0" * 6000, "limit", 0),
        (b"limit=-" + b"0" * 6000, "limit", 0),
        (b"limit=2147483647", "limit", 2**31 - 1),
        (b"limit=-2147483648", "limit", -(2**31)),
        (b"offset=9223372036854775807", "offset", 2**63 - 1),
        (b"offset=-9223372036854775808", "offset", -(2**63)),
        *[(b"pagination=" + text, "pagination", True) for text in (b"1", b"t", b"T", b"TRUE", b"true", b"True")],
        *[(b"pagination=" + text, "pagination", False) for text in (b"0", b"f", b"F", b"FALSE", b"false", b"False")],
    ],
)
def test_a_value_is_read_by_the_rules(segment: bytes, name: str, value: Any) -> None:
    """Values mean what the contract says (rest-api section 2), whatever stands around them."""
    assert JOBS(segment) == {**DEFAULTS, name: value}
    assert JOBS(b"x=1&" + segment + b"&class=OPEN&") == {**DEFAULTS, name: value}


@pytest.mark.parametrize(
    "query",
    [
        b"limit=1&limit=1",
        b"clientId=a&clientId=a",
        b"clientId=&clientId=",
        b"group=a&group=b",
        b"tag=a&tag=b",
        b"sort=asc&sort=asc",
        b"pagination=1&pagination=0",
        b"clientId=a&client%49d=b",
    ],
)
def test_a_parameter_given_twice_is_refused(query: bytes) -> None:
    """A parameter that is given twice is refused, lists included."""
    assert "is given more than once" in refusal(query)


@pytest.mark.parametrize(
    ("query", "place"),
    [
        *[
            (b"limit=" + text, "'limit'")
            for text in (
                b"",
                b"1.5",
                b"0x3",
                b"1e3",
                b"1_0",
                b"+5",
                b"%205",
                b"--5",
                b"2147483648",
                b"-2147483649",
                b"9" * 5000,
                "\u0663".encode(),
            )
        ],
        *[(b"offset=" + text, "'offset'") for text in (b"", b"9223372036854775808", b"-9223372036854775809")],
        *[(b"pagination=" + text, "'pagination'") for text in (b"", b"yes", b"tRUE", b"2", b"on")],
        *[(b"sort=" + text, "'sort'") for text in (b"", b"ASC", b"Desc", b"asc,desc")],
        (b"group=", "'group'"),
        (b"group", "'group'"),
        (b"tag=", "'tag'"),
        (b"tag=" + b",".join([b"t"] * 17), "'tag'"),
        (b"clientId=%00", "'clientId': '\\x00' contains U+0000"),
        (b"tag=a,b%00", "'tag'"),
    ],
)
def test_a_value_against_the_rules_is_refused(query: bytes, place: str) -> None:
    """What a parameter cannot mean is refused in one line that names the parameter."""
    message = refusal(query)
    assert f"parameter {place}" in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "query",
    [
        b"limit=3;offset=4",
        b"limit=%zz",
        b"limit=%",
        b"limit=%3",
        b"%zz=3",
        b"limit;=3",
        b"limit=3;x&limit=%zz",
    ],
)
def test_segments_that_do_not_parse_are_dropped(query: bytes) -> None:
    """Stray percent signs and semicolons make a segment disappear, and only it."""
    assert JOBS(query) == DEFAULTS
    assert JOBS(query + b"&limit=7")["limit"] == 7


@pytest.mark.parametrize("text", ["now", "0", "42", "9223372036854775807", "7f3a-12", "a-b-c-0"])
def test_a_position_on_the_log_is_a_word_a_number_or_an_id(text: str) -> None:
    """A position can be given as ``now``, as a number, or as an event's id."""
    assert EVENTS(f"since={text}".encode())["since"] == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "NOW",
        "then",
        "1.5",
        "99999999999999999999",
        "0x1",
        "now ",
        "-5",
        "5-",
        "a/b-5",
        "a" * 200 + "-5",
        "1%0A",
        "\u0663",
    ],
)
def test_no_other_text_is_a_position(text: str) -> None:
    """Anything else is refused, so that nobody gets old events by mistake."""
    assert "parameter 'since'" in refusal(f"since={text}".encode(), EVENTS)


@pytest.mark.parametrize(("text", "allowed"), [("1", True), ("1000", True), ("0", False), ("1001", False)])
def test_a_page_of_events_has_limits(text: str, *, allowed: bool) -> None:
    """A page holds between 1 and 1000 events."""
    if allowed:
        assert EVENTS(f"limit={text}".encode())["limit"] == int(text)
    else:
        assert "is not between 1 and 1000" in refusal(f"limit={text}".encode(), EVENTS)


def test_operations_without_parameters_ignore_them_all() -> None:
    """Where nothing can be asked, whatever is asked is ignored."""
    assert NONE(b"limit=x&limit=x&history=maybe") == {}
    assert JOB(b"limit=x&history=True") == {"history": True}


def test_a_refused_value_cannot_break_out_of_its_line() -> None:
    """Line breaks and terminal sequences in a value come back escaped, and long values are cut."""
    message = refusal(b"limit=a%0D%0AX-Evil:%201%1B[2J" + b"y" * 10_000)
    assert r"a\r\nX-Evil: 1\x1b[2J" in message
    assert message.isprintable()
    assert len(message) <= 500


QUERIES = st.binary(max_size=200) | st.text("&=;%+,0a19tTf-limtagor \n").map(str.encode)
READERS = {operation_id: compile_parameters(operation_id) for operation_id in operations()}


@given(st.sampled_from(sorted(READERS)), QUERIES)
def test_any_query_is_read_or_refused(operation_id: str, query: bytes) -> None:
    """Whatever is sent, each parameter has a value of its kind, or the caller is told why not in one line."""
    read, message = READERS[operation_id], ""
    try:
        values = read(query)
        assert values.keys() == read(b"").keys()
        assert all(isinstance(value, str | int | tuple | None) for value in values.values())
    except BadRequest as exc:
        message = str(exc)
    assert message.isprintable()
