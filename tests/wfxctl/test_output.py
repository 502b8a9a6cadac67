"""What results and errors look like (cli section 5)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wfxctl_stub import Reply, Seen, Stub

from wfx.client.pauses import Backoff
from wfxctl import gojson

Run = Callable[..., Any]

GOLDEN = [
    ("{}", "{}\n"),
    ("[]", "[]\n"),
    ("null", "null\n"),
    ('"x"', '"x"\n'),
    (
        '{"b":1,"a":[true,false,null,{}],"B":[]}',
        '{\n  "B": [],\n  "a": [\n    true,\n    false,\n    null,\n    {}\n  ],\n  "b": 1\n}\n',
    ),
    ('"<a>&\\u2028\\u2029"', '"\\u003ca\\u003e\\u0026\\u2028\\u2029"\n'),
    ('"\\u0001\\b\\f\\n\\r\\t\\"\\\\/é😀\\u007f"', '"\\u0001\\b\\f\\n\\r\\t\\"\\\\/é😀\x7f"\n'),
    ('"\\ud800x"', '"\ufffdx"\n'),
    ('{"a":1,"a":2}', '{\n  "a": 2\n}\n'),
    (
        "[1.0, 1e30, 9007199254740993, -0, 0.1, 1e20, 1e21, 1e-6, 1e-7, 123456789012345678901234]",
        (
            "[\n  1,\n  1e+30,\n  9007199254740992,\n  -0,\n  0.1,\n  100000000000000000000,\n  1e+21,\n  0.000001,\n"
            "  1e-7,\n  1.2345678901234569e+23\n]\n"
        ),
    ),
    (
        "[5e-324, 1.7976931348623157e308, 590295810358705651712, 1.5e-9]",
        "[\n  5e-324,\n  1.7976931348623157e+308,\n  590295810358705700000,\n  1.5e-9\n]\n",
    ),
]


@pytest.mark.parametrize(("body", "printed"), GOLDEN)
def test_json_is_printed_as_go_prints_it(south: Run, stub: Stub, body: str, printed: str) -> None:
    """Keys come out sorted, indented by two, numbers as doubles, markup escaped; --raw alone changes nothing."""
    stub.usual = lambda _: Reply(body=body.encode())
    assert south("job", "get-status", "--id", "7").out == printed
    assert south("job", "get-status", "--id", "7", "--raw").out == printed


@pytest.mark.parametrize("status", [200, 201, 204])
def test_an_empty_body_prints_nothing(north: Run, stub: Stub, status: int) -> None:
    """A success without a body prints nothing, filtered or not."""
    stub.usual = lambda _: Reply(status, b"")
    for more in ([], ["--filter", "."]):
        outcome = north("job", "delete", "--id", "7", *more)
        assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


def test_an_answer_that_is_no_json_is_an_error(south: Run, stub: Stub) -> None:
    """A success whose body is no JSON is an error."""
    stub.usual = lambda _: Reply(body=b"<html>")
    outcome = south("job", "get", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: the answer is not JSON: ")


DOCUMENT = b'{"a":"<x>","n":9007199254740993,"l":["p","q"],"f":1.0,"z":-0.0}'
FILTERED = [
    (".a", [], 0, '"\\u003cx\\u003e"\n'),
    (".a", ["--raw"], 0, "<x>\n"),
    (".l[]", ["--raw"], 0, "p\nq\n"),
    (".l", [], 0, '[\n  "p",\n  "q"\n]\n'),
    (".missing", [], 0, "null\n"),
    (".n", [], 0, "9007199254740992\n"),
    (".f|tostring", ["--raw"], 0, "1\n"),
    (".content | length", [], 0, "0\n"),
    ("empty", [], 0, ""),
    ('1, error("no"), 3', [], 1, "1\n"),
    (".a, .n, .a", ["--raw"], 1, "<x>\n"),
    (".missing", ["--raw"], 1, ""),
    ("infinite", [], 1, ""),
    ("1, [nan]", [], 1, "1\n"),
    ("env | length", [], 0, "0\n"),
    ("$ENV | length", [], 0, "0\n"),
    (".a | . #comment", ["--raw"], 0, "<x>\n"),
    ("[.l[] as $x | $x + .a] | @tsv", ["--raw"], 0, "p<x>\tq<x>\n"),
    (".)|(.", [], 1, ""),
    ("nonsense(", [], 1, ""),
    (
        "[1e20, 1e-7, 3.0, 1e8 * 1e8, .z]",
        [],
        0,
        "[\n  100000000000000000000,\n  1e-7,\n  3,\n  10000000000000000,\n  -0\n]\n",
    ),
    ("[1e20, 1e-7, 3.0, 1e8 * 1e8, .z] | @csv", ["--raw"], 0, "100000000000000000000,1e-7,3,10000000000000000,-0\n"),
    ('try (1e20 + "x") catch .', ["--raw"], 0, 'number (100000000000000000000) and string ("x") cannot be added\n'),
    ('import "x" as x; 1', [], 1, ""),
]


@pytest.mark.parametrize(("expression", "more", "code", "printed"), FILTERED)
def test_filters_run_here(south: Run, stub: Stub, expression: str, more: list[str], code: int, printed: str) -> None:
    """Each value that the jq expression produces is printed; values before a mistake stay printed."""
    stub.usual = lambda _: Reply(body=DOCUMENT)
    outcome = south("job", "get", "--id", "7", "--filter", expression, *more)
    assert (outcome.code, outcome.out) == (code, printed)
    assert outcome.err.startswith("Error: ") if code else outcome.err == ""


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ('"not done" | halt_error', "halt error: not done"),
        ('"x" | halt_error(0)', "halt error: x"),
        ("{l} | halt_error", 'halt error: {"l":["p","q"]}'),
        ("halt_error", None),
        ("halt", "halt error: null"),
        ("if .a then halt else . end", "halt error: null"),
        ("error(null)", "null"),
        ("[1e3] | error", "[1000]"),
        ('1e20 + "x"', 'number (100000000000000000000) and string ("x") cannot be added'),
        *(
            (call, f"{call.partition('(')[0]} is not available in a filter")
            for call in (
                "input",
                "inputs",
                "debug",
                'debug("x")',
                "stderr",
                "input_filename",
                "input_line_number",
                "get_search_list",
                "get_prog_origin",
                "get_jq_origin",
                "modulemeta",
            )
        ),
    ],
)
def test_what_ends_a_filter_is_an_error(south: Run, stub: Stub, expression: str, message: str | None) -> None:
    """A filter that ends itself or reaches out fails with exit code 1, so that a check in a script does not pass."""
    stub.usual = lambda _: Reply(body=DOCUMENT)
    for more in ([], ["--raw"]):
        outcome = south("job", "get", "--id", "7", "--filter", f".a, ({expression}), .a", *more)
        assert (outcome.code, outcome.out) == (1, "<x>\n" if more else '"\\u003cx\\u003e"\n')
        assert outcome.err.startswith("Error: filter: ")
        if message is not None:
            assert outcome.err == f"Error: filter: {message}\n"


def test_filters_leave_the_environment_as_it_was(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter cannot read variables, but afterwards they are there again."""
    monkeypatch.setenv("WFX_CANARY", "secret")
    stub.usual = lambda _: Reply(body=DOCUMENT)
    assert south("job", "get", "--id", "7", "--filter", "[env, $ENV, env.WFX_CANARY]").out == (
        "[\n  {},\n  {},\n  null\n]\n"
    )
    assert os.environ["WFX_CANARY"] == "secret"


