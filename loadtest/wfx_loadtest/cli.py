"""The command ``wfx-loadtest``: a command line in, an exit code out (cli sections 1 and 11)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wfx.commandline import completion, help, man_pages  # noqa: A004  # help is the command's name
from wfx.commandline.failures import EXIT_INTERRUPTED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import DIRECTORY
from wfx.commandline.program import Program
from wfx_loadtest import options


def _log_to_stderr(call: Invocation) -> None:
    from wfx import logs  # only what sends and stores logs: help and completion start faster without it

    level = call.settings.text("log-level")
    logs.configure(level if level in logs.LEVELS else "trace", "pretty", sys.stderr)


def _run(call: Invocation) -> int:
    from wfx_loadtest.direct import WorkflowMissing
    from wfx_loadtest.report import text, write
    from wfx_loadtest.run import run  # everything that sends is imported only when something is to be sent
    from wfx_loadtest.wire import WireError

    if call.arguments:
        raise UsageFailure(f'unknown command "{call.arguments[0]}" for "{call.root.name}"')
    settings = options.settings_of(call.settings)
    if settings.target is not None and settings.scenario != "default":
        raise UsageFailure("--target searches with the default scenario only")
    try:
        result = run(settings)
    except (WireError, WorkflowMissing) as exc:
        raise Failure(str(exc)) from exc
    call.out.line(text.BANNER + text.table(result.metrics, result.facts))
    if not result.metrics.requests:
        call.err.line("warning: no requests were made")
    if late := text.lateness(result.metrics):
        call.err.line(f"warning: {late}")
    try:
        folder = write(result, Path("results"))
    except OSError as exc:
        raise Failure(f"cannot write results: {exc}") from exc
    call.out.line(f"Results written to {folder}")
    return EXIT_INTERRUPTED if result.interrupted else EXIT_OK


def _compare(call: Invocation) -> None:
    from wfx_loadtest.compare import NotAResult, compare

    if len(call.arguments) != 2:
        raise UsageFailure("two directories with results are needed")
    before, after = map(Path, call.arguments)
    try:
        call.out.write(compare(before, after))
    except NotAResult as exc:
        raise Failure(str(exc)) from exc


def _populate(call: Invocation) -> None:
    from wfx.domain.errors import WfxError
    from wfx_loadtest.populate import populate

    if call.arguments:
        raise UsageFailure(f'unexpected argument "{call.arguments[0]}"')
    given = call.settings
    workers = given.number("workers") or os.cpu_count() or 1
    try:
        filled = populate(given.number("count"), workers, given.text("storage"), given.text("storage-opt"))
    except WfxError as exc:
        raise Failure(str(exc)) from exc
    except ExceptionGroup as several:
        refused, other = several.split(WfxError)
        if refused is None or other is not None:
            raise
        raise Failure(str(refused.exceptions[0])) from several
    call.out.write(f"{filled.jobs} jobs in {filled.seconds:.1f} s\n")


_COMPARE = Command(
    "compare",
    "Compare the results in two directories",
    """
    Compare the results in two directories.

    The figures of both stand side by side, with the difference. Only metrics.txt is read.
    """,
    usage="BEFORE AFTER",
    examples="""
    # two runs
    wfx-loadtest compare results/1767225600 results/1767229200

    # the latest run with one that was kept
    wfx-loadtest compare baseline "$(ls -d results/* | tail -n 1)"
    """,
    run=_compare,
    configured=False,
    extensions=DIRECTORY,
)
_POPULATE = Command(
    "populate",
    "Fill a database with jobs, without a server",
    """
    Fill a database with jobs, without a server.

    The DAU direct workflow is created if it is missing. The jobs are in random states; their client ids are LOAD-0,
    LOAD-1, …; they have the tags EUROPE_WEST and loadtest, and no history.
    """,
    examples="""
    # into ./wfx.db, where a service that is started here finds them
    wfx-loadtest populate --count 5000

    # into another file
    wfx-loadtest populate --count 100000 --storage-opt 'file:big.db?_fk=1&_journal=WAL'
    """,
    options=options.POPULATE,
    run=_populate,
)
ROOT = Command(
    "wfx-loadtest",
    "Put a wfx service under load, and measure it honestly",
    """
    Put a wfx service under load at a constant rate, and measure it honestly.

    Requests leave when the schedule says so, however slow the answers are, and every latency counts from the moment
    the request was due. Besides the default mix of lists and job updates there are the scenarios "fleet" (simulated
    devices, operators and subscribers) and "events" (every write is to be heard by every subscriber).

    A summary goes to standard output; metrics.txt, histogram.hdr, plot.html and plot.svg go to results/TIME.

    Every flag can also be set by a variable (WFX_ and its name in capitals, such as WFX_CLIENT_PORT). Flags beat
    variables. Exit codes are 0 after a run, however it went, 1 if it could not run, 130 if it was interrupted.
    """,
    examples="""
    # lists and job updates, 250 a second
    wfx-loadtest --duration 10s --read-freq 200 --write-freq 50

    # devices, operators and subscribers
    wfx-loadtest --scenario fleet --devices 500 --subscribers 20

    # the highest rate that is answered in time
    wfx-loadtest --target 20ms --duration 2m
    """,
    options=options.RUN,
    inherited=(options.LOG_LEVEL,),
    children=(
        _COMPARE,
        *completion.commands("wfx-loadtest"),
        help.command("wfx-loadtest", "populate"),
        man_pages.command("wfx-loadtest"),
        _POPULATE,
    ),
    run=_run,
)
PROGRAM = Program(ROOT, before=_log_to_stderr, usage_on_failure=True)
main = PROGRAM.main


if __name__ == "__main__":
    main()
