from __future__ import annotations

import asyncio
import logging
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import runner

from tests.loadtest.stub import Stub
from tests.waiting import until
from wfx.commandline import configuration, grammar
from wfx_loadtest import options
from wfx_loadtest.cli import PROGRAM as LOADTEST
from wfx_loadtest.settings import Settings

PROGRAM = [sys.executable, "-m", "wfx_loadtest.cli"]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """Put the handlers of log records back that a command in this process replaced."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def _environment(**variables: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("WFX_")} | variables


def _run(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env=_environment(**variables),
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )


def _at(stub: Stub) -> list[str]:
    return [
        "--client-host",
        "127.0.0.1",
        "--client-port",
        str(stub.south_port),
        "--mgmt-host=127.0.0.1",
        f"--mgmt-port={stub.north_port}",
    ]


async def test_a_run_prints_the_summary_and_leaves_results(stub: Stub, tmp_path: Path) -> None:
    """Standard output is banner, table and the results folder; standard error is free of progress; exit code 0."""
    done = await asyncio.to_thread(
        _run,
        *_at(stub),
        "--duration",
        "500ms",
        "--read-freq",
        "40",
        "--write-freq=20",
        "--log-level",
        "error",
        folder=tmp_path,
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == ["*" * 79, " Summary", "*" * 79]
    assert re.fullmatch(r"Requests      \[total, rate, throughput\]         30, .*", lines[3])
    assert lines[10] == "Error Set:"
    assert lines[11] == ""
    [folder] = (tmp_path / "results").iterdir()
    assert str(Path("results") / folder.name) in lines[12]
    assert (folder / "metrics.txt").read_text("utf-8") == "\n".join(lines[3:11]) + "\n"
    assert "\x1b" not in done.stderr
    assert "service wfx 1.2.3" in (folder / "plot.svg").read_text("utf-8")
    assert len(stub.of("GET", "version")) == 1


async def test_a_run_without_requests_says_so(stub: Stub, tmp_path: Path) -> None:
    """Rates of 0 are a run, and a warning says that it made no requests."""
    done = await asyncio.to_thread(
        _run, *_at(stub), "--duration", "100ms", "--read-freq", "0", "--write-freq", "0", folder=tmp_path
    )
    assert done.returncode == 0
    assert "warning: no requests were made\n" in done.stderr


async def test_every_flag_is_a_variable_too(stub: Stub, tmp_path: Path) -> None:
    """WFX_… sets what the flag sets, a flag beats its variable, and of a repeated flag the last counts; no files do."""
    (tmp_path / "wfx.yml").write_text("read-freq: [broken")
    done = await asyncio.to_thread(
        _run,
        "--read-freq",
        "5",
        "--read-freq",
        "40",
        folder=tmp_path,
        WFX_CLIENT_HOST="127.0.0.1",
        WFX_CLIENT_PORT=str(stub.south_port),
        WFX_MGMT_HOST="127.0.0.1",
        WFX_MGMT_PORT=str(stub.north_port),
        WFX_DURATION="500ms",
        WFX_READ_FREQ="1",
        WFX_WRITE_FREQ="0",
    )
    assert done.returncode == 0
    assert len(stub.of("GET", "/jobs")) + len(stub.of("GET", "/workflows")) == 20
    assert stub.of("POST", "/jobs") == []


async def test_failing_requests_do_not_fail_the_run(stub: Stub, tmp_path: Path) -> None:
    """Errors are listed once each below Error Set, codes are counted, and the exit code stays 0."""
    stub.answers["GET", "workflows"] = [(500, {})] * 5
    done = await asyncio.to_thread(
        _run, *_at(stub), "--duration", "500ms", "--read-freq", "20", "--write-freq", "0", folder=tmp_path
    )
    assert done.returncode == 0
    assert "[code:count]                      200:5  500:5  \nError Set:\n500 Internal Server Error\n\n" in done.stdout
    assert "50.00%" in done.stdout


def test_nobody_listening_is_exit_1(tmp_path: Path) -> None:
    """A service that cannot be reached is named, the usage follows, and nothing is left behind."""
    done = _run("--client-port", "1", "--mgmt-port", "1", "--mgmt-host", "127.0.0.1", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 127.0.0.1:1: connection refused\nUsage:\n  wfx-loadtest [flags]\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "usage_of"),
    [
        (["--client-po", "1"], ""),
        (["--version"], ""),
        (["-v"], ""),
        (["--config", "x"], ""),
        (["--duration", "10"], ""),
        (["--duration", "-1s"], ""),
        (["--duration", "0s"], ""),
        (["--read-freq", "x"], ""),
        (["--write-freq", "-1"], ""),
        (["--scenario", "chaos"], ""),
        (["--devices", "0"], ""),
        (["--mgmt-port", "65536"], ""),
        (["nonsense"], ""),
        (["--duration"], ""),
        (["--scenario", "fleet", "--target", "5ms"], ""),
        (["--target", "0"], ""),
        (["compare", "a"], " compare BEFORE AFTER"),
        (["compare", "a", "b", "c"], " compare BEFORE AFTER"),
        (["populate", "--workers", "0"], " populate"),
        (["populate", "--duration", "1s"], " populate"),
        (["populate", "100"], " populate"),
        (["populate", "--storage", "none"], " populate"),
    ],
)
def test_wrong_command_lines_are_exit_1(tmp_path: Path, arguments: list[str], usage_of: str) -> None:
    """Unknown flags (abbreviations too), wrong values and unknown words: an error line, the usage, exit code 1."""
    outcome = runner(LOADTEST, tmp_path)(*arguments)
    assert (outcome.code, outcome.out) == (1, "")
    error, usage = outcome.err.split("\n", 1)
    assert error.startswith("Error: ")
    assert usage.startswith(f"Usage:\n  wfx-loadtest{usage_of} [flags]\n")


def test_wrong_variables_are_exit_1(tmp_path: Path) -> None:
    """A variable whose value makes no sense is named."""
    outcome = runner(LOADTEST, tmp_path)(env={"WFX_DURATION": "10"})
    assert outcome.code == 1
    assert outcome.err.startswith('Error: invalid value "10" for WFX_DURATION: ')


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"], ["populate", "-h"], ["help", "compare"]])
def test_help_is_exit_0_on_standard_output(tmp_path: Path, arguments: list[str]) -> None:
    """Every command explains itself, however it is asked to."""
    outcome = runner(LOADTEST, tmp_path)(*arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert "Usage:\n  wfx-loadtest" in outcome.out


def test_defaults_of_flags_are_those_of_a_run(tmp_path: Path) -> None:
    """Without flags a run has the contract's settings, and the help names them with their units."""
    initial = configuration.defaults((*options.RUN, options.LOG_LEVEL), {})
    assert options.settings_of(initial) == Settings()
    shown = runner(LOADTEST, tmp_path)("--help").out
    assert "how long to send requests (default 1m0s)\n" in shown
    assert "(one of default, fleet, events;" in shown