ERROR = {"errors": [{"code": "wfx.jobNotFound", "logref": "11cc", "message": "Job ID was not found"}]}


def test_an_error_object_is_shown_twice(south: Run, stub: Stub) -> None:
    """The API's errors are one line each on standard output, and the whole body follows on standard error."""
    body = json.dumps(ERROR, separators=(",", ":")) + "\n"
    stub.usual = lambda _: Reply(404, body.encode())
    outcome = south("job", "get", "--id", "7", "--filter", ".errors")
    assert outcome.code == 1
    assert outcome.out == "ERROR: Job ID was not found (code=wfx.jobNotFound, logref=11cc)\n"
    assert outcome.err == f"Error: error: {body}"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"request body has an error\n"),
        (404, b"{}"),
        (202, b'{"id":"x"}'),
        (500, b"\xff"),
        (500, b'{"errors":{"x":1}}'),
        (500, b"[1]"),
        (400, b'{"errors":[3]}'),
        (503, b'{"errors":null}'),
        (400, b'{"errors":7}'),
        (400, b'{"errors":true}'),
        (400, b'{"errors":"x"}'),
        (400, b'{"errors":[[1],null,"x"]}'),
        (400, b"7"),
        (400, b"null"),
        (400, b'{"errors":1e999}'),
        (400, b'{"errors":' + b"[" * 100_000),
    ],
)
def test_other_failures_are_shown_once(north: Run, stub: Stub, status: int, body: bytes) -> None:
    """Any other answer that is no success is shown as it came, on standard error only."""
    stub.usual = lambda _: Reply(status, body)
    outcome = north("job", "delete", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: error: " + body.decode("utf-8", "replace").removesuffix("\n") + "\n"


@pytest.mark.parametrize(("status", "named"), [(403, "403 Forbidden"), (502, "502 Bad Gateway"), (599, "599")])
@pytest.mark.parametrize("body", [b"", b" \n"])
def test_empty_failures_are_named(north: Run, stub: Stub, status: int, named: str, body: bytes) -> None:
    """Where an answer that is no success says nothing, the message names its status and what was asked."""
    stub.usual = lambda _: Reply(status, body)
    outcome = north("job", "delete", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    asked = f'DELETE "http://localhost:{stub.port}/api/wfx/v1/jobs/7"'
    assert outcome.err.split() == f"Error: error: {asked}: {named}".split()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ({"message": 7, "code": None, "logref": [1]}, "ERROR: 7 (code=, logref=)"),
        ({"message": {"a": 1}}, "ERROR:  (code=, logref=)"),
        ({"message": "\ud800\x1b"}, "ERROR: ?\\x1b (code=, logref=)"),
    ],
)
def test_errors_of_another_shape(south: Run, stub: Stub, error: object, line: str) -> None:
    """Members of an error that are not what they should be are left out or shown as they are, without a traceback."""
    stub.will({"errors": [error]}, 400)
    outcome = south("job", "query")
    assert (outcome.code, outcome.out) == (1, line + "\n")
    assert outcome.err.startswith("Error: error: {")
    assert outcome.err.count("\n") == 1


