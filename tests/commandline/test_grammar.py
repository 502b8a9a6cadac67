"""How command lines read (cli section 1)."""

from __future__ import annotations

from typing import Any

import pytest
from command_lines import Run
from wfxctl_stub import Stub

from wfx.commandline import durations, grammar
from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Kind, Option
from wfxctl.commands import ROOT

ACCEPTED = [
    ("--client-port 1 job query", "wfxctl job query", {"client-port": 1}, []),
    ("job --client-port 1 query", "wfxctl job query", {"client-port": 1}, []),
    ("job query --client-port=1", "wfxctl job query", {"client-port": 1}, []),
    ("job query --limit 1 --limit 2", "wfxctl job query", {"limit": 2}, []),
    ("job query --group a,b --group c", "wfxctl job query", {"group": ["a", "b", "c"]}, []),
    ("job create --tag a,b --tag c", "wfxctl job create", {"tag": ["a,b", "c"]}, []),
    ("job get x --id 1 y", "wfxctl job get", {"id": "1"}, ["x", "y"]),
    ("job get --raw foo", "wfxctl job get", {"raw": True}, ["foo"]),
    ("job get --raw=false", "wfxctl job get", {"raw": False}, []),
    ("job get --raw=T --history=0", "wfxctl job get", {"raw": True, "history": False}, []),
    ("job get -- --id 1", "wfxctl job get", {}, ["--id", "1"]),
    ("job create -", "wfxctl job create", {}, ["-"]),
    ("job update-status --message --raw", "wfxctl job update-status", {"message": "--raw"}, []),
    ("job update-status --message=", "wfxctl job update-status", {"message": ""}, []),
    ("job update-status --message=a=b", "wfxctl job update-status", {"message": "a=b"}, []),
    ("job update-status --progress -5", "wfxctl job update-status", {"progress": -5}, []),
    ("job query --offset 0b11 --limit 010", "wfxctl job query", {"offset": 3, "limit": 8}, []),
    (f"job query --offset {-(2**63)}", "wfxctl job query", {"offset": -(2**63)}, []),
    (f"job query --limit {2**31 - 1}", "wfxctl job query", {"limit": 2**31 - 1}, []),
    ("job query --sort ASC", "wfxctl job query", {"sort": "asc"}, []),
    ("job wait --timeout 1m30s", "wfxctl job wait", {"timeout": 90.0}, []),
    ("-h", "wfxctl", {"help": True}, []),
    ("job get -h", "wfxctl job get", {"help": True}, []),
    ("-v", "wfxctl", {"version": True}, []),
    ("foo job", "wfxctl", {}, ["foo", "job"]),
    ("job foo", "wfxctl job", {}, ["foo"]),
]


@pytest.mark.parametrize(("line", "command", "given", "arguments"), ACCEPTED)
def test_flags_and_words_mix_freely(line: str, command: str, given: dict[str, Any], arguments: list[str]) -> None:
    """Flags may stand anywhere after the command that knows them, in either spelling; the rest are arguments."""
    parsed = grammar.parse(ROOT, line.split())
    assert (parsed.words, parsed.given, parsed.arguments) == (command, given, arguments)


REFUSED = [
    ("--client-po 1", "unknown flag: --client-po (did you mean --client-port?)"),
    ("job query --limt 1", "unknown flag: --limt (did you mean --limit?)"),
    ("job query --newer 1h", "unknown flag: --newer (did you mean --created-after?)"),
    ("job delete --newer-than=1h", "unknown flag: --newer-than (did you mean --created-after?)"),
    ("job summary --unchanged-for 1h", "unknown flag: --unchanged-for (did you mean --stale?)"),
    ("--limit 1 job query", "unknown flag: --limit"),
    ("job --id 1 get", "unknown flag: --id"),
    ("job -v", "unknown shorthand flag: 'v' in -v"),
    ("job get -x", "unknown shorthand flag: 'x' in -x"),
    ("job get -id 1", "unknown shorthand flag: 'i' in -id"),
    ("job get --id", "flag needs an argument: --id"),
    ("--client-port abc version", 'invalid argument "abc" for "--client-port" flag: invalid syntax'),
    ("--client-port= version", 'invalid argument "" for "--client-port" flag: invalid syntax'),
    ("job query --limit 1.5", 'invalid argument "1.5" for "--limit" flag: invalid syntax'),
    ("job query --limit 3000000000", 'invalid argument "3000000000" for "--limit" flag: value out of range'),
    (
        "job query --offset 9223372036854775808",
        'invalid argument "9223372036854775808" for "--offset" flag: value out of range',
    ),
    ("job get --raw=yes", 'invalid argument "yes" for "--raw" flag: invalid syntax'),
    ("job wait --timeout 5", 'invalid argument "5" for "--timeout" flag: invalid duration "5": use a unit, '),
    ("health --color blue", 'invalid argument "blue" for "--color" flag: must be one of auto, always, never'),
]


