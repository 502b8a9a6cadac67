"""Names that the shell offers come from the server and from contexts; the shells themselves are tried."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from command_lines import Run
from wfxctl_stub import WORKFLOW, Reply, Seen, Stub

from wfxctl import client, names

OTHER = {
    "name": "other",
    "description": "a\x1bb",
    "states": [{"name": "UP"}],
    "groups": [{"name": "G", "states": ["UP"]}],
}
JOB = {"id": "7", "workflow": OTHER}
ROOT = Path(__file__).parents[2]


def answer(request: Seen) -> Reply:
    """Serve two workflows, and a job of the second."""
    found: dict[str, Any] = {"/workflows": {"content": [WORKFLOW, OTHER]}, "/workflows/lamp": WORKFLOW, "/jobs/7": JOB}
    document = found.get(request.path)
    return Reply(404, b"") if document is None else Reply(body=json.dumps(document).encode())


@pytest.fixture
def known(run: Run, stub: Stub) -> Run:
    """Complete against a server that knows names."""
    stub.usual = answer
    return lambda *words, **more: run("__completeNoDesc", f"--client-port={stub.port}", "--mgmt-port=1", *words, **more)


STATES = ["OFF", "DIM", "BRIGHT", "BROKEN", "UP"]
OFFERED = [
    (["workflow", "get", ""], ["lamp", "other"]),
    (["workflow", "get", "--name", "l"], ["lamp"]),
    (["workflow", "delete", "lamp", "o"], ["other"]),
    (["job", "create", "--workflow", ""], ["lamp", "other"]),
    (["job", "create", "--workflow=o"], ["--workflow=other"]),
    (["job", "query", "--state", ""], STATES),
    (["job", "query", "--workflow", "lamp", "--state", ""], STATES[:-1]),
    (["job", "query", "--workflow", "gone", "--state", ""], []),
    (["job", "query", "--group", ""], ["OPEN", "CLOSED", "FAILED", "G"]),
    (["job", "query", "--group", "OPEN,F"], ["OPEN,FAILED"]),
    (["job", "summary", "--group", "C"], ["CLOSED"]),
    (["job", "events", "--workflow", "lamp,o"], ["lamp,other"]),
    (["job", "update-status", "7", "--state", ""], ["UP"]),
    (["job", "update-status", "--id", "7", "--state="], ["--state=UP"]),
    (["job", "update-status", "8", "--state", ""], []),
    (["job", "wait", "7", "--for", ""], ["state=UP", "group=G"]),
    (["job", "wait", "--for", "state=B"], ["state=BRIGHT", "state=BROKEN"]),
]


@pytest.mark.parametrize(("words", "offered"), OFFERED)
def test_names_come_from_the_server(known: Run, words: list[str], offered: list[str]) -> None:
    """Workflows, states and groups are those of the server, of the job or workflow on the line if there is one."""
    assert known(*words).out.split() == [*offered, ":4"]


def test_names_come_with_descriptions(run: Run, stub: Stub) -> None:
    """What the server says about a name follows a tab, without control characters."""
    stub.usual = answer
    assert "other\ta\\x1bb\n" in run("__complete", f"--client-port={stub.port}", "workflow", "get", "").out


def test_names_come_from_contexts(run: Run, stub: Stub) -> None:
    """Contexts are completed without a server, and a context on the line says which server is asked."""
    stub.usual = answer
    for name, port in (("lab", 1), ("plant", stub.port)):
        assert run("context", "add", name, "--client-url", f"http://127.0.0.1:{port}").code == 0
    assert run("__completeNoDesc", "--context", "").out.split() == ["lab", "plant", ":4"]
    assert run("__completeNoDesc", "context", "rm", "lab", "p").out.split() == ["plant", ":4"]
    assert run("__completeNoDesc", "--context", "plant", "workflow", "get", "").out.split() == ["lamp", "other", ":4"]
    assert run("__completeNoDesc", "--context", "gone", "workflow", "get", "").out.split() == [":4"]


def test_dangerous_names_are_not_offered(known: Run, stub: Stub) -> None:
    """A name that a shell could take for more than a word is left out."""
    bad = ("a b", "$(reboot)", "`x`", "a;b", "a'b", "a\nb", "-x", "*", "~x", "=x")
    bad = ("a b", "$(reboot)", "`x`", "a;b", "a'b", "a\nb", "-x", "*", "~x", "=x")
    found = [{"name": name} for name in (*bad, "good", "größe")]
    stub.usual = lambda _: Reply(body=json.dumps({"content": found}).encode())
    assert known("workflow", "get", "").out.split() == ["good", "größe", ":4"]


@pytest.mark.parametrize("body", [b"", b"<html>", b"7", b'{"content":[7,{"name":[]}]}'])
def test_odd_answers_offer_nothing(known: Run, stub: Stub, body: bytes) -> None:
    """A server that answers something else offers nothing, and there is no message."""
    stub.usual = lambda _: Reply(body=body)
    outcome = known("workflow", "get", "")
    assert (outcome.code, outcome.out) == (0, ":4\n")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize("flags", [["--client-port=1"], ["--tls-ca=/gone", "--enable-tls"], ["--token-file=/gone"]])
def test_without_an_answer_there_is_silence(known: Run, flags: list[str]) -> None:
    """Where no server can be asked nothing is offered, and there is no message."""
    outcome = known(*flags, "workflow", "get", "")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (0, ":4\n", 1)


def test_a_server_that_hangs_is_not_waited_for(known: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses a key gets it back soon, whatever the server does."""
    monkeypatch.setattr(names, "PATIENCE", 0.05)
    monkeypatch.setattr(client, "TIMEOUT", 600.0)
    ended = Event()

    def hang(request: Seen) -> Reply:
        assert ended.wait(60)
        return answer(request)

    stub.usual = hang
    try:
        assert known("workflow", "get", "").out == ":4\n"
    finally:
        ended.set()


