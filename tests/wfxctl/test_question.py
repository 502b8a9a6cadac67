"""The question before many jobs are changed, on a real terminal: whatever is not a yes changes nothing."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len
from wfxctl_stub import Reply, Seen, Stub

from tests.wfxctl.test_bulk import Bulk, changes

ROOT = Path(__file__).parents[2]
LINE = [sys.executable, "-m", "wfxctl", "job", "delete", "--tag", "t"]
PATIENCE = 60


def environment(stub: Stub) -> dict[str, str]:
    """Variables in which wfxctl finds the stub."""
    return {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", "NO_COLOR": "1", "TERM": "xterm",
        "WFX_MGMT_PORT": str(stub.port), "WFX_MGMT_HOST": "127.0.0.1", "LC_ALL": "C.UTF-8",
    }  # fmt: skip


class Person:
    """Who sits at a terminal, reads the question and presses keys."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self._process = process
        self._master = master
        self.seen = ""

    def press(self, keys: bytes) -> int:
        """Wait for the question, press keys, and wait for the end; returns the exit code."""
        self._read(until="[y/N] ")
        os.write(self._master, keys)
        self._read(until=None)
        return self._process.wait(PATIENCE)

    def _read(self, until: str | None) -> None:
        while until is None or until not in self.seen:
            assert select.select([self._master], [], [], PATIENCE)[0], self.seen
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # the other end was closed
                piece = b""
            if not piece:
                assert until is None, self.seen
                return
            self.seen += piece.decode("utf-8", "replace")


@contextmanager
def person(stub: Stub, columns: int = 80) -> Iterator[Person]:
    """Start the command on a terminal of its own."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "own_terminal.py"), *LINE[1:]], env=environment(stub), stdin=slave,
        stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Person(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


@pytest.mark.parametrize(("keys", "code", "told"), [
    (b"y\n", 0, '"done": 3'), (b"YES\n", 0, '"done": 3'), (b"\n", 1, "nothing was changed"),
    (b"yesterday\n", 1, "nothing was changed"), (b"n\ny\n", 1, "nothing was changed"),
    (b"\x04", 1, "nothing was changed"), (b"\x03", 130, "nothing was changed"), (b"ye\x03", 130, "nothing was changed"),
    (b"\xff\xfe\n", 1, "nothing was changed"), (b"y" * 200 + b"\n", 1, "nothing was changed"),
])  # fmt: skip
def test_answers(stub: Stub, keys: bytes, code: int, told: str) -> None:
    """A yes changes the jobs; anything else, the end of input and Ctrl-C change nothing, and say so on a new line."""
    Bulk(stub, 3)
    with person(stub) as someone:
        assert someone.press(keys) == code
        question, _, after = someone.seen.partition("[y/N] ")
    assert question == "delete 3 jobs (c0, c1, c2)? "
    assert told in after
    assert bool(changes(stub)) == (code == 0)
    if code:
        assert re.search(r"\n(Error: )?nothing was changed\r\n", after)
        assert "Traceback" not in after


def test_long_and_wide_names_on_a_narrow_terminal(stub: Stub) -> None:
    """Clients with long or wide names, or with control characters in them, leave the question readable."""
    names = ["\u6f22" * 255, "x" * 255, "\x1b[2Ja\nb", "c"]
    bulk = Bulk(stub, 4)

    def answer(request: Seen) -> Reply:
        if request.json.get("dryRun"):
            return Reply(body=json.dumps({"count": 4, "items": [{"clientId": name} for name in names]}).encode())
        return bulk.answer(request)

    stub.usual = answer
    with person(stub, columns=20) as someone:
        assert someone.press(b"n\n") == 1
        question = someone.seen.partition("[y/N] ")[0]
    assert cell_len(question) < 200
    assert question.startswith("delete 4 jobs (\u6f22\u6f22")
    assert question.endswith("\\x1b[2Ja\\x0ab, …)? ")
    assert not {"\x1b", "\n"} & set(question)


@pytest.mark.parametrize("closed", ["stdin", "stderr"])
def test_half_a_terminal(stub: Stub, closed: str) -> None:
    """Where input or messages are not on a terminal nobody is asked, and ``--yes`` is needed."""
    Bulk(stub, 3)
    master, slave = pty.openpty()
    files = {"stdin": slave, "stdout": slave, "stderr": slave} | {closed: subprocess.PIPE}
    with subprocess.Popen(LINE, env=environment(stub), **files) as process:  # type: ignore[call-overload]  # as it takes them
        os.close(slave)
        told = process.communicate(timeout=PATIENCE)[1] or os.read(master, 65536)
    os.close(master)
    assert process.returncode == 1
    assert b"--yes" in told
    assert changes(stub) == []


@pytest.mark.parametrize("redirected", ["<&-", "2>&-", "<&- 2>&-", "</dev/null", ">&- </dev/null"])
def test_no_terminal_at_all(stub: Stub, redirected: str) -> None:
    """With closed streams, as under cron, nobody is asked, nothing is changed, and there is no traceback."""
    Bulk(stub, 3)
    ran = subprocess.run(
        ["sh", "-c", f'"$@" {redirected}', "sh", *LINE], env=environment(stub), capture_output=True, text=True,
        timeout=PATIENCE, check=False, start_new_session=True,
    )  # fmt: skip
    assert (ran.returncode, changes(stub)) == (1, [])
    assert "Traceback" not in ran.stderr
    if "2>&-" not in redirected:
        assert "--yes" in ran.stderr
