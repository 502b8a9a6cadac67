"""The program: its commands, and what is special about its calls."""

from __future__ import annotations

from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream
from wfxctl import targets
from wfxctl.commands import ROOT
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, error_lines, is_unicode


def _announce_socket(call: Invocation) -> None:
    if socket := targets.unix_socket(call.settings):
        call.log.write("info", "connecting through a unix socket", path=socket)


def _show_errors(failure: Failure, out: Stream) -> None:
    if isinstance(failure, RefusedByServer):
        out.write(error_lines(failure.body))


def _prepare(call: Invocation) -> None:
    """Refuse what no request can say, and tell of a socket."""
    for option in call.sources.options:
        value = call.settings.value(option.name)
        if not option.extensions and not is_unicode("".join(value) if isinstance(value, list) else str(value)):
            where = call.settings.origin(option.name)
            raise UsageFailure(f'the value of "{option.name}" is not UTF-8 ({where})')
    _announce_socket(call)


PROGRAM = Program(ROOT, call=ClientInvocation, before=_prepare, failed=_show_errors)
run = PROGRAM.run
main = PROGRAM.main
