"""Runs a program: from the command line to the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from wfx.commandline import configuration, grammar, help_texts
from wfx.commandline.configuration import Presets
from wfx.commandline.failures import (
    EXIT_BROKEN_PIPE,
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_USAGE,
    ConfigurationFailure,
    Failure,
    OutputFailure,
    UsageFailure,
)
from wfx.commandline.grammar import Command, Parsed
from wfx.commandline.invocation import Invocation
from wfx.commandline.log import Log
from wfx.commandline.options import Option
from wfx.commandline.terminal import Stream, neutralise


@dataclass(frozen=True, slots=True)
class Program:
    """One program: its commands, and what is special about it."""

    root: Command
    call: Callable[..., Invocation] = Invocation
    """Makes the kind of call that the program's commands take."""
    before: Callable[[Invocation], None] = lambda _: None
    """What to do before a configured command runs."""
    failed: Callable[[Failure, Stream, Stream], str] = lambda failure, _out, _err: str(failure)
    """Returns what standard error has of a failure; it may print something on standard output before."""
    usage_on_failure: bool = False
    """Whether the usage follows each error line."""
    fatal_on_failure: bool = False
    """Whether a log line at level fatal, with the error once more, ends the output on standard error."""
    strict: bool = False
    """Whether unknown keys in files and unknown ``WFX_`` variables are worth a warning, and nested values are wrong."""
    presets: Presets | None = None
    """Named sets of values, which beat files, if the program has such."""
    strictness: Option | None = None
    """The flag, if there is one, that gives wrong command lines an exit code of their own, and lets none pass."""

    def main(self) -> None:
        """Run the program and exit."""
        stdin, stdout, stderr = (_opened(sys.stdin, "rb"), _opened(sys.stdout, "wb"), _opened(sys.stderr, "wb"))
        try:
            code = self.run(sys.argv[1:], stdin, stdout, stderr, os.environ)
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        except (BrokenPipeError, OutputFailure) as exc:
            # What could not be written is still buffered, and must not be tried again at exit.
            for stream in (stdout, stderr):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            code = EXIT_BROKEN_PIPE if isinstance(exc, BrokenPipeError) else EXIT_FAILED
        sys.exit(code)

    def run(
        self, argv: Sequence[str], stdin: BinaryIO, stdout: BinaryIO, stderr: BinaryIO, environment: Mapping[str, str]
    ) -> int:
        """Run one command line and return its exit code. Raises OutputFailure and BrokenPipeError for the streams."""
        out, err = Stream(stdout), Stream(stderr)
        log = Log(err, environment)
        parsed = Parsed([self.root])
        try:
            grammar.read(parsed, argv)
            if parsed.given.get("version") and self.root.version is not None:
                out.write(self.root.version())
                return EXIT_OK
            if parsed.given.get("help") or parsed.command.run is None:
                out.write(help_texts.help_text(parsed))
                err.write(_unknown_command(parsed))
                asked = parsed.given.get("help") or not self._is_strict(parsed, argv, environment)
                return EXIT_OK if asked else EXIT_USAGE
            return self._run_command(parsed, stdin, out, err, log, environment)
        except ConfigurationFailure as exc:
            log.write("fatal", str(exc))
            return exc.code
        except OutputFailure as exc:
            with suppress(OutputFailure):  # the other stream may still work
                err.line(f"Error: {exc}")
            raise
        except Failure as exc:
            err.line(f"Error: {self.failed(exc, out, err)}")
            if self.usage_on_failure:
                err.write(help_texts.usage_text(parsed))
            if self.fatal_on_failure:
                log.write("fatal", str(exc))
            is_usage = isinstance(exc, UsageFailure) and self._is_strict(parsed, argv, environment)
            return EXIT_USAGE if is_usage else exc.code

    def _is_strict(self, parsed: Parsed, argv: Sequence[str], environment: Mapping[str, str]) -> bool:
        """Tell whether to be strict, also where the command line was only understood in part."""
        if self.strictness is None:
            return False
        given = parsed.given | ({self.strictness.name: True} if f"--{self.strictness.name}" in argv else {})
        try:
            sources = configuration.Sources((self.strictness, *_files_option(parsed)), given, environment)
            return sources.resolve().settings.flag(self.strictness.name)
        except Failure:
            return False

    def _run_command(
        self, parsed: Parsed, stdin: BinaryIO, out: Stream, err: Stream, log: Log, environment: Mapping[str, str]
    ) -> int:
        assert parsed.command.run is not None
        sources = configuration.Sources(
            tuple(parsed.settings()), parsed.given, environment, strict=self.strict, others=self.root.options,
            presets=self.presets,
        )  # fmt: skip
        resolved = self._resolved(parsed, sources, log)
        call = self.call(self.root, resolved, parsed.arguments, stdin, out, err, log, environment, sources)
        self._check_arguments(parsed, resolved)
        if parsed.command.configured:
            self.before(call)
        return parsed.command.run(call) or EXIT_OK

    def _check_arguments(self, parsed: Parsed, resolved: configuration.ResolvedSettings) -> None:
        """Raise UsageFailure for surplus arguments, which are passed over where nobody asks to be strict."""
        strict = self.strictness is not None and resolved.settings.flag(self.strictness.name)
        if strict and len(parsed.arguments) > (most := parsed.command.most_arguments):
            raise UsageFailure(f'unexpected argument "{parsed.arguments[int(most)]}" for "{parsed.words}"')

    def _resolved(self, parsed: Parsed, sources: configuration.Sources, log: Log) -> configuration.ResolvedSettings:
        if not parsed.command.configured:
            return configuration.ResolvedSettings(configuration.defaults(sources.options, parsed.given))
        _check_working_directory()
        resolved = sources.resolve()
        if self.strict:
            for warning in resolved.warnings:
                log.write("warn", warning)
        if any(option.name == "log-level" for option in sources.options):
            log.set_threshold(resolved.settings.text("log-level"))
        return resolved


def _files_option(parsed: Parsed) -> list[Option]:
    return [option for option in parsed.options() if option.name == "config"]


def _opened(stream: TextIO | None, mode: str) -> BinaryIO:
    """Return the binary side of a standard stream, or nothingness for one that was closed when we were started."""
    return cast(BinaryIO, Path(os.devnull).open(mode)) if stream is None else stream.buffer


def _check_working_directory() -> None:
    """Raise ConfigurationFailure if the directory is gone in which files are looked for, and data would be kept."""
    try:
        Path.cwd()
    except OSError as exc:
        raise ConfigurationFailure(f"the working directory cannot be used ({exc.strerror}): change to another") from exc


def _unknown_command(parsed: Parsed) -> str:
    """Say which word is no command; the help that was printed shows those that are."""
    if not parsed.arguments or parsed.command.run is not None:
        return ""
    word = parsed.arguments[0]
    known = [child.name for child in parsed.command.children if not child.hidden]
    return neutralise(f'unknown command "{word}" for "{parsed.words}"{grammar.closest(word, known)}') + "\n"
