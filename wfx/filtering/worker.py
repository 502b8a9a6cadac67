"""Program of the filter workers: runs jq programs of clients. Never imported by the server.

    python -I -S worker.py LIBRARIES PACKAGES MEMORY DEADLINE OUTPUT

LIBRARIES and PACKAGES are the directories that ``jq`` and ``wfx`` are found in; MEMORY and OUTPUT are bytes, DEADLINE
is in seconds. Requests come on stdin, answers go to stdout (:mod:`wfx.filtering.protocol`). Before the first request
everything that the process could reach is given up: no environment, no file can be opened, memory is bounded, and it
ends with its parent.

Every program has, besides the parent's deadline, a timer and a limit of processor time of its own here, in case that
the parent is gone or stuck.
"""

from __future__ import annotations

import json
import math
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

sys.path += sys.argv[1:3]

import jq

from wfx.filtering import encoding, rewrite
from wfx.filtering.protocol import ANSWER_HEADER, REQUEST_HEADER, Answer, Request
from wfx.jq_language import definitions, spelling
from wfx.jq_language.tokens import NotUnderstoodError
from wfx.sandbox.confinement import ResidentMemory, confine, end_with_parent

_CHUNK_BYTES = 64 * 1024
_LEAVE_ABOVE_BYTES = 64 * 1024 * 1024
"""A process that holds on to more than this after a program makes room for a fresh one."""

_NICENESS = 10
"""Lowers the priority of this process below that of the service."""

_MARK = json.dumps(os.urandom(16).hex())
"""Stands for a failed output inside of the rewritten program; no program can guess it."""

_FINISH = (
    f' | if . == {_MARK} then "{{}}" else '
    'try (_libjq_tojson as $text | if ($text | contains("null") or contains("e+308") or contains("<skipped")) and '
    '. != ($text | _libjq_fromjson) then empty else $text end) catch "{}" end'
)
"""Turns each output into its text. libjq writes NaN as null, an infinity as the largest double, and a value that is
nested too deeply as ``<skipped: too deep>``. The former two are not equal to what is read back, so they give nothing;
the latter cannot be read back, so the output fails."""

_NEGATIVE_ZERO = re.compile(r'(?:[\[,]|":)-0[\],}]')
"""Finds the one whole number that is no integer in Python, or a part of a string that looks like it."""

_LATE_ERRORS = ("is not defined", "module not found", "Top-level program not given", "as object key")
"""What libjq finds while compiling, but the reference only when it runs the program: unknown names, imports, an
object key that is no string, an empty program."""


def _compile(text: str) -> jq._Program:
    if "\0" in text:
        raise ValueError("syntax error, a program cannot contain the character U+0000")
    return jq.compile(text)


def _check(program: str) -> tuple[Answer, str]:
    try:
        _compile(program)
    except ValueError as exc:
        message = str(exc)
        if any(error in message for error in _LATE_ERRORS) and "syntax error" not in message:
            return Answer.FAILING, ""
        first_line = message.partition("\n")[0].removeprefix("jq: error: ").rstrip(":")
        return Answer.SYNTAX, first_line.replace(" <top-level>,", "")
    return Answer.VALID, ""


@lru_cache(maxsize=32)
def _rewritten(program: str) -> jq._Program | None:
    """Compile for a run; None for what is valid only where nothing is before or after it (a module directive)."""
    plain = spelling.plain(program)
    for wrap in (rewrite.wrap, rewrite.wrap_whole):
        try:
            return _compile(f"{definitions.before(plain)}({wrap(plain, _MARK)}){_FINISH}")
        except (NotUnderstoodError, ValueError):
            continue
    return None


def _lines(program: str, document: str) -> Iterator[bytes]:
    compiled = _rewritten(program)
    if compiled is None:
        yield encoding.FAILED
        return
    outputs = iter(compiled.input_text(encoding.plain_numbers(_sorted(document)).decode()))
    while True:
        try:
            text = next(outputs, None)
        except ValueError:  # an error that jq does not let a program catch
            yield encoding.FAILED
            return
        if text is None:
            return
        try:
            line = encoding.line(_sorted(text))
        except OverflowError:
            continue
        yield line


def _sorted(text: str) -> bytes:
    """Put members in alphabetical order (rest-api section 4); what Python's codec refuses stays as it is."""
    if "{" in text or "\\u" in text:  # jq escapes one character that Python's codec does not
        with suppress(RecursionError, ValueError):
            value = json.loads(text, parse_int=_integer if _NEGATIVE_ZERO.search(text) else None)
            text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _integer(digits: str) -> float:
    return -0.0 if digits == "-0" else int(digits)


class _Worker:
    def __init__(self, deadline: float, output: int) -> None:
        self._deadline = deadline
        self._output = output
        self._began = 0.0
        """How much processor time this process had used when the request came."""
        self._memory = ResidentMemory()

    def serve(self) -> None:
        """Answer requests until stdin ends."""
        requests = sys.stdin.buffer
        self._answer(Answer.READY)
        while header := requests.read(REQUEST_HEADER.size):
            kind, program_bytes, document_bytes = REQUEST_HEADER.unpack(header)
            program, document = requests.read(program_bytes).decode(), requests.read(document_bytes).decode()
            self._arm()
            try:
                answer, content = _check(program) if kind == Request.CHECK else self._run(program, document)
            except MemoryError:
                answer, content = Answer.MEMORY, ""
            signal.setitimer(signal.ITIMER_REAL, 0)
            leaving = self._memory.bytes() > _LEAVE_ABOVE_BYTES
            self._answer(answer, content.encode(), leaving=leaving)
            if leaving:
                return

    def _arm(self) -> None:
        """Bound the time until the answer, should the parent not do so."""
        signal.setitimer(signal.ITIMER_REAL, self._deadline + 0.5)
        self._began = time.process_time()
        limit = math.ceil(self._began) + math.ceil(self._deadline) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))

    def _run(self, program: str, document: str) -> tuple[Answer, str]:
        total, pending = 0, bytearray()
        for line in _lines(program, document):
            total += len(line)
            if total > self._output:
                return Answer.OUTPUT, ""
            pending += line
            if len(pending) >= _CHUNK_BYTES:
                self._answer(Answer.CHUNK, pending)
                pending.clear()
        self._answer(Answer.CHUNK, pending)
        return Answer.END, ""

    def _answer(self, answer: Answer, content: bytes | bytearray = b"", *, leaving: bool = False) -> None:
        took = time.process_time() - self._began
        sys.stdout.buffer.write(ANSWER_HEADER.pack(answer, leaving, took, len(content)))
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def _confine(memory: int) -> None:
    """Give up whatever a program could reach, for good."""
    end_with_parent()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the server's parent may have had some blocked or ignored
    for number in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(number, signal.SIG_DFL)
    confine(memory, _NICENESS)


def main() -> None:
    """Confine this process, then serve."""
    memory, deadline, output = int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
    worker = _Worker(deadline, output)
    _confine(memory)
    worker.serve()


if __name__ == "__main__":
    main()
