"""Input of commands: files and standard input, read up to a bound."""

from __future__ import annotations

from typing import BinaryIO

from wfx.commandline.failures import Failure

LARGEST = 64 * 1024 * 1024
"""Bytes of a file: several times what the server takes by default, and far less than memory has."""


def whole(file: BinaryIO, name: str) -> bytes:
    """Return the content of a file. Raises Failure for one that is larger than any input is, or has no end."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Failure(f"cannot read {name}: it has more than {LARGEST} bytes")
    return content
