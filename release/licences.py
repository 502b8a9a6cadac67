"""Licence texts of the packages that are shipped: those that each brings, else what its project publishes."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from release.components import ROOT, Component, NotAsLocked

_NAMES = re.compile(r"(licen[cs]e|copying|notice|authors)([-._].*)?", re.IGNORECASE)
_FOLDERS = frozenset({"licenses", "license_files", "sboms"})
"""Directories of a package's description whose files all tell of licences, its own or those of code built into it."""
_CODE = frozenset({".py", ".pyc", ".pyi", ".so"})
_NOT_BROUGHT = ROOT / "release" / "license_texts"
"""Texts for packages whose wheels have none, from their source archives, by the names of the packages."""
_LICENCE = re.compile(r"[A-Za-z0-9.-]+(?: WITH [A-Za-z0-9.-]+)?")
"""A licence in an SPDX expression, with its exception."""
_TEXTS_ON_DEBIAN = ("Apache-2.0", "MPL-2.0")
"""Licences whose texts Debian's systems have."""


def texts(part: Component) -> dict[PurePosixPath, bytes]:
    """Return the files with licences, notices and authors of a package. Raises NotAsLocked if it has no licence."""
    found: dict[PurePosixPath, bytes] = {}
    for file in sorted(part.installed.files or (), key=lambda file: (not _is_description(file), file)):
        if _is_text(PurePosixPath(file)):
            content = Path(str(file.locate())).read_bytes()
            place = _place(PurePosixPath(file))
            while found.setdefault(place, content) != content:  # another text is there: both are kept
                place = "other" / place
    if any(path.name.lower().startswith(("licen", "copying")) for path in found):
        return found
    kept = _NOT_BROUGHT / f"{part.name}.txt"
    if not kept.is_file():
        raise NotAsLocked(f"{part.name} brings no text of its licence: put that of its project in {kept}")
    return {**found, PurePosixPath("LICENSE"): kept.read_bytes()}


def _is_text(file: PurePosixPath) -> bool:
    in_folder = _is_description(file) and not _FOLDERS.isdisjoint(file.parts[1:-1])
    return file.suffix not in _CODE and (in_folder or bool(_NAMES.fullmatch(file.name)))


def _is_description(file: PurePosixPath) -> bool:
    return file.parts[0].endswith(".dist-info")


def _place(file: PurePosixPath) -> PurePosixPath:
    """Return where a file of a package goes below the directory of its licences."""
    named = [part for part in file.parts if part != ".."]
    parts = named[1:] if len(named) > 1 else named
    return PurePosixPath(*(parts[1:] if parts[0] == "licenses" and len(parts) > 1 else parts))


def short_name(expression: str) -> str:
    """Write an SPDX expression as Debian's copyright files do."""
    for spdx, debian in ((" AND (", ", and "), (")", ""), (" AND ", " and "), (" OR ", " or ")):
        expression = expression.replace(spdx, debian)
    return expression


def stanzas(expressions: list[str], folder: str) -> list[str]:
    """Say for each licence of a copyright file where its text is."""
    names = sorted({name for each in expressions for name in _LICENCE.findall(each)} - {"AND", "OR"})
    return [_stanza(name, folder) for name in names]


def _stanza(name: str, folder: str) -> str:
    lines = [f"License: {name}", f" The texts, with the copyright notice of each part, are in /{folder}."]
    if name in _TEXTS_ON_DEBIAN:
        lines.append(f" On Debian systems the text is in /usr/share/common-licenses/{name}, too.")
    return "\n".join(lines)
