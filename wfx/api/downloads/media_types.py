"""Media types of files: by the ending of the name, else by the first bytes."""

from __future__ import annotations

import mimetypes
import re
from functools import cache

SNIFFED = 512
"""Bytes at the beginning of a file that may decide."""
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_COMPRESSED = {".gz": "application/gzip", ".bz2": "application/x-bzip2", ".xz": "application/x-xz"}
"""Python's table has these as encodings of something else; the bytes are sent as they are."""


def of_name(name: bytes) -> str:
    """Return the type that the ending of a file's name stands for; empty if it stands for none."""
    _, dot, ending = name.decode("utf-8", "replace").rpartition(".")
    found = _table().get(f".{ending.lower()}", "") if dot else ""
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def of_content(beginning: bytes) -> str:
    """Return the type that the first bytes of a file show."""
    for signature, found in _SIGNATURES:
        if beginning.startswith(signature):
            return found
    return "application/octet-stream" if _BINARY.search(beginning) else "text/plain; charset=utf-8"


@cache
def _table() -> dict[str, str]:
    """Read the system's table once; Python's own has what that lacks."""
    mimetypes.init()
    return {**mimetypes.types_map, **_COMPRESSED}
