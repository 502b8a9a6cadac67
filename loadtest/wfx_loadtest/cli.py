"""The command ``wfx-loadtest``: a command line in, an exit code out (cli sections 1 and 11)."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from wfx.commandline import completion, help, man_pages  # noqa: A004  # help is the command's name
from wfx.commandline.failures import EXIT_INTERRUPTED, EXIT_OK, Failure, UsageFailure
from wfx.commandline.grammar import Command
from wfx.commandline.invocation import Invocation
from wfx.commandline.options import DIRECTORY
from wfx.commandline.program import Program
from wfx_loadtest import options
from wfx_loadtest.thresholds import MISSING

EXIT_THRESHOLD_FAILED = 99
"""The run ended, and a figure is beyond its threshold; k6 has this code for it."""


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
    # Strict sources take lists from variables, too.
    settings = options.settings_of(replace(call.sources, strict=True).resolve().settings)
    if settings.target is not None and settings.scenario != "default":
        raise UsageFailure("--target searches with the default scenario only")
    if any(threshold.name == MISSING for threshold in settings.thresholds) and not settings.has_subscribers:
        raise UsageFailure("--fail-above missing-events=… needs a scenario with subscribers: events or fleet")
    try:
        result = run(settings)
    except (WireError, WorkflowMissing) as exc:
        raise Failure(str(exc)) from exc
    call.out.line(text.BANNER + text.summary(result))
    if not result.metrics.requests:
        call.err.line("warning: no requests were made")
    if late := text.lateness(result.metrics):
        call.err.line(f"warning: {late}")
    try:
        folder = write(result, Path("results"))
    except OSError as exc:
        raise Failure(f"cannot write results: {exc}") from exc
    call.out.line(f"Results written to {folder}")
    failed = [verdict.sentence for verdict in result.verdicts if not verdict.passed]
    for sentence in failed:
        call.err.line(f"threshold failed: {sentence}")
    if result.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_THRESHOLD_FAILED if failed else EXIT_OK


def _compare(call: Invocation) -> None:
    from wfx_loadtest.compare import NotAResult, compare

    if len(call.arguments) != 2:
        raise UsageFailure("give two directories with results, BEFORE and AFTER")
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

    The figures of both runs are printed side by side, with their changes. Only metrics.txt is read.
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
    "Load-test a wfx service at a constant rate",
    """
    Load-test a wfx service at a constant rate.

    Requests are sent on schedule, however slow the answers are, and latency is measured from the moment a request was
    due, so that a slow service cannot hide. Scenarios: "default" lists jobs and updates them, "fleet" simulates
    devices, operators and subscribers, and "events" checks that every subscriber receives every event.

    A summary goes to standard output. Reports go to results/TIME: metrics.txt, metrics.json, histogram.hdr, plot.html
    and plot.svg.

    Thresholds make a run pass or fail: --fail-above takes p50, p90, p95, p99 or another percentile, mean and max
    (durations), errors (a number), error-rate (a percentage), and missing-events (that did not reach a subscriber);
    --fail-below takes rate and throughput (requests per second). Repeat the flags, or separate limits by commas.

    Every flag can also be set by a variable (WFX_ and its name in capitals, such as WFX_CLIENT_PORT). Flags beat
    variables. The exit code is 0 after a run, whether requests failed or not, 99 if a threshold failed, 1 if the run
    could not start or its results could not be written, and 130 if it was interrupted.
    """,
    examples="""
    # lists and job updates, 250 a second
    wfx-loadtest --duration 10s --read-freq 200 --write-freq 50

    # devices, operators and subscribers
    wfx-loadtest --scenario fleet --devices 500 --subscribers 20

    # the highest rate with a p99 of at most 20 ms
    wfx-loadtest --target 20ms --duration 2m

    # in CI: exit with 99 if more than 1% of the requests take longer than 50 ms, or any fails
    wfx-loadtest --duration 30s --fail-above p99=50ms --fail-above errors=0

    # in CI: exit with 99 if an event is lost, or fewer than 45 writes a second succeed
    wfx-loadtest --scenario events --write-freq 50 --fail-above missing-events=0 --fail-below throughput=45
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