@pytest.mark.parametrize("host", ["[::1]", "::1"])
def test_addresses_in_brackets(host: str) -> None:
    """An IPv6 address is taken with brackets and without, from flags and from variables."""
    given = grammar.parse(LOADTEST.root, ["--client-host", host]).given
    settings = options.settings_of(configuration.resolve(options.RUN, given, {"WFX_MGMT_HOST": host}))
    assert (settings.client_host, settings.mgmt_host) == ("::1", "::1")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--dur"], "--duration\thow long to send requests\n:4\n"),
        (["--scenario", ""], "default\nfleet\nevents\n:4\n"),
        (["compare", "x"], ":16\n"),
        (["popu"], "populate\tFill a database with jobs, without a server\n:4\n"),
        (["--ver"], ":4\n"),
    ],
)
def test_command_lines_are_completed(tmp_path: Path, words: list[str], offered: str) -> None:
    """The shells are offered flags with their meaning, scenarios, commands, and directories with results."""
    assert runner(LOADTEST, tmp_path)("__complete", *words).out == offered


def test_bash_completes_flags_and_commands(tmp_path: Path) -> None:
    """In bash, ``--sub`` becomes ``--subscribers`` and ``popu`` becomes ``populate``."""
    script = _run("completion", "bash", folder=tmp_path).stdout
    words = ["wfx-loadtest", "--sub"], ["wfx-loadtest", "popu"], ["wfx-loadtest", "populate", "--wor"]
    found = []
    for line in words:
        typed = f"COMP_WORDS=({' '.join(line)})\nCOMP_CWORD={len(line) - 1}\n"
        ask = f'{script}\n{typed}_wfx_loadtest\necho "${{COMPREPLY[@]}}"'
        program = f'wfx-loadtest() {{ {sys.executable} -m wfx_loadtest.cli "$@"; }}\n'
        found.append(
            subprocess.run(
                ["bash", "-c", program + ask],
                cwd=tmp_path,
                env=_environment(),
                text=True,
                capture_output=True,
                timeout=60,
                check=True,
            ).stdout.strip()
        )
    assert found == ["--subscribers", "populate", "--workers"]


