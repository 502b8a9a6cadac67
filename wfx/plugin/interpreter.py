"""Diagnosis of a plugin that did not start because its interpreter is missing."""

from __future__ import annotations

import errno
from pathlib import Path

_LONGEST_LINE = 256
"""How much of a first line the system reads."""


def reason(program: Path, error: OSError) -> str:
    """Complete the sentence 'PROGRAM does not start: …'."""
    said = error.strerror or str(error)
    try:
        with program.open("rb") as file:
            head = file.read(_LONGEST_LINE)
    except OSError:  # the program itself is missing, or not for us to read
        return said
    if head.startswith(b"#!"):
        return _script_reason(head[2:].partition(b"\n")[0], error, said)
    if error.errno == errno.ENOENT:
        return f"the loader it was built for does not exist ({said})"
    if error.errno == errno.ENOEXEC:
        return f"it is neither a program for this machine nor a script with a #! line ({said})"
    return said


def _script_reason(line: bytes, error: OSError, said: str) -> str:
    name, *_ = line.strip(b" \t").replace(b"\t", b" ").split(b" ")
    interpreter = name.decode("utf-8", "backslashreplace")
    if not name:
        return f"its first line names no interpreter ({said})"
    if interpreter.endswith("\r"):
        return f"its interpreter {interpreter.rstrip()} cannot be found: the lines of the file end in CR LF"
    if error.errno == errno.ENOENT:
        return f"its interpreter {interpreter} does not exist"
    return f"its interpreter {interpreter} cannot be run ({said})"
