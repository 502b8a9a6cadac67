"""The program: its commands, and what is special about its calls."""

from __future__ import annotations

from wfx.commandline.failures import Failure
from wfx.commandline.invocation import Invocation
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream
from wfxctl import targets
from wfxctl.commands import ROOT
from wfxctl.failures import RefusedByServer
from wfxctl.invocation import ClientInvocation, error_lines


def _announce_socket(call: Invocation) -> None:
    if socket := targets.unix_socket(call.settings):
        call.log.write("info", "connecting through a unix socket", path=socket)


def _show_errors(failure: Failure, out: Stream) -> None:
    if isinstance(failure, RefusedByServer):
        out.write(error_lines(failure.body))


PROGRAM = Program(ROOT, call=ClientInvocation, before=_announce_socket, failed=_show_errors)
run = PROGRAM.run
main = PROGRAM.main
