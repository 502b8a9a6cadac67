"""wfxctl as a process: signals, pipes, terminals, and what it loads."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import Fleet, Reply, Stub

from tests.waiting import eventually
from wfxctl import main

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "wfxctl"]


def environment(stub: Stub | None = None, **more: str) -> dict[str, str]:
    """Return a bare environment in which wfxctl finds the stub."""
    port = "1" if stub is None else str(stub.port)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": "/nonexistent",
        "NO_COLOR": "1",
        "WFX_CLIENT_HOST": "127.0.0.1",
        "WFX_CLIENT_PORT": port,
        "WFX_MGMT_PORT": port,
    } | more


def run(*argv: str, stub: Stub | None = None, **more: Any) -> subprocess.CompletedProcess[bytes]:
    """Run wfxctl to its end."""
    env = environment(stub)
    return subprocess.run([*COMMAND, *argv], env=env, capture_output=True, timeout=60, check=False, **more)


def test_a_real_run(stub: Stub, tmp_path: Path) -> None:
    """The program reads standard input, prints the result alone, and exits with 0."""
    stub.will({"id": "x"}, 201)
    outcome = run(
        "job", "create", "--client-id", "c", "--filter=.id", "--raw", "-", stub=stub, input=b'{"a":1}', cwd=tmp_path
    )
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, b"x\n", b"")
    assert stub.one.json["definition"] == {"a": 1}


def test_standard_input_is_not_touched_without_a_dash(stub: Stub) -> None:
    """Creating a job without a dash does not wait for standard input."""
    reader, writer = os.pipe()  # never written to, never closed before the end
    outcome = run("job", "create", stub=stub, stdin=reader)
    os.close(reader)
    os.close(writer)
    assert outcome.returncode == 0


def test_version_loads_only_what_it_needs(stub: Stub) -> None:
    """Asking for the version loads neither tables nor filters nor YAML, help not even HTTP."""
    heavy = {"rich", "jq", "yaml", "click", "orjson", "asyncio", "wfx.domain", "pygments", "difflib", "csv"}
    assert not heavy & _loaded("version", stub=stub)
    assert not (heavy | {"httpx", "ssl"}) & _loaded("job", "create", "--help")
    assert not (heavy | {"httpx", "ssl"}) & _loaded("__complete", "job", "query", "--")


def _loaded(*argv: str, stub: Stub | None = None) -> set[str]:
    outcome = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wfxctl", *argv],
        env=environment(stub),
        capture_output=True,
        timeout=60,
        check=True,
    )
    found = re.findall(rb"^import time: .*\| +([\w.]+)", outcome.stderr, re.MULTILINE)
    assert b"wfxctl" in found
    return {name.decode() for name in found}


@pytest.fixture
def endless(stub: Stub) -> Stub:
    """Serve a job that stays as it is, and streams without end."""
    Fleet(stub).create("7")
    return stub


INTERRUPTED = [
    (["job", "events"], b"SSE connection established\n", b"SSE connection established\n"),
    (["job", "wait", "--id", "7", "--for", "state=BRIGHT"], None, b""),
    (["job", "query", "--watch"], None, b""),
]


@pytest.mark.parametrize(("argv", "sign", "err"), INTERRUPTED)
def test_an_interrupt_ends_quietly(endless: Stub, argv: list[str], sign: bytes | None, err: bytes) -> None:
    """Ctrl-C gives exit code 130 and no traceback."""
    with subprocess.Popen(
        [*COMMAND, *argv], env=environment(endless), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        if sign is not None:
            assert process.stderr.readline() == sign
        else:
            eventually(lambda: len(endless.seen) >= 2, "two requests")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (sign or b"") + rest == err


def test_an_interrupt_ends_a_filter_without_end(stub: Stub) -> None:
    """Ctrl-C ends the program even while jq is busy."""
    with subprocess.Popen(
        [*COMMAND, "job", "get", "--id", "7", "--filter", '"x", reduce repeat(1) as $n (0; .)'],
        env=environment(stub),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'"x"\n'
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=30)
    assert (process.returncode, rest) == (-signal.SIGINT, b"")


def test_a_reader_that_has_gone_is_no_reason_to_complain(endless: Stub) -> None:
    """When nobody reads the output any more the program ends without a word."""
    event = b"data: " + b"x" * 200_000 + b"\n\n"
    endless.usual = lambda _: Reply(chunks=lambda: iter([event] * 10))
    reader, writer = os.pipe()
    with subprocess.Popen(
        [*COMMAND, "job", "events"], env=environment(endless), stdout=writer, stderr=subprocess.PIPE
    ) as process:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (141, b"SSE connection established\n")


def test_a_full_disk_is_reported(stub: Stub) -> None:
    """Output that cannot be written is an error, said once."""
    with Path("/dev/full").open("wb") as full:
        outcome = subprocess.run(
            [*COMMAND, "job", "get", "--id", "7"],
            env=environment(stub),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert outcome.returncode == 1
    assert outcome.stderr == b"Error: cannot write the output: No space left on device\n"


def test_closed_streams_are_no_obstacle(stub: Stub) -> None:
    """The program works with its standard streams closed."""
    script = 'exec "$@" <&- >&- 2>&-'
    closed = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, "job", "get", "--id", "7"], env=environment(stub), timeout=60, check=False
    )
    assert closed.returncode == 0
    assert len(stub.seen) == 1


class Terminal:
    """A pseudo terminal that a program runs on."""

    def __init__(self) -> None:
        """Open it, without changes to what is written."""
        self.master, self.slave = pty.openpty()
        attributes = termios.tcgetattr(self.slave)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(self.slave, termios.TCSANOW, attributes)

    def show(self, stub: Stub, *argv: str, **more: str) -> str:
        """Return what a command writes to the terminal."""
        env = environment(stub) | {"NO_COLOR": ""} | more
        with open(self.slave, "wb", buffering=0, closefd=False) as slave:
            main.run(argv, io.BytesIO(), slave, slave, env)
        os.write(self.slave, b"\0")
        shown = b""
        while not shown.endswith(b"\0"):
            shown += os.read(self.master, 65536)
        return shown.removesuffix(b"\0").decode()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """Open a terminal."""
    terminal = Terminal()
    yield terminal
    os.close(terminal.slave)
    os.close(terminal.master)


NASTY = "\x1b]0;owned\x07\x9b31m\u202e"


def test_nothing_from_the_server_steers_a_terminal(stub: Stub, terminal: Terminal) -> None:
    """On a terminal, control characters from the server are shown in all kinds of output, not obeyed."""
    job = {"id": NASTY, "clientId": NASTY, "status": {"state": NASTY, "message": NASTY}, "tags": [NASTY]}
    error = json.dumps({"errors": [{"code": NASTY, "logref": NASTY, "message": NASTY}]}).encode()
    event = b"data: " + json.dumps({"action": NASTY, "job": job}, ensure_ascii=False).encode() + b"\n\n"
    commands = [
        (["job", "get", "--id", "7"], Reply(body=json.dumps(job).encode())),
        (["job", "get", "--id", "7", "--filter", ".id", "--raw"], Reply(body=json.dumps(job).encode())),
        (["job", "get", "--id", "7", "--output", "table"], Reply(body=json.dumps(job).encode())),
        (["job", "get", "--id", "7"], Reply(400, error)),
        (["job", "get", "--id", "7"], Reply(400, NASTY.encode())),
        (["job", "get", "--id", "7", "--filter", "error(.id)"], Reply(body=json.dumps(job).encode())),
        (["job", "events"], Reply(chunks=lambda: iter([event]))),
        (["job", "events", "--output", "line"], Reply(chunks=lambda: iter([event]))),
        (["job", "events"], Reply(400, error)),
        (["version"], Reply(body=json.dumps({"version": NASTY}).encode())),
        (["workflow", "delete", "x"], Reply(500, NASTY.encode())),
    ]
    for argv, reply in commands:
        stub.usual = lambda _, reply=reply: reply
        shown = terminal.show(stub, *argv, NO_COLOR="1")
        assert "owned" in shown, argv
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown), (argv, shown)


def test_pipes_get_what_the_server_sent(stub: Stub) -> None:
    """Without a terminal, strings are passed on as they are."""
    stub.usual = lambda _: Reply(body=json.dumps({"id": NASTY}).encode())
    assert run("job", "get", "--id", "7", "--filter", ".id", "--raw", stub=stub).stdout == (NASTY + "\n").encode()
    printed = run("job", "get", "--id", "7", stub=stub).stdout
    assert json.loads(printed) == {"id": NASTY}


@pytest.mark.parametrize(("variables", "colored"), [
    ({"NO_COLOR": ""}, True), ({"NO_COLOR": "", "CLICOLOR": "0"}, True),
    ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, False),
])  # fmt: skip
def test_colours_in_files(stub: Stub, tmp_path: Path, variables: dict[str, str], *, colored: bool) -> None:
    """In files log lines are coloured, unless NO_COLOR is set; results and lines with Error: never are."""
    env = environment(stub) | variables
    (tmp_path / "w.yml").write_text("name: w")
    logged = subprocess.run([*COMMAND, "workflow", "create", "w.yml"], cwd=tmp_path, env=env, capture_output=True,
                            check=True)  # fmt: skip
    assert (b"\x1b[32mINF\x1b[0m" in logged.stderr) is colored
    assert b"\x1b" not in logged.stdout
    failed = subprocess.run([*COMMAND, "job", "get"], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert (failed.stdout, failed.stderr) == (b"", b"Error: job id missing\n")


def test_colours_on_a_terminal(stub: Stub, terminal: Terminal) -> None:
    """On a terminal tables and health are coloured, unless a variable or the option says no."""
    Fleet(stub).create("7", status={"state": "BROKEN"})
    table = ["job", "query", "--output", "table"]
    assert "\x1b[1m" in terminal.show(stub, *table)
    assert "\x1b[31m" in terminal.show(stub, *table)
    assert "\x1b" not in terminal.show(stub, *table, NO_COLOR="1")
    assert "\x1b" not in terminal.show(stub, *table, CLICOLOR="0")
    assert "\x1b" not in terminal.show(stub, *table, "--color", "never")
    stub.usual = lambda _: Reply(body=b'{"status":"up"}')
    assert "\t\x1b[32mup\x1b[0m\t" in terminal.show(stub, "health")
