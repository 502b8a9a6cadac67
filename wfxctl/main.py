"""The program: its commands, and what is special about its calls."""

from __future__ import annotations

from wfx.commandline.call import Call as AnyCall
from wfx.commandline.failures import Failure
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream
from wfxctl import targets
from wfxctl.call import Call, error_lines
from wfxctl.commands import ROOT
from wfxctl.failures import RefusedByServer


def _announce_socket(call: AnyCall) -> None:
    if socket := targets.unix_socket(call.settings):
        call.log.write("info", "connecting through a unix socket", path=socket)


def _show_errors(failure: Failure, out: Stream) -> None:
    if isinstance(failure, RefusedByServer):
        out.write(error_lines(failure.body))


PROGRAM = Program(ROOT, call=Call, before=_announce_socket, failed=_show_errors)
run = PROGRAM.run
main = PROGRAM.main
