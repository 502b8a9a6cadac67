"""The program: its commands, and what is special about its calls."""

from __future__ import annotations

from wfx.commandline.configuration import Presets
from wfx.commandline.failures import Failure
from wfx.commandline.invocation import Invocation
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream
from wfxctl import contexts, targets
from wfxctl.commands import ROOT
from wfxctl.failures import RefusedByServer
from wfxctl.flags import CONTEXT, STRICT
from wfxctl.invocation import ClientInvocation, error_lines


def _announce_socket(call: Invocation) -> None:
    if socket := targets.unix_socket(call.settings):
        call.log.write("info", "connecting through a unix socket", path=socket)


def _told(failure: Failure, out: Stream, err: Stream) -> str:
    """Print what standard output has of a failure, and return what standard error has.

    Scripts find errors of the API on both. People see them once, and a suggestion.
    """
    if not isinstance(failure, RefusedByServer):
        return str(failure)
    lines = error_lines(failure.body)
    if not (out.is_terminal and err.is_terminal):
        out.write(lines)
    if not err.is_terminal:
        return str(failure)
    told = lines.replace("ERROR: ", "", 1).replace("\nERROR: ", "\nError: ").strip() or str(failure)
    return "\n".join(filter(None, (told, failure.explanation if lines else "", failure.hint)))


PROGRAM = Program(
    ROOT,
    call=ClientInvocation,
    before=_announce_socket,
    failed=_told,
    presets=Presets(CONTEXT, contexts.preset),
    strictness=STRICT,
)
run = PROGRAM.run
main = PROGRAM.main
