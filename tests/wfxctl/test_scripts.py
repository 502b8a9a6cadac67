"""Scripts from a terminal, against a server that runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from command_lines import Run

from wfx.demo.local import LocalService

DOUBLE = "function main(payload) {\n  return {next: 'DONE', payload: {score: payload.amount * 2}}\n}\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalService]:
    """A server that runs scripts."""
    with LocalService(tmp_path_factory.mktemp("scripts"), "--enable-scripts") as service:
        yield service


@pytest.fixture
def at(running: LocalService) -> tuple[str, str]:
    """The options that name the server."""
    return "--mgmt-host=127.0.0.1", f"--mgmt-port={running.ports['north']}"


def test_put_show_run_delete(run: Run, at: tuple[str, str]) -> None:
    """A script is put from a file, shown, run and deleted; what it stood for is found by its hash, and put again."""
    Path("a.js").write_text(DOUBLE)
    version = sha256(DOUBLE.encode()).hexdigest()
    assert version[:12] in run("script", "put", "a", "a.js", *at).out
    assert json.loads(run("script", "show", "a", *at).out)["source"] == DOUBLE
    found = run("script", "run", "a", '--payload={"amount": 4}', *at)
    assert json.loads(found.out) == {"operations": 0, "next": "DONE", "payload": {"score": 8}}
    assert run("script", "put", "a", "-", *at, stdin=b"payload = 1").code == 0
    assert run("script", "versions", "a", "-o", "name", *at).out == "a\na\n"
    assert run("script", "delete", "a", *at).code == 0
    assert run("script", "list", "-o", "name", *at).out == ""
    missing = run("script", "show", "a", *at)
    assert (missing.code, "there is no script 'a'" in missing.err) == (1, True)
    assert json.loads(run("script", "show", "a", f"--sha256={version}", *at).out)["source"] == DOUBLE


def test_what_is_given(run: Run, at: tuple[str, str]) -> None:
    """The payload may come from a file, and so may facts; a seed gives the same randomness each time."""
    Path("payload.json").write_text('{"a": 1}')
    source = b"payload = {seen: [payload, next, nflow_data, Math.random()]}"
    run("script", "put", "given", "-", *at, stdin=source)
    words = ("script", "run", "given", "--payload=@payload.json", '--data={"b": 2}', "--next=A", "--seed=7", *at)
    first = json.loads(run(*words).out)["payload"]
    assert first["seen"][:3] == [{"a": 1}, "A", {"b": 2}]
    assert json.loads(run(*words).out)["payload"] == first
    wrong = run("script", "run", "given", "--payload={", *at)
    assert (wrong.code, "--payload is not JSON" in wrong.err) == (1, True)


def test_validate(run: Run, at: tuple[str, str]) -> None:
    """Each file is called OK, or what is wrong is told with its place; the exit code is 1 if anything is."""
    Path("good.js").write_text(DOUBLE)
    Path("bad.js").write_text("let a\n08n")
    outcome = run("script", "validate", "good.js", "bad.js", *at)
    assert outcome.code == 1
    good, bad = outcome.out.splitlines()
    assert good == "good.js : OK"
    assert bad.startswith("ERROR: bad.js: line 2, column 1: SyntaxError")
    assert run("script", "list", "-o", "name", *at).out.count("checked") == 0


def test_a_script_that_fails(run: Run, at: tuple[str, str]) -> None:
    """A run that fails tells why, and exits with 1."""
    run("script", "put", "loop", "-", *at, stdin=b"while (true) {}")
    outcome = run("script", "run", "loop", *at)
    assert (outcome.code, "operations" in outcome.err) == (1, True)


def test_scripts_that_are_off(run: Run, service: LocalService) -> None:
    """A server without scripts is asked in vain, and says which option is missing."""
    outcome = run("script", "list", "--mgmt-host=127.0.0.1", f"--mgmt-port={service.ports['north']}")
    assert (outcome.code, "--enable-scripts" in outcome.err) == (1, True)


@pytest.mark.parametrize(
    "words", [("put", "a"), ("run",), ("show", "a", "b"), ("delete",), ("validate",), ("list", "a")]
)
def test_usage(run: Run, words: tuple[str, ...]) -> None:
    """A command without what it needs, or with more, says so."""
    assert run("script", *words).code == 1
