"""Built files of the console, read into memory with their compressed forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import wfx

_FOLDER = Path(wfx.__file__).parent / "console" / "built"
_HASHED = re.compile(r"[0-9a-f]{64}\.(?:mjs|css)")
LOGO = b"logo.svg"
_TYPES = {
    ".mjs": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".svg": b"image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    media_type: bytes
    lasting: bool
    """Whether its name is the hash of its content, so that caches may keep it for ever."""
    forms: Mapping[bytes, bytes]
    """The content by its coding, always with ``identity``."""
    tag: bytes
    """What the entity tags of all forms begin with."""


@dataclass(frozen=True, slots=True)
class Assets:
    """All files."""

    index: str
    """The page, with a placeholder for the relative path of ``/ui/``."""
    files: Mapping[bytes, Asset]


@cache
def built_assets() -> Assets | None:
    """Return the built files; None if they are missing or incomplete."""
    return read(_FOLDER)


def read(folder: Path) -> Assets | None:
    """Read the built files of a folder; None if they are missing or incomplete."""
    try:
        index = (folder / "index.html").read_text(encoding="utf-8")
        names = [LOGO.decode(), *(file.name for file in folder.iterdir() if _HASHED.fullmatch(file.name))]
        return Assets(index, {name.encode(): _asset(folder / name) for name in names})
    except (OSError, UnicodeDecodeError):
        return None


def _asset(file: Path) -> Asset:
    forms = {b"identity": file.read_bytes()}
    for ending, coding in ((".br", b"br"), (".gz", b"gzip")):
        packed = file.with_name(file.name + ending)
        if packed.exists():
            forms[coding] = packed.read_bytes()
    lasting = _HASHED.fullmatch(file.name) is not None
    tag = file.stem if lasting else sha256(forms[b"identity"]).hexdigest()
    return Asset(_TYPES[file.suffix], lasting, forms, tag[:32].encode())
