"""The program: its commands, and what is special about its calls."""

from __future__ import annotations

from wfx.commandline.configuration import Presets
from wfx.commandline.failures import Failure, UsageFailure
from wfx.commandline.invocation import Invocation
from wfx.commandline.program import Program
from wfx.commandline.terminal import Stream
from wfxctl import contexts, targets
from wfxctl.commands import ROOT
from wfxctl.failures import RefusedByServer
from wfxctl.flags import CONTEXT, STRICT
from wfxctl.invocation import ClientInvocation, error_lines, is_unicode


def _announce_socket(call: Invocation) -> None:
    if socket := targets.unix_socket(call.settings):
        call.log.write("info", "connecting through a unix socket", path=socket)


def _printed(failure: Failure, out: Stream, err: Stream) -> str:
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


def _prepare(call: Invocation) -> None:
    """Refuse what no request can say, and tell of a socket."""
    for option in call.sources.options:
        value = call.settings.value(option.name)
        if not option.extensions and not is_unicode("".join(value) if isinstance(value, list) else str(value)):
            where = call.settings.origin(option.name)
            raise UsageFailure(f'the value of "{option.name}" is not UTF-8 ({where})')
    _announce_socket(call)


PROGRAM = Program(
    ROOT,
    call=ClientInvocation,
    before=_prepare,
    failed=_printed,
    presets=Presets(CONTEXT, contexts.preset),
    strictness=STRICT,
)
run = PROGRAM.run
main = PROGRAM.main