def test_help_loads_nothing_that_sends(tmp_path: Path) -> None:
    """Asking for help loads neither an event loop nor logging nor anything else that only a run needs."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "wfx_loadtest.cli", "--help"],
        cwd=tmp_path,
        env=_environment(),
        text=True,
        capture_output=True,
        timeout=60,
        check=True,
    )
    loaded = set(re.findall(r"^import time: .*\| +([\w.]+)", done.stderr, re.MULTILINE))
    assert "wfx_loadtest.options" in loaded
    heavy = {"asyncio", "uvloop", "logging", "json", "orjson", "yaml", "rich", "hdrh", "click", "decimal", "wfx.domain"}
    assert not heavy & loaded


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_run_still_reports(stub: Stub, tmp_path: Path, number: signal.Signals) -> None:
    """One signal ends the sending; what was measured is reported, and the exit code is 130."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *_at(stub),
        "--duration",
        "10m",
        cwd=tmp_path,
        env=_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await until(lambda: len(stub.seen) >= 20)
    process.send_signal(number)
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 130
    assert b"Success       [ratio]                           100.00%" in out
    assert len(list((tmp_path / "results").iterdir())) == 1


async def test_a_terminal_shows_rate_p99_and_errors(stub: Stub, tmp_path: Path) -> None:
    """On a terminal a bar shows what happens now; the summary stays free of it."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *_at(stub),
        "--duration",
        "2s",
        cwd=tmp_path,
        env=_environment(TERM="xterm", COLUMNS="120"),
        stdout=asyncio.subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    drawn = asyncio.create_task(asyncio.to_thread(_drain, ours))
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", (await drawn).decode())
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b" not in out
    assert re.search(r"default .*\d+ req/s  p99 [\d.]+(ms|µs|s)  0 errors", shown)


def _drain(terminal: int) -> bytes:
    shown, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        shown += piece
    return shown


async def test_a_target_finds_a_rate(stub: Stub, tmp_path: Path) -> None:
    """With --target the steps of the search follow the table of the best one."""
    done = await asyncio.to_thread(_run, *_at(stub), "--target", "20ms", "--duration", "1200ms", folder=tmp_path)
    assert done.returncode == 0
    assert re.search(r"^Highest rate +\[req/s, p99 bound\] +(\d+|none), 20ms$", done.stdout, re.MULTILINE)
    assert re.search(r"^Step +\[req/s, p99, verdict\] +100, .*$", done.stdout, re.MULTILINE)


async def test_two_runs_can_be_compared_on_the_command_line(stub: Stub, tmp_path: Path) -> None:
    """Compare prints a table and exits with 0; a folder that is no result is exit code 1."""
    for _ in range(2):
        await asyncio.to_thread(_run, *_at(stub), "--duration", "200ms", folder=tmp_path)
    before, after = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "results").iterdir())
    done = await asyncio.to_thread(_run, "compare", before, after, folder=tmp_path)
    assert done.returncode == 0
    assert re.search(r"^Requests total +20 +20$", done.stdout, re.MULTILINE)
    assert (await asyncio.to_thread(_run, "compare", before, ".", folder=tmp_path)).returncode == 1
