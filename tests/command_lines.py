"""Running a program's command lines in this process."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from wfx.commandline.grammar import Parsed
from wfx.commandline.program import Program


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


def runner(program: Program, home: Path) -> Run:
    """Return what runs a command line with no other environment than the one given, and a home directory."""

    def run(*argv: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> Outcome:
        out, err = io.BytesIO(), io.BytesIO()
        environment = {"HOME": str(home), "NO_COLOR": "1"} | dict(env or {})
        with _own_logging():
            code = program.run(argv, io.BytesIO(stdin), out, err, environment)
        return Outcome(code, out.getvalue().decode(), err.getvalue().decode())

    return run


@contextmanager
def _own_logging() -> Iterator[None]:
    """Undo what a program does to the logging of this process."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(level)


def all_commands(parsed: Parsed) -> Iterator[Parsed]:
    """Yield a command and every command below it that is shown."""
    yield parsed
    for child in parsed.command.children:
        if not child.hidden:
            yield from all_commands(Parsed([*parsed.path, child]))
