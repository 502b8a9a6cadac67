"""The command ``wfx-loadtest``: a command line in, an exit code out (cli sections 1 and 11)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from wfx_loadtest import duration
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
    return click.option(name, envvar=f"WFX_{member.upper()}", help=text, **rest)


_PORT = click.IntRange(0, 65535)
_COUNT = click.IntRange(0)
_log_level = _flag("--log-level", "trace, debug, info, warn, error, fatal or panic", default="info",
                   callback=lambda _ctx, _param, value: _log_to_stderr(value), expose_value=False)


def _log_to_stderr(level: str) -> None:
    from wfx import logs  # only a run logs: help and completion start faster without it

    logs.configure(level if level in logs.LEVELS else "trace", "pretty", sys.stderr)


@click.group(PROGRAM, invoke_without_command=True, no_args_is_help=False,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@_flag("--client-host", "host of the southbound API (devices)")
@_flag("--client-port", "port of the southbound API", type=_PORT)
@_flag("--mgmt-host", "host of the northbound API (operators)")
@_flag("--mgmt-port", "port of the northbound API", type=_PORT)
@_flag("--duration", "how long to send", type=Duration())
@_flag("--read-freq", "reading requests a second", type=_COUNT)
@_flag("--write-freq", "writing requests a second", type=_COUNT)
@_flag("--scenario", "which load to make", type=click.Choice(_SCENARIOS))
@_flag("--devices", "simulated devices (scenario fleet)", type=_COUNT)
@_flag("--subscribers", "listeners on the event stream (scenarios fleet and events)", type=_COUNT)
@_flag("--poll-interval", "how often an idle device asks for work (scenario fleet)", type=Duration())
@_flag("--target", "find the highest rate whose p99 stays within this, trying rates for the whole duration",
       type=Duration(), show_default=False)
@_log_level
@click.pass_context
def cli(context: click.Context, /, **options: Any) -> None:
    r"""Put a wfx service under load at a constant rate, and measure it honestly.

    Requests leave when the schedule says so, however slow the answers are, and every latency counts from the moment
    the request was due. Besides the default mix of lists and job updates there are the scenarios "fleet" (simulated
    devices, operators and subscribers) and "events" (every write is to be heard by every subscriber).

    A summary goes to standard output; metrics.txt, histogram.hdr, plot.html and plot.svg go to results/TIME.

    \b
    Examples:
      wfx-loadtest --duration 10s --read-freq 200 --write-freq 50
      wfx-loadtest --scenario fleet --devices 500 --subscribers 20
      wfx-loadtest --target 20ms --duration 2m
      wfx-loadtest compare results/1767225600 results/1767229200
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


@cli.command("compare")
@click.argument("before", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_log_level
def compare_command(before: Path, after: Path) -> None:
    r"""Compare the results in two directories: figures of both side by side, and by how much they differ.

    \b
    Examples:
      wfx-loadtest compare results/1767225600 results/1767229200
      wfx-loadtest compare baseline "$(ls -d results/* | tail -n 1)"
    """
    from wfx_loadtest.compare import NotAResult, compare

    try:
        click.echo(compare(before, after), nl=False)
    except NotAResult as exc:
        raise click.ClickException(str(exc)) from exc


def main() -> None:
    """Run the program and exit: 0 after a run, however it went; 1 if it could not run; 130 if it was interrupted."""
    sys.exit(run_cli(sys.argv[1:]))


def run_cli(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        code = cli.main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except click.ClickException as exc:
        click.echo(f"Error: {exc.format_message()}", err=True)
        context = getattr(exc, "ctx", None)
        click.echo(context.get_help() if context else cli.get_help(click.Context(cli, info_name=PROGRAM)), err=True)
        return EXIT_FAILED
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    main()
