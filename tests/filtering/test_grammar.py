from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from tests.filtering.json_programs import finite_programs
from wfx.filtering.grammar import MAX_TOKENS, recognise


@pytest.mark.parametrize(
    "text",
    [
        ".",
        ".id",
        ".status.state",
        '.["a b"].c',
        ".tags[0]",
        ".tags[-1]",
        ".content[]",
        ".content[].workflow.name?",
        "del(.context)",
        "del(.context, .workflow)",
        "del(.content[].workflow)",
        ".status | del(.context)",
        "{id, state: .status.state}",
        '{"a b", c: 1}',
        "[.content[].id]",
        ".content | map(.id)",
        "[]",
        "{}",
        '.content[] | select(.status.state == "DONE") | .id',
        'select(has("definition"))',
        ".tags | length",
        "keys",
        ".status.progress != 100",
        "(.a, .b) | not",
        "empty",
        ' \t.id\n| "x"',
    ],
)
def test_everyday_programs_need_no_worker(text: str) -> None:
    """What clients usually send is recognised as finite."""
    assert recognise(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        ".. | numbers",
        "..a",
        ". .a",
        "recurse",
        "repeat(.)",
        "range(3)",
        "while(true; .)",
        "def f: f; f",
        "env",
        "$ENV",
        "$x",
        "input",
        "inputs",
        "debug",
        "halt",
        "now",
        'error("x")',
        "limit(1; .)",
        "first",
        "add",
        '"a" * 3',
        ". + .",
        ". - 1",
        "-1",
        "1 as $x | $x",
        "reduce .[] as $x (0; .)",
        "if . then 1 else 2 end",
        "try .",
        '"\\(.)"',
        '"\\n"',
        '"\ud800"',
        "@base64",
        ".[1:2]",
        ".[.a]",
        '.["a\\n"]',
        ".a.[0]",
        '."a"',
        "{a: .[]}",
        "{a: (1, 2)}",
        "{(.a): 1}",
        "{$x}",
        "{a: 1, a: 2}",
        "{if}",
        "select(.[])",
        "select(.a, .b)",
        ".[] == 1",
        ". == .a",
        "del(.)",
        "del(.[-1])",
        "del(.a | .b)",
        "has(.a)",
        "has(1.5)",
        ".[1.5]",
        "1e5",
        "1.",
        ".5",
        "007",
        "1234567890123456",
        "map",
        "length(1)",
        ".a b",
        "1 2",
        "(",
        ")",
        "[",
        "{a",
        ".a,",
        "| .",
        ".a |",
        ". # comment",
        "label $f | .",
    ],
)
def test_everything_else_is_left_to_a_worker(text: str) -> None:
    """What is not surely finite, or not surely a program, is never run in the server's process."""
    assert recognise(text) is None


def test_long_programs_are_left_to_a_worker() -> None:
    """A program of more tokens than the limit is not looked into, however simple and however deep."""
    assert recognise("|".join(["."] * (MAX_TOKENS // 2))) is not None
    assert recognise("|".join(["."] * MAX_TOKENS)) is None
    assert recognise("[" * 100_000 + "]" * 100_000) is None


@settings(deadline=None)
@given(finite_programs)
def test_the_grammar_is_recognised(text: str) -> None:
    """Each text that the documented grammar can produce is recognised, unless it is too long."""
    assume(len(text) <= MAX_TOKENS)
    assert recognise(text) is not None