@pytest.fixture
def place(stub: Stub, tmp_path: Path) -> Path:
    """A directory with the program, in which shells are tried against a server."""
    stub.usual = answer
    (tmp_path / "wfxctl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m wfxctl "$@"\n')
    (tmp_path / "wfxctl").chmod(0o755)
    return tmp_path


def environment(place: Path, stub: Stub) -> dict[str, str]:
    """Variables with which the program is found, and finds the server."""
    return {
        "PATH": f"{place}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(place), "TERM": "dumb",
        "WFX_CLIENT_PORT": str(stub.port), "WFX_CLIENT_HOST": "127.0.0.1", "LC_ALL": "C.UTF-8",
    }  # fmt: skip


SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "bind 'set enable-bracketed-paste off'; bind -x '\"\\C-t\": echo \"LINE<$READLINE_LINE>\"'; source ./script; ",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        (
            'autoload -U compinit; compinit -u -D; source ./script; show() { print; print -r -- "LINE<$BUFFER>" }; '
            "zle -N show; bindkey '^T' show; bindkey '^I' complete-word; unset zle_bracketed_paste; "
        ),
    ),
}
PRESSES = 20
"""How often the key is pressed on a machine so slow that the server is not waited for."""
TYPED = [
    ("wfxctl job qu", "wfxctl job query "),
    ("wfxctl workflow get la", "wfxctl workflow get lamp "),
    ("wfxctl job query --workflow=ot", "wfxctl job query --workflow=other "),
    ("wfxctl job query --state BRI", "wfxctl job query --state BRIGHT "),
    ("wfxctl job query --group OPEN,CL", "wfxctl job query --group OPEN,CLOSED "),
    ("wfxctl job wait 7 --for state=U", "wfxctl job wait 7 --for state=UP "),
    ("wfxctl job wait 7 --for=gr", "wfxctl job wait 7 --for=group=G "),
    ("wfxctl job wait 7 --for=state=U", "wfxctl job wait 7 --for=state=UP "),
    ("wfxctl job query -o na", "wfxctl job query -o name "),
    ("wfxctl job summary --all", "wfxctl job summary --all-tags "),
    ("wfxctl job query --created-a", "wfxctl job query --created-after "),
    ("wfxctl job delete --modified-b", "wfxctl job delete --modified-before "),
    ("wfxctl job update-status --from-state=BRI", "wfxctl job update-status --from-state=BRIGHT "),
    ("wfxctl job retry --conti", "wfxctl job retry --continue-on-error "),
    ("wfxctl device la", "wfxctl device label "),
]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_interactive_shell_completes(place: Path, stub: Stub, shell: str) -> None:
    """The tab key of bash and zsh completes commands, flags and names that the server knows."""
    assert shutil.which(shell), f"{shell} is missing: install Debian's package {shell}, or run .ci/packages, which does"
    command, setup = SHELLS[shell]
    (place / "script").write_text(subprocess.check_output([place / "wfxctl", "completion", shell], text=True,
                                                          env=environment(place, stub)))  # fmt: skip
    with Keyboard.at(command, place, environment(place, stub)) as keyboard:
        keyboard.type(f"{setup} echo READ''Y\n")
        keyboard.until(r"READY")
        for typed, completed in TYPED:
            keyboard.type(typed)
            for _ in range(PRESSES):
                keyboard.type("\t\x14")
                line = keyboard.until(r"LINE<([^>]*)>")
                if line != typed:
                    break
            assert line == completed
            keyboard.type("\x15")  # an empty line again


def test_fish_completes(place: Path, stub: Stub) -> None:
    """Fish is offered the same words, with their descriptions."""
    assert shutil.which("fish"), "fish is missing: install Debian's package fish, or run .ci/packages, which does"
    env = environment(place, stub)
    (place / "script").write_text(subprocess.check_output([place / "wfxctl", "completion", "fish"], text=True, env=env))
    for typed, completed in TYPED:
        ask = ["fish", "--no-config", "-c", "source ./script; complete -C $argv[1]", typed]
        for _ in range(PRESSES):
            shown = subprocess.run(
                ask, cwd=place, env=env, capture_output=True, text=True, timeout=60, check=True
            ).stdout
            if shown:
                break
        assert [line.split("\t")[0] for line in shown.splitlines()] == [completed.split()[-1]]


class Keyboard:
    """A terminal with a shell, and who sits in front of it."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._seen = ""

    @classmethod
    @contextmanager
    def at(cls, command: list[str], place: Path, env: dict[str, str]) -> Iterator[Keyboard]:
        """Start a shell."""
        master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (50, 200))
        shell = subprocess.Popen(
            command, cwd=place, env=env, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)
        try:
            yield cls(master)
        finally:
            shell.kill()
            shell.wait()
            os.close(master)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def until(self, pattern: str) -> str:
        """Wait until the screen shows this; return its first group."""
        while not (found := re.search(pattern, self._seen)):
            ready, _, _ = select.select([self._master], [], [], 60)
            assert ready, self._seen
            self._seen += os.read(self._master, 65536).decode("utf-8", "replace")
        self._seen = self._seen[found.end() :]
        return found[1] if found.groups() else ""
