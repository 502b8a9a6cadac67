from __future__ import annotations

import jq
import pytest
from hypothesis import assume, given, settings

from tests.filtering.json_programs import jq_programs
from wfx.jq_language import definitions, spelling


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("3.0, 1e3, 1E-7, .5, 007", "3, 1000, 1e-7, 0.5, 7"),
        (".[1.0:2e0]", ".[1:2]"),
        ('"3.0 \\(1.50) \\("\\(2.0)" + "1e3")"', '"3.0 \\(1.5) \\("\\(2)" + "1e3")"'),
        ("# 1.0\n1.0 # 1.0", "# 1.0\n1 # 1.0"),
        (".a1.b, $x1, @base64, .e1", ".a1.b, $x1, @base64, .e1"),
        ("12345678901234567890, 1e400", "12345678901234567000, 1e400"),
        ("try .a catch .", "try _catching( .a )catch ."),
        ("try error catch try .a catch 1.0", "try _catching( error )catch try _catching( .a )catch 1"),
        ("try try .a catch .", "try try _catching( .a )catch ."),
        ("(try .a), try (try .b catch 1) catch 2", "(try .a), try _catching( (try _catching( .b )catch 1) )catch 2"),
        ('"\\(try .a catch .)"', '"\\(try _catching( .a )catch .)"'),
        ("{try: 1, catch: 2.0}, .try, {catch}", "{try: 1, catch: 2}, .try, {catch}"),
        ('"open', '"open'),
        ("1..2", "1..2"),
    ],
)
def test_numbers_are_spelled_plainly(program: str, expected: str) -> None:
    """Literals get the plain spelling, wherever they are, and ``catch`` hears of plain numbers; all else stays."""
    assert spelling.plain(program) == expected


def test_what_is_nested_too_deeply_stays() -> None:
    """A program that is nested too deeply to be looked into is left as it is."""
    program = '"\\(' * 2000 + "1.0" + ')"' * 2000
    assert spelling.plain(program) == program


def compiles(program: str) -> bool:
    """Tell whether jq takes the program."""
    try:
        jq.compile(program)
    except ValueError:
        return False
    return True


@settings(deadline=None, max_examples=40)
@given(jq_programs)
def test_a_program_stays_a_program(program: str) -> None:
    """Whatever jq takes, it takes with plain numbers and behind the definitions."""
    assume(compiles(program))
    plain = spelling.plain(program)
    assert compiles(f"{definitions.before(plain)} ({plain}\n)")


def test_a_program_that_makes_no_texts_of_numbers_goes_without_their_definitions() -> None:
    """What spells numbers in texts is compiled with programs that may need it only, or if messages are wanted."""
    assert "def tojson" not in definitions.before(".a")
    assert "def tojson" in definitions.before(".a | @text")
    assert "def tojson" in definitions.before(".a", messages=True)
