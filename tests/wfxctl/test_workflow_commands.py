"""Workflows from files (cli section 8)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import Stub

Run = Callable[..., Any]

YAML = """
# a comment
name: lamp
description: 2026
extra: dropped
states:
  - name: on
    description: light
    color: dropped
  - name: 007
groups: []
transitions:
  - {from: on, to: 007, eligible: CLIENT, action: WAIT}
"""
SENT = {
    "name": "lamp",
    "description": "2026",
    "states": [{"name": "on", "description": "light"}, {"name": "007"}],
    "transitions": [{"from": "on", "to": "007", "eligible": "CLIENT", "action": "WAIT"}],
}


def test_yaml_becomes_what_the_api_takes(north: Run, stub: Stub) -> None:
    """Words stay words, unknown keys are dropped, empty lists are left out."""
    Path("lamp.yml").write_text(YAML)
    outcome = north("workflow", "create", "--filter=.transitions", "lamp.yml")
    assert (outcome.code, outcome.out) == (0, "null\n")
    assert (stub.one.method, stub.one.path) == ("POST", "/workflows")
    assert stub.one.json == SENT
    assert " INF creating workflows count=1" in outcome.err


def test_json_is_taken_too(north: Run, stub: Stub) -> None:
    """The same workflow may be written in JSON, and come from standard input."""
    assert north("workflow", "create", "-", stdin=json.dumps(SENT | {"extra": 1}).encode()).code == 0
    assert stub.one.json == SENT


def test_minimal_workflows_keep_their_name(north: Run, stub: Stub) -> None:
    """A name is always sent; whether the rest suffices is the server's to say."""
    assert north("workflow", "create", "-", stdin=b"name: x\ntransitions: []\n").code == 0
    assert north("workflow", "create", "-", stdin=b"").code == 0
    assert [seen.json for seen in stub.seen] == [{"name": "x"}, {"name": ""}]


def test_files_are_read_before_any_request(north: Run, stub: Stub) -> None:
    """When one of several files is broken, none is sent; a dash among others is a file name."""
    Path("good.yml").write_text(YAML)
    for bad in ("missing.yml", "-"):
        outcome = north("workflow", "create", "good.yml", bad, stdin=YAML.encode())
        assert outcome.code == 1
        assert outcome.err == f"Error: cannot read {bad}: No such file or directory\n"
    assert stub.seen == []


def test_creation_stops_at_the_first_refusal(north: Run, stub: Stub) -> None:
    """Workflows are created in order, up to the first that the server refuses."""
    for name in "abc":
        Path(f"{name}.yml").write_text(f"name: {name}")
    stub.will({"name": "a"}, 201)
    stub.will({}, 400)
    outcome = north("workflow", "create", "--filter", ".name", "a.yml", "b.yml", "c.yml")
    assert (outcome.code, outcome.out) == (1, '"a"\n')
    assert [seen.json["name"] for seen in stub.seen] == ["a", "b"]


BROKEN = [
    "a: [",
    "- a",
    "text",
    "name: [a]",
    "name: {a: b}",
    "name: x\nstates: a",
    "name: x\nstates: [a]",
    "name: x\ngroups: [{name: g, states: [[a]]}]",
    '{"name": 1}x',
    "\x00",
    "&a [*a]",
    "!!python/object:os.system {}",
]


@pytest.mark.parametrize("content", BROKEN)
def test_what_is_no_workflow_is_refused(run: Run, content: str) -> None:
    """A file that is neither JSON nor YAML, or holds something else, is named with what is wrong."""
    Path("broken.yml").write_text(content)
    outcome = run("workflow", "create", "broken.yml", "--mgmt-port", "1")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: broken.yml is no workflow: ")


PLACED = [
    "broken.yml:1:5: invalid YAML: ",
    "broken.yml is no workflow: there should be keys and values, not a list",
    "broken.yml is no workflow: there should be keys and values, not a text",
    'broken.yml:1:1: name: ["a"] is not of type "string"',
    'broken.yml:1:1: name: {"a":"b"} is not of type "string"',
    'broken.yml:2:1: states: "a" is not of type "array"',
    'broken.yml:2:10: "a" is not of type "object"',
    'broken.yml:2:29: ["a"] is not of type "string"',
    "broken.yml:1:12: invalid YAML: ",
    "broken.yml is no workflow: ",
    "broken.yml is no workflow: there should be keys and values, not a list",
    "broken.yml:1:1: invalid YAML: ",
]


@pytest.mark.parametrize(("content", "fault"), list(zip(BROKEN, PLACED, strict=True)))
def test_validation_tells_where_a_file_is_broken(run: Run, content: str, fault: str) -> None:
    """What is no workflow has file, line and column of each fault; the exit code is 1."""
    Path("broken.yml").write_text(content)
    outcome = run("workflow", "validate", "broken.yml", "--mgmt-port", "1")
    assert (outcome.code, outcome.out) == (1, "")
    assert [line for line in outcome.err.splitlines() if line.startswith(f"Error: {fault}")], outcome.err
    assert all(line.startswith("Error: broken.yml") for line in outcome.err.splitlines())


