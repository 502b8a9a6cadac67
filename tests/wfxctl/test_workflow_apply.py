"""``wfxctl workflow apply``, and directories for ``validate``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from wfxctl_stub import WORKFLOW, Reply, Seen, Stub

from wfx.demo.local import LocalService

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]


class Shelf:
    """Workflows that a stub stores and serves."""

    def __init__(self, stub: Stub) -> None:
        self.stored: dict[str, Any] = {}
        stub.usual = self._answer

    def _answer(self, request: Seen) -> Reply:
        name = request.path.rpartition("/")[2]
        if request.method == "POST":
            self.stored[request.json["name"]] = request.json
            return Reply(201, request.body)
        found = self.stored.get(name)
        return Reply(404, b'{"errors":[]}') if found is None else Reply(body=json.dumps(found).encode())


@pytest.fixture
def shelf(stub: Stub) -> Shelf:
    """A server that stores workflows."""
    return Shelf(stub)


@pytest.fixture
def both(run: Run, stub: Stub) -> Run:
    """Run against the stub as both APIs."""
    return lambda *argv: run(f"--client-port={stub.port}", f"--mgmt-port={stub.port}", *argv)


def written(file: str, **members: Any) -> str:
    """Write a workflow to a file, by whose name it is called."""
    path = Path(file)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(WORKFLOW | {"name": path.stem} | members))
    return file


def test_what_is_missing_is_created(both: Run, shelf: Shelf, stub: Stub) -> None:
    """Of a directory all workflows are created in order; a second time all are unchanged, and nothing is sent."""
    for name in ("flows/b.yml", "flows/a.json", "flows/c.yaml", "flows/note.txt", "flows/deep/d.yml"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        written(name)
    outcome = both("workflow", "apply", "-f", "flows", "-f", written("e.yml"))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "a created\nb created\nc created\ne created\n"
    stub.seen.clear()
    assert both("workflow", "apply", "flows/", "e.yml").out == "a unchanged\nb unchanged\nc unchanged\ne unchanged\n"
    assert {seen.method for seen in stub.seen} == {"GET"}
    assert len(shelf.stored) == 4


@pytest.mark.parametrize(("members", "parts"), [
    ({"description": "x"}, "description"), ({"groups": []}, "groups"),
    ({"states": [*WORKFLOW["states"][::-1]], "transitions": WORKFLOW["transitions"][:0:-1]}, "states, transitions"),
])  # fmt: skip
def test_what_differs_is_said(both: Run, shelf: Shelf, stub: Stub, members: dict[str, Any], parts: str) -> None:
    """A workflow that is stored otherwise differs, in these parts; the others are applied, and the exit code tells."""
    shelf.stored["a"] = WORKFLOW | {"name": "a"} | members
    outcome = both("workflow", "apply", "-f", written("a.yml"), "-f", written("b.yml"))
    assert (outcome.code, outcome.out) == (5, f"a differs ({parts})\nb created\n")
    assert [seen.method for seen in stub.seen].count("POST") == 1


def test_faults_are_found_before_anything_is_stored(both: Run, shelf: Shelf, stub: Stub) -> None:
    """All faults of all files are told with their lines, and then nothing is stored."""
    Path("x.yml").write_text("name: x\nstates: [{name: A}, {name: A}]\ntransitions: []\ncolour: red\n")
    written("y.yml", name="a")
    Path("z.yml").write_text("name: [")
    files = ("-f", written("a.yml"), "-f", "x.yml", "-f", "z.yml", "-f", "y.yml", "-f", "missing.yml")
    outcome = both("workflow", "apply", *files)
    assert (outcome.code, outcome.out) == (1, "")
    duplicate, *others = outcome.err.splitlines()
    assert duplicate.startswith("ERROR: x.yml:2:22: ")
    assert others[-4].startswith("ERROR: z.yml:1:8: invalid YAML: ")
    assert [*others[-5:-4], *others[-3:]] == [
        'ERROR: x.yml:4:1: unknown key "colour", which the server would ignore',
        "ERROR: cannot read missing.yml: No such file or directory",
        'ERROR: y.yml: the workflow "a" is in a.yml too',
        "Error: nothing was applied, because of what is wrong above",
    ]
    assert stub.seen == []
    assert shelf.stored == {}


@pytest.mark.parametrize(("argv", "said"), [
    ([], "workflow file missing: give -f FILE or -f DIRECTORY"),
    (["-f"], "flag needs an argument: --file"),
])  # fmt: skip
def test_what_is_missing_is_said(both: Run, stub: Stub, argv: list[str], said: str) -> None:
    """Without files there is nothing to apply."""
    outcome = both("workflow", "apply", *argv)
    assert (outcome.code, outcome.out, outcome.err) == (1, "", f"Error: {said}\n")
    assert stub.seen == []


@pytest.mark.parametrize(("name", "said"), [
    ("missing.yml", "cannot read missing.yml: No such file or directory"),
    ("empty", "empty has no files that end in .yaml, .yml, .json"),
])  # fmt: skip
def test_what_cannot_be_read_is_said(both: Run, stub: Stub, name: str, said: str) -> None:
    """Where a file or a directory has no workflow, nothing is applied."""
    Path("empty").mkdir()
    outcome = both("workflow", "apply", "-f", name, written("a.yml"))
    lines = [f"ERROR: {said}", "Error: nothing was applied, because of what is wrong above"]
    assert (outcome.code, outcome.out, outcome.err.splitlines()) == (1, "", lines)
    assert stub.seen == []


def test_a_server_that_refuses_ends_it(both: Run, stub: Stub) -> None:
    """An error of the server ends the command; what was created before is said."""
    stub.replies += [Reply(404, b""), Reply(201, b"{}"), Reply(503, b"busy")]
    outcome = both("workflow", "apply", written("a.yml"), written("b.yml"))
    assert (outcome.code, outcome.out, outcome.err) == (1, "a created\n", "Error: error: busy\n")


def test_a_directory_is_validated(run: Run) -> None:
    """Validation takes files and directories, several at a time."""
    written("flows/a.yml")
    written("flows/b.json")
    written("c.yml", states=[])
    lines = run("workflow", "validate", "flows", "c.yml").out.splitlines()
    assert lines[:2] == ["a : OK", "b : OK"]
    assert all(line.startswith("ERROR: c.yml:1:") for line in lines[2:])
    assert len(lines) > 2


def test_the_bundled_workflows_are_applied(run: Run, tmp_path: Path) -> None:
    """With a real service the bundled workflows are created once, unchanged then, and one that is edited differs."""
    bundled = ROOT / "spec" / "workflows"
    names = sorted(yaml.safe_load(path.read_text())["name"] for path in bundled.glob("*.yml"))
    with LocalService(tmp_path) as service:
        ports = [f"--client-port={service.ports['south']}", f"--mgmt-port={service.ports['north']}"]
        first = run(*ports, "workflow", "apply", "-f", str(bundled))
        assert first.code == 0, first.err
        again = run(*ports, "workflow", "apply", "-f", str(bundled))
        assert (again.code, sorted(again.out.splitlines())) == (0, [f"{name} unchanged" for name in names])
        edited = Path("edited.yml")
        edited.write_text((bundled / "wfx.workflow.kanban.yml").read_text().replace("action: WAIT", ""))
        differs = run(*ports, "workflow", "apply", "-f", "edited.yml")
        assert (differs.code, differs.out) == (5, "wfx.workflow.kanban differs (transitions)\n")
