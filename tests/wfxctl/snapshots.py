"""What wfxctl shows, kept in files: help, errors and tables. ``python -m tests.wfxctl.snapshots`` writes them anew."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from command_lines import Outcome, all_commands
from wfxctl_stub import WORKFLOW, Fleet, Reply, Stub

from wfx.commandline import help_texts
from wfx.commandline.grammar import Parsed
from wfxctl import times
from wfxctl.commands import ROOT
from wfxctl.main import PROGRAM

FOLDER = Path(__file__).with_name("shown")
NOW = 1782896400.0
"""An hour after the stub's jobs were created."""
_ERRORS = (
    "job qurey",
    "job query --limt 1",
    "job query --limit x",
    "job query -o xml",
    "job query --columns id,stat",
    "job query -o name --columns id",
    "job query -o csv --filter .",
    "job get",
    "job get gone",
    "job wait 1",
    "job wait 1 --for status=A",
    "job wait gone --for state=NOWHERE",
    "job wait 2 --for state=BROKE",
    "job wait 2 --for group=FAILDE",
    "job create missing.json --client-id c --workflow w",
    "job add-tags 1",
    "job delete 1 --dry-run",
    "job delete 1 --group FAILED",
    "job delete --group= --yes",
    "job delete --stale x",
    "job delete --created-before yesterday --yes",
    "job delete --older-than 1d --created-before 2026-07-01T08:00:00Z --yes",
    "job delete --tag=a,,b --yes",
    "job delete --tag t --results r.txt",
    "job delete --tag t --resume x",
    "job delete --tag t",
    "job update-status --tag t --state S --actor CLIENT",
    "job update-status --tag t",
    "job add-tags --tag t",
    "job create --clients-from missing",
    "job create --clients-from a -f b",
    "job query --stale 1h --watch",
    "job query --stale 1h",
    "job query --client-prefix=",
    "job summary",
    "job summary --state=",
    "device list",
    "device list --label=",
    "workflow get",
    "workflow get gone",
    "workflow apply",
    "workflow apply -f missing",
    "workflow validate missing.yml",
    "context use gone",
    "context add",
    "context add x",
    "context add none --mgmt-port 1",
    "context add x --mgmt-url h",
    "--context gone job query",
    "--header X job query",
    "--token-file missing job query",
    "--client-port 1 job query",
    "--client-unix-socket a --mgmt-unix-socket b job query",
)
_TABLES = (
    "job query -o table",
    "job query -o wide",
    "job query -o csv",
    "job query -o name",
    "job query -o yaml --filter .content[0].status",
    "job query --columns client,state,changed --sort-by -changed",
    "job get 2 -o table",
    "job history 2",
    "job describe 2",
    "workflow get lamp -o wide",
    "context list",
    "context list -o yaml",
)


class _Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


def help_shown() -> str:
    """The help of each command; what all commands have in common once."""
    parts = []
    for parsed in all_commands(Parsed([ROOT])):
        text = help_texts.help_text(parsed)
        above, _, common = text.partition("\n\nGlobal Flags:\n")
        closing = common.partition("\n\n")[2]
        parts.append("\n\n".join(filter(None, (f"$ {parsed.words} --help\n{above.rstrip()}", closing.rstrip()))))
    return "\n\n".join(parts) + "\n"


def errors_shown() -> str:
    """What wrong command lines and refused requests lead to; also on a terminal, where that is another thing."""
    return "\n".join(_run(_ERRORS, both=True))


def tables_shown() -> str:
    """What there is for people, and for files."""
    return "\n".join(_run(_TABLES, both=False))


SHOWN: dict[str, Callable[[], str]] = {"help.txt": help_shown, "errors.txt": errors_shown, "tables.txt": tables_shown}


def _run(lines: Sequence[str], *, both: bool) -> Iterator[str]:
    stub, here = Stub(), Path.cwd()
    _fill(stub)
    with stub.listening(), tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        try:
            run = _runner(stub, home)
            run(
                "context add plant --client-url https://wfx.example:8443 --read-from south --header X-Key:k", io.BytesIO
            )
            run("context add lab --mgmt-port 81 --token-file /lab.token", io.BytesIO)
            run("context use none", io.BytesIO)
            for line in lines:
                plain = run(line, io.BytesIO)
                yield f"$ wfxctl {line}\n{_shown(plain)}"
                if both and (terminal := run(line, _Terminal)) != plain:
                    yield f"$ wfxctl {line}   # on a terminal\n{_shown(terminal)}"
        finally:
            os.chdir(here)


def _fill(stub: Stub) -> None:
    fleet = Fleet(stub)
    fleet.create("5c0b3b5c-8a1e-4d9c-9d3f-2f5f3f6f7a10", clientId="press-7", tags=["lab"])
    history = [{"mtime": "2026-07-01T08:00:00Z", "status": {"state": "DIM", "progress": 40, "message": "half way"}}]
    fleet.create(
        "2",
        clientId="press-8",
        status={"state": "BRIGHT", "progress": 100},
        history=history,
        mtime="2026-07-01T08:20:30.5Z",
        stime="2026-07-01T08:00:00Z",
        definition={"version": "2.0"},
    )
    fleet.create("3", clientId="=press", status={"state": "BROKEN", "message": "no power"})
    usual = stub.usual

    def answer(request: Any) -> Reply:
        import json

        if request.path == "/workflows/lamp":
            return Reply(body=json.dumps(WORKFLOW).encode())
        if request.path.startswith("/api/fleet/"):
            return Reply(404, b"")
        error = {"errors": [{"code": "wfx.notFound", "logref": "1a2b", "message": "it was not found"}]}
        reply = usual(request) if request.path.startswith("/jobs") else Reply(404)
        return Reply(404, json.dumps(error).encode()) if reply.status == 404 else reply

    stub.usual = answer


def _runner(stub: Stub, home: str) -> Callable[[str, type[io.BytesIO]], Outcome]:
    environment = {"HOME": home, "NO_COLOR": "1", "WFX_CLIENT_PORT": str(stub.port), "WFX_MGMT_PORT": str(stub.port)}

    def run(line: str, stream: type[io.BytesIO]) -> Outcome:
        out, err = stream(), stream()
        code = PROGRAM.run(line.split(), io.BytesIO(), out, err, environment)
        texts = (one.getvalue().decode().replace(home, "~").replace(f":{stub.port}", ":8080") for one in (out, err))
        return Outcome(code, *texts)

    return run


def _shown(outcome: Outcome) -> str:
    out = "" if outcome.out.startswith(ROOT.summary) or "\nUsage:\n" in outcome.out else outcome.out
    code = f"exit code {outcome.code}\n" if outcome.code else ""
    return out + "".join(f"! {line}\n" for line in outcome.err.splitlines()) + code


def fix_clock() -> None:
    """Let it be one moment in one time zone."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    times.time = SimpleNamespace(time=lambda: NOW)  # type: ignore[assignment]


if __name__ == "__main__":
    fix_clock()
    FOLDER.mkdir(exist_ok=True)
    for name, shown in SHOWN.items():
        (FOLDER / name).write_text(shown(), encoding="utf-8")
        sys.stdout.write(f"{FOLDER / name}\n")
