"""Files of jobs to be created: NDJSON, JSON and YAML."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from command_lines import Outcome
from wfxctl_stub import Stub

from tests.wfxctl.test_bulk import Bulk, changes

Run = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("clients", "c0\nc1\n"),
        ("j.ndjson", '{"clientId": "c0"}\n{"clientId": "c1"}\n'),
        ("j.json", '[{"clientId": "c0"}, {"clientId": "c1"}]'),
        ("j.yaml", "- clientId: c0\n- clientId: c1\n"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_a_file(
    north: Run, stub: Stub, tmp_path: Path, name: str, content: str
) -> None:
    """A file that begins with a byte order mark, as editors of Windows write it, means what it means without."""
    Bulk(stub, 0)
    (tmp_path / name).write_text(content, encoding="utf-8-sig")
    flag = "--clients-from" if name == "clients" else "--file"
    outcome = north("job", "create", flag, str(tmp_path / name), "--workflow", "w")
    assert outcome.code == 0, outcome.err
    assert [job["clientId"] for job in changes(stub)[0].json["jobs"]] == ["c0", "c1"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("j.ndjson", '{"clientId": "c0", "workflow": "w"}\n\n{"clientId": "c1", "workflow": "w", "tags": ["x"]}\n'),
        ("j.json", '[{"clientId": "c0", "workflow": "w"}, {"clientId": "c1", "workflow": "w", "tags": ["x"]}]'),
        ("j.yaml", "- {clientId: c0, workflow: w}\n- {clientId: c1, workflow: w, tags: [x]}\n"),
    ],
)
def test_files_of_jobs(north: Run, stub: Stub, tmp_path: Path, name: str, content: str) -> None:
    """NDJSON, JSON and YAML mean the same jobs."""
    Bulk(stub, 0)
    (tmp_path / name).write_text(content)
    assert north("job", "create", "-f", name).code == 0
    (sent,) = changes(stub)
    two = [{"clientId": "c0", "workflow": "w"}, {"clientId": "c1", "workflow": "w", "tags": ["x"]}]
    assert sent.json == {"jobs": two}


def test_yaml_has_the_values_of_json(north: Run, stub: Stub, tmp_path: Path) -> None:
    """In YAML dates, times and words such as ``on`` are texts; numbers and aliases are what they say."""
    Bulk(stub, 0)
    (tmp_path / "j.yml").write_text("""
workflow: w
definition: &d {when: 2026-01-01, at: 12:30:45, hex: 0x1F, zeros: 007, on: on, no: no, 1: .inf, none: ~, empty: }
jobs:
- {clientId: c0, variables: {n: 1, f: -1.5e3, t: true, s: "2", l: [false, null]}}
- {clientId: c1, definition: {<<: *d, on: off}}
""")
    assert north("job", "create", "-f", "j.yml").code == 0
    sent = changes(stub)[0].json
    common = {"when": "2026-01-01", "at": "12:30:45", "hex": "0x1F", "zeros": "007", "on": "on", "no": "no",
              "1": ".inf", "none": None, "empty": None}  # fmt: skip
    assert sent["definition"] == common
    assert sent["jobs"][0]["variables"] == {"n": 1, "f": -1500, "t": True, "s": "2", "l": [False, None]}
    assert sent["jobs"][1]["definition"] == common | {"on": "off"}


def test_aliases_that_stand_for_too_much_are_refused(north: Run, stub: Stub, tmp_path: Path) -> None:
    """A file of a few lines whose aliases stand for billions of values is refused."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x,x]"]
    for name, before in pairwise("abcdefghij"):
        lines.append(f"{before}: &{before} [{','.join([f'*{name}'] * 10)}]")
    (tmp_path / "j.yml").write_text("\n".join(lines))
    outcome = north("job", "create", "-f", "j.yml")
    assert (outcome.code, stub.seen) == (1, [])
    assert "j.yml: invalid YAML: it has more than 1,000,000 values" in outcome.err


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("j.ndjson", '{"clientId": "c0"}\n{"client": "c1"}\n', 'j.ndjson:2: there is no member "client"'),
        ("j.ndjson", '{"clientId": "c0"}\n{', "j.ndjson:2:2: invalid JSON: Expecting property name"),
        (
            "j.ndjson",
            '{"clientId": "c0"}\n{"clientId": "a", "clientId": "b"}',
            'j.ndjson:2: key "clientId" is given twice',
        ),
        ("j.json", '[{"clientId": "c0"},\n {"clientId": c1}]', "j.json:2:15: invalid JSON: "),
        ("j.json", '[{"clientId": "c0", "tags": [1e999]}]', "j.json:1: number 1e999 is out of range"),
        (
            "j.yml",
            "- clientId: a\n  clientId: b\n",
            'j.yml:2:3: invalid YAML: key "clientId" is given twice, in lines 1 and 2',
        ),
        ("j.yml", "- &a {clientId: c, definition: {a: *a}}", "j.yml:1:3: invalid YAML: "),
        ("j.yml", "- {clientId: c, definition: {a: !!set {b}}}", "j.yml:1:33: invalid YAML: the tag "),
        ("j.yml", "- {clientId: c, definition: {a: 1e999}}", "j.yml:1:33: invalid YAML: number 1e999 "),
        ("j.yml", "- {clientId: c, definition: {? [a] : b}}", "j.yml:1:32: invalid YAML: a key must be a text"),
        ("j.yml", "[" * 100_000, "j.yml:1:201: invalid YAML: it is nested too deeply"),
        ("j.yml", "a: \0", "j.yml: invalid YAML: "),
        ("j.yml", "- clientId: a\n---\n- clientId: b\n", "j.yml:2:1: invalid YAML: "),
        ("j.yml", "- {clientId: c0, tags: x}\n", "j.yml: job 1: tags should be a list"),
        ("j.yml", "jobs: [{workflow: w}]\n", "j.yml: job 1: clientId is missing"),
        ("j.yml", "a: [\n", "j.yml:2:1: invalid YAML: "),
        ("j.json", "[]", "j.json has no jobs"),
    ],
)
def test_files_with_faults(north: Run, stub: Stub, tmp_path: Path, name: str, content: str, told: str) -> None:
    """What is wrong with a file is told with its place, and nothing is asked."""
    (tmp_path / name).write_text(content)
    outcome = north("job", "create", "-f", name, "--workflow", "w")
    assert (outcome.code, stub.seen) == (1, [])
    assert told in outcome.err
