"""The entry point: from the command line to the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from wfxctl import configuration, grammar, manual, release, targets
from wfxctl.call import Call, error_lines
from wfxctl.commands import ROOT
from wfxctl.failures import (
    EXIT_BROKEN_PIPE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    ConfigurationFailure,
    Failure,
    OutputFailure,
    RefusedByServer,
)
from wfxctl.grammar import Parsed
from wfxctl.log import Log
from wfxctl.options import Settings
from wfxctl.terminal import Stream, neutralise


def main() -> None:
    """Run the program and exit."""
    stdin, stdout, stderr = (_opened(sys.stdin, "rb"), _opened(sys.stdout, "wb"), _opened(sys.stderr, "wb"))
    try:
        code = run(sys.argv[1:], stdin, stdout, stderr, os.environ)
    except KeyboardInterrupt:
        code = EXIT_INTERRUPTED
    except (BrokenPipeError, OutputFailure) as exc:
        # What could not be written is still buffered, and must not be tried again at exit.
        for stream in (stdout, stderr):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        code = EXIT_BROKEN_PIPE if isinstance(exc, BrokenPipeError) else EXIT_FAILED
    sys.exit(code)


def _opened(stream: TextIO | None, mode: str) -> BinaryIO:
    """Return the binary side of a standard stream, or nothingness for one that was closed when we were started."""
    return cast(BinaryIO, Path(os.devnull).open(mode)) if stream is None else stream.buffer


def run(
    argv: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO, environment: Mapping[str, str]
) -> int:
    """Run one command line and return its exit code. Raises OutputFailure and BrokenPipeError for the streams given."""
    out, err = Stream(stdout), Stream(stderr)
    log = Log(err, environment)
    try:
        parsed = grammar.parse(ROOT, argv)
        if parsed.given.get("version"):
            out.write(release.line())
            return EXIT_OK
        if parsed.given.get("help") or parsed.command.run is None:
            out.write(manual.help_text(parsed))
            err.write(_unknown_command(parsed))
            return EXIT_OK
        settings = _settings(parsed, log, environment)
        call = Call(ROOT, settings, parsed.arguments, stdin, out, err, log, environment)
        return parsed.command.run(call) or EXIT_OK
    except ConfigurationFailure as exc:
        log.write("fatal", str(exc))
        return exc.code
    except OutputFailure as exc:
        with suppress(OutputFailure):  # the other stream may still work
            err.line(f"Error: {exc}")
        raise
    except Failure as exc:
        if isinstance(exc, RefusedByServer):
            out.write(error_lines(exc.body))
        err.line(f"Error: {exc}")
        return exc.code


def _settings(parsed: Parsed, log: Log, environment: Mapping[str, str]) -> Settings:
    options = list(parsed.settings())
    if not parsed.command.configured:
        return configuration.defaults(options, parsed.given)
    settings = configuration.resolve(options, parsed.given, environment)
    log.set_threshold(settings.text("log-level"))
    if socket := targets.unix_socket(settings):
        log.write("info", "connecting through a unix socket", path=socket)
    return settings


def _unknown_command(parsed: Parsed) -> str:
    """Say which word is no command; the help that was printed shows those that are."""
    if not parsed.arguments or parsed.command.run is not None:
        return ""
    word = parsed.arguments[0]
    known = [child.name for child in parsed.command.children if not child.hidden]
    return neutralise(f'unknown command "{word}" for "{parsed.words}"{grammar.closest(word, known)}') + "\n"