def test_validation_goes_on_behind_broken_files(run: Run) -> None:
    """Files that cannot be read, are no YAML or no workflow, and empty directories keep no other from being checked."""
    Path("flows").mkdir()
    Path("none").mkdir()
    contents = {
        "a.yml": "name: a\n  states: [", "b.yml": VALID, "c.yml": "name: w\nname: v\n", "d.json": '{"states": 1}',
        "e.yml": VALID.replace("to: B", "to: C"), "f.yml": "a: 'b\n",
    }  # fmt: skip
    for name, content in contents.items():
        Path("flows", name).write_text(content)
    outcome = run("workflow", "validate", "missing.yml", "none", "flows", "flows/b.yml")
    assert outcome.code == 1
    told = [line.partition(": ")[2].rpartition(":")[0] for line in outcome.err.splitlines()]
    assert [line[: len("flows/x.yml:n")] for line in told] == [
        "cannot read m", "", "flows/a.yml:2", "flows/c.yml:2", *["flows/d.json:"] * 3, "flows/f.yml:2",
    ]  # fmt: skip
    verdicts = outcome.out.splitlines()
    assert (verdicts[0], verdicts[-1]) == ("w : OK", "w : OK")
    assert [line.split(": ")[1] for line in verdicts[1:-1]] == ["flows/e.yml:2:22", "flows/e.yml:3:25"]


def test_a_workflow_that_contains_itself_is_refused(run: Run) -> None:
    """An alias within what it stands for is a fault like others, and no traceback."""
    Path("w.yml").write_text("&a {name: w, extra: *a}")
    outcome = run("workflow", "validate", "w.yml")
    assert outcome.code == 0
    assert "ERROR: w.yml:1:1: a part of it contains itself" in outcome.out.splitlines()


VALID = "name: w\nstates: [{name: A}, {name: B}]\ntransitions: [{from: A, to: B, eligible: CLIENT}]\n"
VERDICTS = [
    (VALID, "w : OK\n"),
    (VALID + "groups: [{name: G, states: [nowhere]}]", "w : OK\n"),
    ("name: w\nstates: [{name: A}]\ntransitions: [{from: A, to: A, eligible: CLIENT}]", "w : OK\n"),
    (VALID + "groups: [{name: G, states: [A]}, {name: G, states: []}]", "ERROR: "),
    (VALID + "groups: [{name: G, states: [A]}, {name: H, states: [A]}]", "ERROR: "),
    ("name: w\nstates: [{name: A}, {name: A}]", "ERROR: "),
    ("name: w\nstates: [{name: A}]\ntransitions: [{from: A, to: X, eligible: WFX}]", "ERROR: "),
    ("name: w\nstates: [{name: A}, {name: B}]", "ERROR: "),
    ("", "ERROR: "),
]


@pytest.mark.parametrize(("content", "verdict"), VERDICTS)
def test_validation_says_ok_or_why_not(run: Run, content: str, verdict: str) -> None:
    """A workflow is called OK or an error with its reason, and the exit code is 0 in both cases, without any server."""
    Path("w.yml").write_text(content)
    outcome = run("workflow", "validate", "w.yml", "--mgmt-port", "1")
    assert (outcome.code, outcome.err) == (0, "")
    assert all(line.startswith(verdict.strip()) for line in outcome.out.splitlines())
    assert outcome.out


FAULTY = """\
name: x y
colour: green
states:
  - name: A
  - name: A
    descripton: misspelt
transitions:
  - {from: A, to: B, eligible: CLIENTE}
  - from: A
    to: C
    action: NOW
groups:
  - {name: G, states: []}
"""
FOUND = [
    r'1:1: name: "x y" does not match "^[a-zA-Z0-9\-\.]+$"',
    '2:1: unknown key "colour", which the server would ignore',
    "5:5: state 'A' exists already: state names must be unique",
    '6:5: unknown key "descripton", which the server would ignore (did you mean description?)',
    "8:15: transition 'A' -> 'B' has an unknown state 'B'",
    '8:22: eligible: "CLIENTE" is not one of "CLIENT" or "WFX"',
    '9:5: "eligible" is a required property',
    "10:5: transition 'A' -> 'C' has an unknown state 'C'",
    '11:5: action: "NOW" is not one of "IMMEDIATE" or "WAIT"',
    "13:15: states: [] has less than 1 item",
]


def test_validation_names_all_faults_with_their_lines(run: Run) -> None:
    """All faults of a file are named at once, each with file and line: words, names, misspelt keys, and logic."""
    Path("w.yml").write_text(FAULTY)
    outcome = run("workflow", "validate", "w.yml")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [f"ERROR: w.yml:{fault}" for fault in FOUND]
    outcome = run("workflow", "validate", "-", stdin=FAULTY.encode())
    assert outcome.out.splitlines() == [f"ERROR: standard input:{fault}" for fault in FOUND]


