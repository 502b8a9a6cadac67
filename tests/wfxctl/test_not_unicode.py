"""What is no UTF-8 on a command line or in a variable is refused in one line, whatever command it is for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from command_lines import all_commands
from wfxctl_stub import Stub

from tests.wfxctl.test_process import environment
from wfx.commandline.grammar import Parsed
from wfx.commandline.options import Kind
from wfxctl.commands import ROOT

Run = Callable[..., Any]
BAD = "\udcff"
COMMANDS = [
    [each.name for each in parsed.path[1:]]
    for parsed in all_commands(Parsed([ROOT]))
    if parsed.command.run is not None and parsed.command.configured
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_option_takes_it(north: Run, stub: Stub, words: list[str]) -> None:
    """Each option but names of files is refused by name, before anybody is asked."""
    parsed = Parsed([ROOT])
    for word in words:
        child = parsed.command.child(word)
        assert child is not None
        parsed.path.append(child)
    for option in parsed.settings():
        if option.kind in (Kind.STRING, Kind.STRINGS, Kind.STRING_ARRAY, Kind.HOST) and not option.extensions:
            outcome = north(*words, f"--{option.name}={BAD}")
            assert (outcome.code, outcome.out, len(stub.seen)) == (1, "", 0)
            assert outcome.err.startswith("Error: ")
            assert option.name in outcome.err
            assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("words", [words for words in COMMANDS if words != ["job", "events"]], ids=" ".join)
def test_no_argument_is_the_end_of_a_command(north: Run, words: list[str]) -> None:
    """As an argument it is ignored as others are, a name of no file, or refused."""
    outcome = north(*words, "--filter=.", BAD)
    assert outcome.code in (0, 1)


@pytest.mark.parametrize("words", [["job", "summary"], ["job", "query"]])
def test_the_process_ends_with_a_message(stub: Stub, words: list[str]) -> None:
    """Bytes on a real command line, and in a real variable, are named, without a traceback."""
    command = [each.encode() for each in (sys.executable, "-m", "wfxctl", *words)]
    for more, variables, where in (
        ([b"--tag", b"\xff"], {}, b"--tag"),
        ([], {b"WFX_STATE": b"\xff"}, b"WFX_STATE"),
    ):
        env = {name.encode(): value.encode() for name, value in environment(stub).items()} | variables
        ended = subprocess.run([*command, *more], env=env, capture_output=True, timeout=60, check=False)
        assert (ended.returncode, ended.stdout) == (1, b"")
        assert where in ended.stderr
        assert ended.stderr.count(b"\n") == 1
