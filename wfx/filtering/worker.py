"""Program of the filter workers: runs jq programs of clients. Never imported by the server.

Requests and answers are frames (:mod:`wfx.filtering.protocol`). The process is confined before the first request: no
environment, no file can be opened, memory and time are bounded, and it ends with its parent.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

import jq

from wfx.filtering import encoding, rewrite
from wfx.filtering.protocol import CHECK, FAILING, RAN, SYNTAX, VALID
from wfx.jq_language import definitions, spelling
from wfx.jq_language.tokens import NotUnderstoodError
from wfx.sandbox.frames import OUTPUT, Frame

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


def _check(program: str) -> Frame:
    try:
        _compile(program)
    except ValueError as exc:
        message = str(exc)
        if any(error in message for error in _LATE_ERRORS) and "syntax error" not in message:
            return Frame(FAILING)
        first_line = message.partition("\n")[0].removeprefix("jq: error: ").rstrip(":")
        return Frame(SYNTAX, first_line.replace(" <top-level>,", "").encode())
    return Frame(VALID)


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


def answer(request: Frame) -> Frame:
    """Check or run a program: the head is the most bytes of output, a space and the program, the body the document."""
    most, _, program = request.head.decode().partition(" ")
    return _check(program) if request.kind == CHECK else _run(program, request.body.decode(), int(most))


def _run(program: str, document: str, most: int) -> Frame:
    output = bytearray()
    for line in _lines(program, document):
        if len(output) + len(line) > most:
            return Frame(OUTPUT)
        output += line
    return Frame(RAN, body=bytes(output))
