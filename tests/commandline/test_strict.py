"""``--strict``: wrong command lines have an exit code of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_lines import Run
from wfxctl_stub import Reply, Stub

WRONG = [
    ("job query --limt 1", "unknown flag: --limt (did you mean --limit?)"),
    ("job query --limit x", 'invalid argument "x" for "--limit" flag: invalid syntax'),
    ("job query --sort up", 'invalid argument "up" for "--sort" flag: must be one of asc, desc'),
    ("job get", "job id missing"),
    ("job get --id", "flag needs an argument: --id"),
    ("workflow get", "workflow name missing"),
    ("job wait 7", "condition missing"),
    ("context use nothing", 'there is no context "nothing"'),
    ("job query -o table --filter .", "--filter works on JSON only"),
]
SURPLUS = [
    ("job query x", 'unexpected argument "x" for "wfxctl job query"'),
    ("job get 7 --id 7", "job id is given twice: by --id and as an argument"),
    ("version x", 'unexpected argument "x" for "wfxctl version"'),
    ("context list x", 'unexpected argument "x" for "wfxctl context list"'),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_a_wrong_command_line_exits_with_2(run: Run, stub: Stub, line: str, said: str) -> None:
    """With --strict, wherever it stands, or its variable, the exit code is 2; without, 1 and the same message."""
    port = f"--client-port={stub.port}"
    plain = run(port, *line.split())
    assert (plain.code, plain.out) == (1, "")
    assert plain.err.startswith(f"Error: {said}")
    strict = [run("--strict", port, *line.split()), run(port, *line.split(), env={"WFX_STRICT": "1"})]
    if not line.endswith("--id"):
        strict.append(run(port, *line.split(), "--strict"))
    assert [(outcome.code, outcome.err) for outcome in strict] == [(2, plain.err)] * len(strict)
    assert stub.seen == []


@pytest.mark.parametrize(("line", "said"), SURPLUS)
def test_surplus_arguments_are_wrong(run: Run, stub: Stub, line: str, said: str) -> None:
    """Arguments that make no sense are passed over, and with --strict they are wrong."""
    stub.usual = lambda _: Reply(body=b'{"content":[]}')
    port = f"--client-port={stub.port}"
    assert run(port, *line.split()).code == 0
    stub.seen.clear()
    strict = run(port, "--strict", *line.split())
    assert (strict.code, strict.out, strict.err) == (2, "", f"Error: {said}\n")
    assert stub.seen == []


def test_a_second_id_is_wrong(run: Run, stub: Stub) -> None:
    """Two ids where a command is about one job are wrong without --strict, too, and nothing is asked for."""
    line = (f"--client-port={stub.port}", "job", "get", "7", "8")
    plain, strict = run(*line), run("--strict", *line)
    assert (plain.code, strict.code) == (1, 2)
    assert plain.err.startswith("Error: one job id is taken at a time")
    assert strict.err == 'Error: unexpected argument "8" for "wfxctl job get"\n'
    assert stub.seen == []


@pytest.mark.parametrize(
    ("line", "note"), [("jbo", 'unknown command "jbo"'), ("job qurey", 'unknown command "qurey"'), ("job", "")]
)
def test_no_command_is_wrong_too(run: Run, line: str, note: str) -> None:
    """Without a command that is known the help is shown as ever, and the exit code is 2 with --strict."""
    plain, strict = run(*line.split()), run("--strict", *line.split())
    assert (plain.code, strict.code) == (0, 2)
    assert (plain.out, plain.err) == (strict.out, strict.err)
    assert strict.err.startswith(note)
    assert run("--strict", *line.split(), "--help").code == 0


def test_other_failures_are_as_ever(run: Run, stub: Stub) -> None:
    """What is not the command line's fault has the exit code 1 with --strict too."""
    stub.usual = lambda _: Reply(404, b"{}")
    assert run("--strict", f"--client-port={stub.port}", "job", "get", "7").code == 1
    assert run("--strict", "--client-port=1", "job", "get", "7").code == 1
    Path("wfx.yml").write_text("[")
    assert run("--strict", "job", "get", "7").code == 1


def test_a_file_may_ask_for_it(run: Run) -> None:
    """A configuration file can switch it on, and a flag off again."""
    Path("wfx.yml").write_text("strict: true")
    assert run("job", "get").code == 2
    assert run("job", "get", "--nonsense").code == 2
    assert run("--strict=false", "job", "get").code == 1
