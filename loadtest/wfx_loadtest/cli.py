"""The command ``wfx-loadtest``: a command line in, an exit code out (cli sections 1 and 11)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from wfx_loadtest import completion, duration, manual
from wfx_loadtest.command import Program, Verb
from wfx_loadtest.settings import Settings

PROGRAM = "wfx-loadtest"
EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
_SCENARIOS = ("default", "fleet", "events")
_DEFAULTS = Settings()


class Duration(click.ParamType[int]):
    """A length of time above zero in Go's notation, as nanoseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read the text of a flag or variable; defaults are nanoseconds already."""
        if isinstance(value, int):
            return value
        try:
            length = duration.parse(value)
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
        if length <= 0:
            self.fail(f"invalid duration {value!r}: it must be above zero", param, ctx)
        return length


def _flag(name: str, text: str, **rest: Any) -> Callable[[Any], Any]:
    """One flag, also settable as ``WFX_…``."""
    member = name.removeprefix("--").replace("-", "_")
    if hasattr(_DEFAULTS, member):
        default = getattr(_DEFAULTS, member)
        rest.setdefault("default", default)
        if isinstance(rest.get("type"), Duration) and default is not None:
            rest["show_default"] = duration.rounded(default)
    rest.setdefault("show_default", True)
    if isinstance(rest.get("type"), click.IntRange):
        rest["metavar"] = "NUMBER"
    return click.option(name, envvar=f"WFX_{member.upper()}", help=text, **rest)


_PORT = click.IntRange(0, 65535)
_COUNT = click.IntRange(0)
_log_level = _flag("--log-level", "trace, debug, info, warn, error, fatal or panic", default="info",
                   callback=lambda _ctx, _param, value: _log_to_stderr(value), expose_value=False)


def _log_to_stderr(level: str) -> None:
    from wfx import logs  # only a run logs: help and completion start faster without it

    logs.configure(level if level in logs.LEVELS else "trace", "pretty", sys.stderr)


_EXAMPLES = """\
wfx-loadtest --duration 10s --read-freq 200 --write-freq 50
wfx-loadtest --scenario fleet --devices 500 --subscribers 20
wfx-loadtest --target 20ms --duration 2m
wfx-loadtest compare results/1767225600 results/1767229200"""
_POPULATE_EXAMPLES = """\
wfx-loadtest populate --count 5000
wfx-loadtest populate --count 100000 --storage-opt 'file:big.db?_fk=1&_journal=WAL'"""
_COMPARE_EXAMPLES = """\
wfx-loadtest compare results/1767225600 results/1767229200
wfx-loadtest compare baseline "$(ls -d results/* | tail -n 1)\""""