@pytest.mark.parametrize(("line", "message"), REFUSED)
def test_mistyped_flags_and_values_are_refused(run: Run, line: str, message: str) -> None:
    """A wrong flag or value gives one line on standard error that begins with Error, no usage text, and exit code 1."""
    outcome = run(*line.split())
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith(f"Error: {message}")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "help_of", "note"),
    [
        ([], "wfxctl", ""),
        (["job"], "wfxctl job", ""),
        (["workflow"], "wfxctl workflow", ""),
        (["completion"], "wfxctl completion", ""),
        (["foo"], "wfxctl", 'unknown command "foo" for "wfxctl"\n'),
        (["jbo", "get"], "wfxctl", 'unknown command "jbo" for "wfxctl" (did you mean job?)\n'),
        (["job", "qurey"], "wfxctl job", 'unknown command "qurey" for "wfxctl job" (did you mean query?)\n'),
        (["completion", "foo"], "wfxctl completion", 'unknown command "foo" for "wfxctl completion"\n'),
    ],
)
def test_unknown_commands_show_the_nearest_help(run: Run, words: list[str], help_of: str, note: str) -> None:
    """A group alone, or with a word it does not know, prints its help on standard output and succeeds."""
    outcome = run(*words)
    assert (outcome.code, outcome.err) == (0, note)
    assert f"Usage:\n  {help_of} [command]\n" in outcome.out


def test_help_of_a_topic(run: Run) -> None:
    """The help command, -h and --help print the same; an unknown topic is a note and the usage on standard error."""
    assert run("help", "job", "get").out == run("job", "get", "-h").out == run("job", "--help", "get").out != ""
    unknown = run("help", "nothing", "like", "this")
    assert (unknown.code, unknown.out) == (0, "")
    assert unknown.err.startswith("Unknown help topic: nothing like this\n\nUsage:\n  wfxctl [command]\n")


def test_help_needs_no_server_and_no_configuration(run: Run, stub: Stub) -> None:
    """Help and version are printed although the configuration is broken."""
    broken = {"WFX_CLIENT_PORT": "x"}
    assert run("job", "get", "--help", "--client-port", str(stub.port), env=broken).code == 0
    version = run("--version", env=broken)
    assert version.code == 0
    assert version.out.startswith("wfxctl version ")
    assert version.out.endswith(")\n")
    assert stub.seen == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("300ms", 0.3),
        ("1.5s", 1.5),
        ("1m30s", 90),
        ("2h45m", 9900),
        ("-1s", -1),
        ("+1s", 1),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("1ns", 1e-9),
        (".5h", 1800),
        ("30d", 2_592_000),
        ("1d12h", 129_600),
        ("2w", 1_209_600),
        ("1y", 31_536_000),
        ("P2W", 1_209_600),
        ("P1DT12H", 129_600),
        ("1.h", 3600),
    ],
)
def test_durations_are_numbers_with_units(text: str, seconds: float) -> None:
    """Durations are numbers with units, added up, as Go reads them; also in days, weeks and years, and as ISO 8601."""
    assert durations.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "1",
        "s",
        "1 s",
        "1m 30s",
        "1M",
        "1 d",
        "P1Y",
        "1m-3s",
        "--1s",
        "abc",
        "1.5",
        "\N{ARABIC-INDIC DIGIT ONE}s",
        ".s",
        "1e3s",
        "9" * 400 + "s",
        "-" + "9" * 308 + "y",
    ],
)
def test_durations_need_units(text: str) -> None:
    """What is no number with a unit, or one that is too large for any number here, is no duration."""
    with pytest.raises(ValueError, match="invalid duration"):
        durations.parse(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.512, "512ms"),
        (1.5, "1.5s"),
        (5, "5s"),
        (90, "1m30s"),
        (7261, "2h1m1s"),
    ],
)
def test_durations_are_shown_as_in_go(seconds: float, text: str) -> None:
    """Durations are shown with units."""
    assert durations.show(seconds) == text


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("a", ["a"]),
        ("a,,b", ["a", "", "b"]),
        ('"a,b",c', ["a,b", "c"]),
    ],
)
def test_lists_are_split_at_commas(text: str, items: list[str]) -> None:
    """A list value is split at commas outside of quotes."""
    assert Option("x", Kind.STRINGS, "").parse(text) == items


def test_lists_with_broken_quotes_are_refused() -> None:
    """A quote that is not closed is a mistake."""
    with pytest.raises(UsageFailure, match="invalid argument"):
        grammar.parse(ROOT, ["job", "query", "--group", '"a'])
