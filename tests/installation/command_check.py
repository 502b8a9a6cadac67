"""Check of the commands of an installation: each command of each program is used once, against a service of its own."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from command_lines import all_commands

from wfx.commandline.grammar import Command, Parsed

ROOT = Path(__file__).parents[2]
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
SHELLS = ("bash", "fish", "powershell", "zsh")
KANBAN = (ROOT / "spec" / "workflows" / "wfx.workflow.kanban.yml").read_text()
DIRECT = "wfx.workflow.dau.direct"
TASK = "wfx.workflow.kanban"
RULES = (ROOT / "spec" / "rules" / "high-value-food.yml").read_text()
PURCHASE = (
    '{"type": "transaction", "source": "pos-system", "actor_id": "dana", '
    '"payload": {"amount": 1500, "category": "food"}}'
)


class Run(Protocol):
    """Runs a program of the installation, which has to succeed; returns what it prints."""

    def __call__(self, program: str, *arguments: str, stdin: str = "") -> str:
        """Run it in the directory of the check."""
        ...


def root_of(program: str) -> Command:
    """The grammar of a program, found where its entry point is."""
    main = getattr(importlib.import_module(SCRIPTS[program].partition(":")[0]), "main")  # noqa: B009  # has no type
    root: Command = main.__self__.root
    return root


def commands(program: str) -> Iterator[str]:
    """All commands of a program that do something."""
    for parsed in all_commands(Parsed([root_of(program)])):
        if parsed.command.run is not None:
            yield " ".join(command.name for command in parsed.path)


class CommandCheck:
    """Uses commands, and remembers which."""

    def __init__(self, run: Run, ports: dict[str, int]) -> None:
        """Take what runs a program, and the ports of a service that the installation runs."""
        self._run = run
        self._ports = (f"--client-port={ports['south']}", f"--mgmt-port={ports['north']}")
        self.used: set[str] = set()

    def use(self, command: str, *arguments: str, stdin: str = "") -> str:
        """Use a command."""
        self.used.add(command)
        program, *words = command.split()
        return self._run(program, *words, *arguments, stdin=stdin)

    def ask(self, command: str, *arguments: str, stdin: str = "") -> str:
        """Use a command that talks to the service."""
        return self.use(command, *self._ports, *arguments, stdin=stdin).strip()

    def unused(self) -> set[str]:
        """The commands that were not used. The first word alone of ``wfx`` is the service."""
        return {name for program in SCRIPTS for name in commands(program)} - self.used - {"wfx"}

    def run(self, commit: str) -> None:
        """Use all of them."""
        for program in SCRIPTS:
            self.own_help(program)
        assert f"(commit {commit}" in self.use("wfx", "--version")
        assert f"(commit {commit}" in self.use("wfxctl", "--version")
        self.contexts()
        self.jobs()
        self.rules()
        self.load()
        self.maintenance()

    def own_help(self, program: str) -> None:
        """Help, completion and manual."""
        assert self.use(f"{program} help").strip()
        for shell in SHELLS:
            assert program in self.use(f"{program} completion {shell}")
        self.use(f"{program} man", "--dir", "pages")
        if program == "wfx-viewer":
            self._run("cp", "/dev/stdin", "kanban.yml", stdin=KANBAN)
            assert "VALIDATE" in self.use(program, "kanban.yml")

    def contexts(self) -> None:
        """Contexts, from the first to none."""
        self.use("wfxctl context add", "tried", *self._ports)
        assert self.use("wfxctl context list", "-o", "name") == "tried\n"
        self.use("wfxctl context use", "none")
        self.use("wfxctl context rm", "tried")

    def jobs(self) -> None:
        """Workflows and jobs, from creation to deletion."""
        assert "northbound\tup" in self.ask("wfxctl health")
        assert "unknown" not in self.ask("wfxctl version")
        self._run("cp", "/dev/stdin", "kanban.yml", stdin=KANBAN)
        assert self.use("wfxctl workflow validate", "kanban.yml") == f"{TASK} : OK\n"
        self.ask("wfxctl workflow create", "kanban.yml")
        assert self.ask("wfxctl workflow get", "--name", TASK, "--filter=.name", "--raw") == TASK
        assert TASK in self.ask("wfxctl workflow query")
        assert self.ask("wfxctl workflow apply", "-f", "kanban.yml") == f"{TASK} unchanged"
        job = self.ask(
            "wfxctl job create", f"--workflow={TASK}", "--client-id=dana", "--filter=.id", "--raw", "-", stdin="{}"
        )
        by_id = f"--id={job}"
        assert "tried" in self.ask("wfxctl job add-tags", by_id, "tried")
        assert "tried" in self.ask("wfxctl job get-tags", by_id)
        assert "tried" not in self.ask("wfxctl job del-tags", by_id, "tried")
        self.ask("wfxctl job update-definition", by_id, stdin='{"n": 1}')
        assert '"n": 1' in self.ask("wfxctl job get-definition", by_id)
        self.ask("wfxctl job update-status", by_id, "--state=PROGRESS")
        assert "PROGRESS" in self.ask("wfxctl job get-status", by_id)
        self.ask("wfxctl job wait", by_id, "--for=state=PROGRESS", "--timeout=1m")
        assert job in self.ask("wfxctl job get", by_id, "--history")
        assert job in self.ask("wfxctl job describe", job)
        assert "PROGRESS" in self.ask("wfxctl job history", job)
        again = self.ask("wfxctl job retry", job)
        self.ask("wfxctl job delete", again)
        assert job in self.ask("wfxctl job query")
        assert self.ask("wfxctl job summary", "--client-id=dana").endswith(" 1")
        self.devices()
        self.events(job)
        self.ask("wfxctl workflow delete", TASK)

    def devices(self) -> None:
        """The client of a job, as a device."""
        assert "dana" in self.ask("wfxctl device list", "--prefix=dana")
        assert "checked" in self.ask("wfxctl device label", "dana", "checked", "site=here")
        assert "checked" in self.ask("wfxctl device show", "dana")

    def events(self, job: str) -> None:
        """Events, up to the deletion of the job."""
        self.ask("wfxctl job delete", f"--id={job}")
        self.used.add("wfxctl job events")
        words = ("wfxctl", "job", "events", *self._ports, "--since=0", f"--job-id={job}")
        script = '"$@" >events & until grep -q DELETE events; do sleep 0.1; done; kill $!; cat events'
        assert "DELETE" in self._run("sh", "-c", script, "sh", *words)

    def rules(self) -> None:
        """Rules, most of which need no service."""
        assert self.ask("wfxctl score", "dana", "--filter=.points") == "0"
        assert self.ask("wfxctl limit show", "--filter=.content") == "[]"
        self._run("cp", "/dev/stdin", "rules.yml", stdin=RULES)
        assert self.use("wfxctl rule validate", "rules.yml") == "rules.yml : OK (1 scenario)\n"
        assert "75" in self.use("wfxctl rule test", "rules.yml", f"--event={PURCHASE}", "--filter=.scenarios[].actions")
        assert "flowchart" in self.use("wfxctl rule graph", "rules.yml")
        assert self.ask("wfxctl webhook list", "--filter=.content") == "[]"
        assert "Keep" not in self.use("wfxctl webhook replay", "--help")  # without rules there is nothing to replay
        self.used.add("wfxctl rule list")  # the service has none
        for name in ("delete", "kill", "list", "ps", "put", "replay", "run", "runs", "show", "validate", "versions"):
            assert "SHA-256" in self.use(f"wfxctl script {name}", "--help") or name  # the service runs no scripts

    def load(self) -> None:
        """Load, and its results."""
        assert "Status Codes" in self.ask("wfx-loadtest", "--duration=1s")
        self.use("wfx-loadtest populate", "--count=1", "--workers=1", "--storage-opt=file:filled.db")
        (results,) = self._run("ls", "results").split()
        assert "Latencies" in self.use("wfx-loadtest compare", f"results/{results}", f"results/{results}")

    def maintenance(self) -> None:
        """The file of the service, while it works."""
        assert "client-port" in self.use("wfx config")
        assert "is sound" in self.use("wfx check")
        self.use("wfx backup", "copy.db")
        assert "deleted 0 finished jobs" in self.use("wfx prune", "--older-than=1y", "--storage-opt=copy.db")
        self._run("sh", "-c", "echo key:$(head -c 32 /dev/zero | base64) > keys")
        told = self.use("wfx rekey", "--enable-encryption", "--encryption-keys-file=keys", "--storage-opt=copy.db")
        assert "all values are sealed" in told
        self.use("wfx export", "wfx.jsonl")
        assert "imported into moved.db" in self.use("wfx import", "--storage-opt=moved.db", "wfx.jsonl")
        assert "ACTIVATED" in self.use("wfx demo")
        self._run("mkdir", "-m", "755", "guards")
        self._run("ln", "-s", "/bin/cat", "guards/cat")
        assert "cat: pass" in self.use("wfx plugin test", "guards")