ANSWERS: list[Any] = [
    7,
    None,
    "x",
    [],
    [1],
    {"content": 7},
    {"content": [7, None, "x"]},
    {"groups": 7},
    {"groups": [7], "states": True},
    {"content": [{"groups": True, "states": 3}, {"groups": [{"name": 7, "states": 7}]}]},
    {"transitions": 7},
    {"content": [{"id": 7, "tags": 7, "status": [], "workflow": {"groups": [{"states": [[]]}], "states": [1]}}]},
    {"status": {"state": "A"}, "workflow": {"groups": 7, "states": 7, "transitions": 7}},
    {"status": {"state": "A"}, "workflow": {"groups": [{"states": [[]]}], "states": [1], "transitions": [7, {}]}},
    {"status": []},
    {"status": {}},
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(
    "argv",
    [
        "job query",
        "job query --output table",
        "job get --id 7 --output table",
        "workflow get --name w --output table",
        "workflow query --output table",
        "job wait --id 7 --for state=B --for group=G",
        "version",
        "health",
    ],
)
def test_answers_of_another_shape(
    run: Run, stub: Stub, answer: object, argv: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever JSON a server answers, the command prints what it can, or one line that says what is wrong."""
    monkeypatch.setattr(Backoff, "wait", lambda _: 0.02)
    shown = json.dumps(answer).encode()

    def reply(request: Seen) -> Reply:
        is_second_stream = sum(seen.path == request.path == "/jobs/events" for seen in stub.seen)
        return Reply(403, b"") if is_second_stream else Reply(body=shown)

    stub.usual = reply
    ports = [f"--{side}{tls}-port={stub.port}" for side in ("client", "mgmt") for tls in ("", "-tls")]
    outcome = run(*argv.split(), *ports)
    assert outcome.code in (0, 1, 3, 4)
    assert outcome.err.count("Error: ") == (outcome.code != 0)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(JSON)
def test_encoding_loses_nothing_but_precision(value: Any) -> None:
    """What is printed reads back as the same value, numbers as doubles; compact and indented say the same."""
    decoded = gojson.decode(json.dumps(value))
    for text in (gojson.encode(value), gojson.encode_indented(value)):
        assert gojson.decode(text) == decoded
        assert not set("<>&\u2028\u2029") & set(text)
