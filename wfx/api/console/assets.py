"""The files of the console as they were built, in memory with their compressed forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
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
    """A file that is sent as it is, plain or compressed."""

    media_type: bytes
    lasting: bool
    """Whether its name says its content, so that it can be kept for ever."""
    forms: Mapping[bytes, bytes]
    """By content coding; ``identity`` is there always."""
    tag: bytes
    """Names the content, without quotes."""


@dataclass(frozen=True, slots=True)
class Assets:
    """All of them."""

    index: str
    """The page, with a mark where the way up to ``/ui/`` belongs."""
    files: Mapping[bytes, Asset]


@cache
def built_assets() -> Assets | None:
    """Return what was built; None if nothing was, or not all of it."""
    return read(_FOLDER)


def read(folder: Path) -> Assets | None:
    """Read what was built into a folder."""
    try:
        index = (folder / "index.html").read_text(encoding="utf-8")
        logo, *others = [LOGO.decode(), *sorted(file.name for file in folder.iterdir() if _HASHED.fullmatch(file.name))]
        return Assets(index, {name.encode(): _asset(folder / name) for name in (logo, *others)})
    except (OSError, UnicodeDecodeError):
        return None


def _asset(file: Path) -> Asset:
    forms = {b"identity": file.read_bytes()}
    for ending, coding in ((".br", b"br"), (".gz", b"gzip")):
        packed = file.with_name(file.name + ending)
        if packed.exists():
            forms[coding] = packed.read_bytes()
    lasting = _HASHED.fullmatch(file.name) is not None
    tag = file.stem[:32] if lasting else f"{len(forms[b'identity'])}-{hash_of(forms[b'identity'])}"
    return Asset(_TYPES[file.suffix], lasting, forms, tag.encode())


def hash_of(content: bytes) -> str:
    """Return a short hash of what has no hash in its name."""
    from hashlib import sha256  # late: only two files need it

    return sha256(content).hexdigest()[:32]
