"""Input of commands: files and standard input, read up to a bound."""

from __future__ import annotations

import errno
from typing import BinaryIO

LARGEST = 64 * 1024 * 1024
"""Bytes of a file: several times what the server takes by default, and far less than memory has."""


def read_bounded(file: BinaryIO) -> bytes:
    """Return the content of a file. Raises OSError, also for one that is larger than any input is, or has no end."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {LARGEST} bytes")
    return content
