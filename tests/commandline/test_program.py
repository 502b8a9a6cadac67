"""What is special about a program holds for all of its commands."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import Run, runner

from wfx.commandline.failures import Failure
from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.log import Log
from wfx.commandline.options import Kind, Option, Value
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream, wants_color


def _even(value: Value) -> None:
    if value not in range(0, 100, 2):
        raise ValueError("must be even")


def _show(call: Invocation) -> None:
    if call.arguments:
        raise Failure("cannot show arguments")
    call.out.line(str(call.settings.number("number")))


NUMBER = Option("number", Kind.INT, "the number", 4, check=_even)
SHOW = Command("show", "Show the number", options=(NUMBER,), run=_show)
CONFIG = Option("config", Kind.STRINGS, "configuration files")
BARE = Program(Command("sample", "Show numbers", children=(SHOW,)), usage_on_failure=True)
FULL = Program(Command("sample", "Show numbers", children=(SHOW,), inherited=(CONFIG,), version=lambda: "sample 1\n"))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program with neither version nor files, which shows its usage on errors."""
    monkeypatch.chdir(tmp_path)
    return runner(BARE, tmp_path)


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a program with version and files, which keeps to the error line."""
    monkeypatch.chdir(tmp_path)
    return runner(FULL, tmp_path)


def test_a_version_is_a_flag_of_the_program_alone(full: Run) -> None:
    """A program with a version prints it for both flags; its commands do not know them."""
    assert full("--version").out == full("-v").out == "sample 1\n"
    assert full("show", "--version").code == 1


@pytest.mark.parametrize("command", [
    "wfx", "wfx check", "wfx backup copy.db", "wfxctl version", "wfxctl job query", "wfx-loadtest --duration=1s",
    "wfx-loadtest populate --count=1",
])  # fmt: skip
def test_a_working_directory_that_is_gone(tmp_path: Path, command: str) -> None:
    """In a directory that was deleted every program ends with exit code 1 and one line that says so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    program = Path(sys.executable).parent / command
    script = f"cd {gone} && rmdir {gone} && exec {program}"
    ended = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1), ended.stderr
    assert "the working directory cannot be used (No such file or directory): change to another" in ended.stderr


def test_without_a_version_there_is_no_such_flag(bare: Run) -> None:
    """A program without a version refuses the flags, and neither shows nor completes them."""
    assert bare("--version").err.startswith("Error: unknown flag: --version")
    assert bare("-v").err.startswith("Error: unknown shorthand flag: 'v' in -v")
    assert "version" not in bare("--help").out + bare("help").out


def test_files_belong_to_programs_with_the_option_for_them(bare: Run, full: Run) -> None:
    """A program that has no ``--config`` reads no configuration files, not even broken ones; variables it does."""
    Path("wfx.yml").write_text("number: 6")
    assert full("show").out == "6\n"
    assert bare("show").out == "4\n"
    Path("wfx.yml").write_text("number: [")
    assert full("show").code == 1
    assert bare("show", env={"WFX_NUMBER": "8"}).out == "8\n"


@pytest.mark.parametrize(
    ("argv", "variables", "message"),
    [
        (["show", "--number", "3"], {}, 'invalid argument "3" for "--number" flag: must be even'),
        (["show"], {"WFX_NUMBER": "3"}, 'invalid value "3" for WFX_NUMBER: must be even'),
    ],
)
def test_values_are_checked_wherever_they_come_from(
    full: Run, argv: list[str], variables: dict[str, str], message: str
) -> None:
    """A value that the option's check refuses is refused with the reason, from the command line and from variables."""
    outcome = full(*argv, env=variables)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"Error: {message}\n")


def test_what_a_command_returns_is_the_exit_code(tmp_path: Path) -> None:
    """A command that returns a number ends with it, one that returns nothing with 0."""
    codes: list[tuple[int | None, int]] = [(None, 0), (0, 0), (3, 3)]
    for returned, code in codes:
        command = Command("sample", "Return", run=lambda _, returned=returned: returned)
        assert runner(Program(command), tmp_path)().code == code


def test_what_comes_before_is_for_configured_commands(tmp_path: Path) -> None:
    """What a program does before its commands is not done for those that read no configuration."""
    done: list[str] = []
    commands = tuple(Command(name, "Do", run=lambda _: done.append("run"), configured=name == "with")
                     for name in ("with", "without"))  # fmt: skip
    program = Program(Command("sample", "Do", children=commands), before=lambda _: done.append("before"))
    for name in ("with", "without"):
        assert runner(program, tmp_path)(name).code == 0
    assert done == ["before", "run", "run"]


@pytest.mark.parametrize(("level", "shown"), [
    ("warn", ["WRN w", "ERR e"]), ("info", ["INF i", "WRN w", "ERR e"]), ("error", ["ERR e"]),
    ("nonsense", ["DBG d", "INF i", "WRN w", "ERR e"]),
])  # fmt: skip
def test_a_log_level_shows_itself_and_worse(level: str, shown: list[str]) -> None:
    """A level lets its own lines through and those of worse levels; an unknown one lets all through."""
    written = io.BytesIO()
    log = Log(Stream(written), {"NO_COLOR": "1"}, level)
    for name in ("debug", "info", "warn", "error"):
        log.write(name, name[0])
    assert [line.split(" ", 3)[3] for line in written.getvalue().decode().splitlines()] == shown


@pytest.mark.parametrize(("value", "shown"), [
    ("plain", "plain"), (3, "3"), ("", '""'), ("two words", '"two words"'), ("a=b", '"a=b"'), ('"', r'"\""'),
    ('\\" code=1', r'"\\\" code=1"'), ("a\nb", r"a\x0ab"),
])  # fmt: skip
def test_a_value_in_a_log_line_is_one_word(value: object, shown: str) -> None:
    """What could be taken for more than a value is quoted, so that it makes no field of its own."""
    written = io.BytesIO()
    Log(Stream(written), {"NO_COLOR": "1"}).write("info", "text", path=value, count=1)
    assert written.getvalue().decode().rstrip().split(" ", 4)[3:] == ["INF", f"text path={shown} count=1"]


class Terminal(io.BytesIO):
    """Output that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(("environment", "colored"), [
    ({}, True), ({"CLICOLOR": "0"}, False), ({"CLICOLOR": "1"}, True), ({"NO_COLOR": "1"}, False),
    ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True),
])  # fmt: skip
def test_colours_on_a_terminal(environment: dict[str, str], *, colored: bool) -> None:
    """On a terminal there are colours, unless a variable says otherwise."""
    assert wants_color("auto", Stream(Terminal()), environment) is colored


@pytest.mark.parametrize("argv", [["show", "--number", "3"], ["show", "--nonsense"], ["show", "x"]])
def test_the_usage_follows_each_error_where_a_program_wants_it(bare: Run, full: Run, argv: list[str]) -> None:
    """The usage is that of the command that was named, on standard error, below the same error line."""
    alone, followed = full(*argv), bare(*argv)
    assert (followed.code, followed.out) == (1, "")
    assert followed.err.startswith(alone.err + "Usage:\n  sample show [flags]\n")
    assert "--number int" in followed.err