@click.group(PROGRAM, cls=Program, invoke_without_command=True, no_args_is_help=False, epilog=_EXAMPLES,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@_flag("--client-host", "host of the southbound API (devices)")
@_flag("--client-port", "port of the southbound API", type=_PORT)
@_flag("--mgmt-host", "host of the northbound API (operators)")
@_flag("--mgmt-port", "port of the northbound API", type=_PORT)
@_flag("--duration", "how long to send", type=Duration())
@_flag("--read-freq", "reading requests a second", type=_COUNT)
@_flag("--write-freq", "writing requests a second", type=_COUNT)
@_flag("--scenario", "which load to make", type=click.Choice(_SCENARIOS))
@_flag("--devices", "simulated devices (scenario fleet)", type=click.IntRange(1))
@_flag("--subscribers", "listeners on the event stream (scenarios fleet and events)", type=_COUNT)
@_flag("--poll-interval", "how often an idle device asks for work (scenario fleet)", type=Duration())
@_flag("--target", "find the highest rate whose p99 stays within this, trying rates for the whole duration",
       type=Duration(), show_default=False)
@_log_level
@click.pass_context
def cli(context: click.Context, /, **options: Any) -> None:
    """Put a wfx service under load at a constant rate, and measure it honestly.

    Requests leave when the schedule says so, however slow the answers are, and every latency counts from the moment
    the request was due. Besides the default mix of lists and job updates there are the scenarios "fleet" (simulated
    devices, operators and subscribers) and "events" (every write is to be heard by every subscriber).

    A summary goes to standard output; metrics.txt, histogram.hdr, plot.html and plot.svg go to results/TIME.
    """
    if context.invoked_subcommand is None:
        context.exit(_run(Settings(**options)))


def _run(settings: Settings) -> int:
    from wfx_loadtest.direct import WorkflowMissing
    from wfx_loadtest.report import text, write
    from wfx_loadtest.run import run  # everything that sends is imported only when something is to be sent
    from wfx_loadtest.wire import WireError

    if settings.target is not None and settings.scenario != "default":
        raise click.UsageError("--target searches with the default scenario only")
    try:
        result = run(settings)
    except (WireError, WorkflowMissing) as exc:
        raise click.ClickException(str(exc)) from exc
    click.echo(text.BANNER + text.table(result.metrics, result.facts), nl=False)
    late = text.lateness(result.metrics)
    if late:
        click.echo(f"warning: {late}", err=True)
    try:
        folder = write(result, Path("results"))
    except OSError as exc:
        raise click.ClickException(f"cannot write results: {exc}") from exc
    click.echo(f"\nResults written to {folder}")
    return EXIT_INTERRUPTED if result.interrupted else 0


@click.command("compare", cls=Verb, epilog=_COMPARE_EXAMPLES)
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_log_level
def compare_command(before: Path, after: Path) -> None:
    """Compare the results in two directories.

    The figures of both stand side by side, with the difference. Only metrics.txt is read.
    """
    from wfx_loadtest.compare import NotAResult, compare

    try:
        click.echo(compare(before, after), nl=False)
    except NotAResult as exc:
        raise click.ClickException(str(exc)) from exc


@click.command("populate", cls=Verb, epilog=_POPULATE_EXAMPLES)
@click.option("--count", envvar="WFX_COUNT", default=1000, show_default=True, type=_COUNT, metavar="NUMBER",
              help="jobs to create")
@click.option("--workers", envvar="WFX_WORKERS", default=os.cpu_count() or 1, show_default="number of CPUs",
              type=click.IntRange(1), metavar="NUMBER", help="how many create jobs at a time")
@click.option("--storage", envvar="WFX_STORAGE", default="sqlite", show_default=True, help="kind of storage")
@click.option("--storage-opt", envvar="WFX_STORAGE_OPT", default="file:wfx.db?_fk=1&_journal=WAL", show_default=True,
              help="data source of the storage")
@_log_level
@click.pass_context
def populate_command(context: click.Context, /, count: int, workers: int, storage: str, storage_opt: str) -> None:
    """Fill a database with jobs, without a server.

    The DAU direct workflow is created if it is missing. The jobs are in random states; their client ids are LOAD-0,
    LOAD-1, …; they have the tags EUROPE_WEST and loadtest, and no history.
    """
    from wfx.domain.errors import WfxError
    from wfx_loadtest.populate import populate

    given = context.get_parameter_source("storage_opt") is click.core.ParameterSource.COMMANDLINE
    option = storage_opt if given or storage == "sqlite" else ""  # server section 4: other kinds heed the flag alone
    try:
        filled = populate(count, workers, storage, option)
    except WfxError as exc:
        raise click.ClickException(str(exc)) from exc
    except ExceptionGroup as several:
        refused, other = several.split(WfxError)
        if refused is None or other is not None:
            raise
        raise click.ClickException(str(refused.exceptions[0])) from several
    click.echo(f"{filled.jobs} jobs in {filled.seconds:.1f} s")


for _command in (compare_command, populate_command, manual.help_command, manual.man, *completion.COMMANDS):
    cli.add_command(_command)


def main() -> None:
    """Run the program and exit: 0 after a run, however it went; 1 if it could not run; 130 if it was interrupted."""
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as exc:
        context = getattr(exc, "ctx", None) or click.Context(cli, info_name=PROGRAM)
        click.echo(f"Error: {exc.format_message()}\n{context.get_usage()}", err=True)
        click.echo(f"Use '{context.command_path} --help' to see all flags.", err=True)
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
