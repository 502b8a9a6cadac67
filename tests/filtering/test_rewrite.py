from __future__ import annotations

import jq
import pytest
from hypothesis import assume, given, settings

from tests.filtering.json_programs import jq_programs
from wfx.filtering.rewrite import wrap, wrap_whole
from wfx.jq_language.tokens import NotUnderstoodError

MARK = '"MARK"'


def outputs(program: str, value: object = None) -> list[object]:
    """Run a program that surely ends."""
    return list(jq.compile(program).input_value(value))


def compiles(program: str) -> bool:
    """Tell whether jq takes the program."""
    try:
        jq.compile(program)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("program", "expected"), [
    ('1, error("x"), 3', [1, "MARK", 3]),
    ('(1, error("x")) | . + 1', [2, "MARK"]),
    ('1, error("x") | 2, error("y")', [2, "MARK", "MARK"]),
    ('1 as $x | $x, error("x"), $x', [1, "MARK", 1]),
    ('error("x") as $x | 2', ["MARK"]),
    ('def f: 1, 2; f, error("x") | . + 1', [2, 3, "MARK"]),
    ("def f: def g: 1 | 2; g; f, error", [2, "MARK"]),
    ("[[1], 2, [3]] | .[][0]", [1, "MARK", 3]),
    ("[{}, [], {}] | .[].a.b", [None, "MARK", None]),
    ("[[[1]], 2] | .[][][0]", [1, "MARK"]),
    ("reduce (1, 2) as $x (0; . + $x), error", [3, "MARK"]),
    ("foreach (1, 2) as $x (0; . + $x) | ., error", [1, "MARK", 3, "MARK"]),
    ('"a\\("b,\\(1 | 2)") | ,", error', ["ab,2 | ,", "MARK"]),
    ("if true then 1, 2 else 3 end, error", [1, 2, "MARK"]),
    ("{if: 1, as: 2, def: 3} | .if, .as, .def.x", [1, 2, "MARK"]),
    ("label $out | 1, break $out, 2", [1]),
    ("1, label $out | 2, break $out", [1, 2]),
    ("1, def f: 2; f | . + 1", [1, 3]),
    (". as [$x] ?// $x | $x, 1", [None, 1]),
    ("1 # , error \\\n, error\n, 2", [1, 2]),
    ("try error catch 1, 2", [1, 2]),
])  # fmt: skip
def test_evaluation_goes_on_after_an_error(program: str, expected: list[object]) -> None:
    """A failing part gives the mark, which passes the rest of the program; all other parts give what they gave."""
    assert outputs(wrap(program, MARK)) == expected


@settings(deadline=None, max_examples=40)
@given(jq_programs)
def test_a_program_stays_a_program(program: str) -> None:
    """Whatever jq takes, it takes rewritten, and in one part."""
    assume(compiles(program))
    assert compiles(wrap(program, MARK))
    assert compiles(wrap_whole(program, MARK))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ", .",
        "| .",
        "(",
        "[1",
        "{",
        "if . then 1",
        '"open',
        '"\\(1',
        '"\\(")',
        "def f: 1",
        "1,,2",
    ],
)
def test_a_text_without_structure_is_told_apart(text: str) -> None:
    """What is not understood is said to be so, rather than rewritten into something else."""
    with pytest.raises(NotUnderstoodError):
        wrap(text, MARK)


def test_deep_nesting_is_told_apart() -> None:
    """A program nested too deeply to be looked into is not understood, and does no harm."""
    with pytest.raises(NotUnderstoodError):
        wrap("(" * 4000 + "." + ")" * 4000, MARK)