def test_validation_knows_the_lines_of_json(run: Run) -> None:
    """A workflow in JSON has lines too, also where it is indented by tabs."""
    document = json.loads(json.dumps(SENT)) | {"name": "a b"}
    for indent in (2, "\t"):
        Path("w.json").write_text(json.dumps(document, indent=indent))
        assert run("workflow", "validate", "w.json").out == (
            f'ERROR: w.json:2:{3 if indent == 2 else 2}: name: "a b" does not match "^[a-zA-Z0-9\\-\\.]+$"\n'
        )


TWICE = [
    "name: w\nstates: []\nname: v\n", '{"name": "w",\n "states": [],\n "name": "v"}',
    '{\t"name": "w",\n\t"states": [],\n\t"name": "v"}',
]  # fmt: skip


@pytest.mark.parametrize("content", TWICE)
@pytest.mark.parametrize("command", ["create", "validate"])
def test_a_key_given_twice_is_refused(run: Run, command: str, content: str) -> None:
    """A key that stands twice in a mapping is refused with its name and both lines, in YAML and in JSON."""
    Path("w.yml").write_text(content)
    outcome = run("workflow", command, "w.yml", "--mgmt-port", "1")
    assert (outcome.code, outcome.out) == (1, "")
    column = 1 if content.startswith("name") else 2
    place = f"w.yml:3:{column}" if command == "validate" else "w.yml is no workflow"
    assert outcome.err == f'Error: {place}: key "name" is given twice, in lines 1 and 3\n'


def test_merged_keys_are_not_given_twice(north: Run, stub: Stub) -> None:
    """What a mapping merges in may be replaced by its own keys, however deeply it is nested."""
    Path("w.yml").write_text("""
name: w
states: [&a {name: A, description: first}, &b {<<: *a, name: B}, {<<: *b, description: last}]
""")
    assert north("workflow", "create", "w.yml").code == 0
    assert stub.one.json["states"] == [
        {"name": "A", "description": "first"},
        {"name": "B", "description": "first"},
        {"name": "B", "description": "last"},
    ]


def test_the_first_of_several_documents_counts(north: Run, stub: Stub) -> None:
    """Of several YAML documents in a file the first is the workflow; a file that does not go on as YAML is refused."""
    Path("w.yml").write_text("name: first\n---\nname: second\nname: twice\n")
    assert north("workflow", "create", "w.yml").code == 0
    assert stub.one.json == {"name": "first"}


def test_validation_reads_no_configuration(run: Run) -> None:
    """Validation works with a broken configuration file, and from standard input with one JSON line on stderr."""
    Path("wfx.yml").write_text("a: [")
    outcome = run("workflow", "validate", "-", "--log-level", "panic", stdin=VALID.encode())
    assert (outcome.code, outcome.out) == (0, "w : OK\n")
    assert json.loads(outcome.err)["level"] == "debug"


def test_validation_shows_control_characters(run: Run) -> None:
    """Nothing in a file reaches the terminal as an escape sequence."""
    document = {"name": "\x1b[31m", "states": [{"name": "\x1b]0;x\x07"}, {"name": "\x1b]0;x\x07"}]}
    Path("w.json").write_text(json.dumps(document))
    outcome = run("workflow", "validate", "w.json")
    assert outcome.out.startswith("ERROR: ")
    assert "\x1b" not in outcome.out
    assert "x1b]0;x" in outcome.out


@pytest.mark.parametrize(
    "words", [("workflow", "validate"), ("workflow", "create"), ("job", "create", "--client-id=x")]
)
def test_input_without_end(north: Run, stub: Stub, words: tuple[str, ...]) -> None:
    """Files and standard input are read up to a bound, for they may have no end (/dev/zero)."""
    with Path("large").open("wb") as large:
        large.truncate(2**26 + 1)
    for name, shown in (("large", "large"), ("-", "standard input")):
        outcome = north(*words, name, stdin=Path("large").read_bytes())
        assert outcome.code == 1
        assert outcome.err.splitlines()[-1] == f"Error: cannot read {shown}: it has more than 67108864 bytes"
    assert stub.seen == []


@pytest.mark.parametrize(("content", "said"), [
    (b"5", "there should be keys and values, not a number"), (b"true", "not true or false"),
    (b"[" * 100_000, "it is nested too deeply"), (b"{a: " * 100_000, "it is nested too deeply"),
])  # fmt: skip
def test_what_is_no_workflow_at_all(north: Run, content: bytes, said: str) -> None:
    """What a file holds instead of a workflow is called by its kind."""
    outcome = north("workflow", "validate", "-", stdin=content)
    assert outcome.code == 1
    assert outcome.err.splitlines()[-1].startswith("Error: standard input is no workflow: ")
    assert outcome.err.endswith(f"{said}\n")
