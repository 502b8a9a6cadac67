"""Check of files that hold secrets: others must not be able to read them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wfx.commandline.options import Settings
from wfx.config import secret_files
from wfx.config.options import OPTIONS


def exposed_secrets(settings: Settings) -> Iterator[str]:
    """Tell of each secret that stands in a file which every user of this machine may read."""
    for option in OPTIONS:
        origin, value = settings.origin(option.name), settings.value(option.name)
        if option.mask is None or origin.kind != "file" or option.mask(str(value)) == str(value):
            continue
        if _everybody_reads(origin.name):
            yield f"{option.name} has a password in a file that everybody may read ({origin}): chmod o-r"
    for name in secret_files.OPTIONS:
        if (path := settings.text(name)) and _everybody_reads(path):
            yield f"everybody may read {path}, the file of {name}: chmod o-r"


def _everybody_reads(path: str) -> bool:
    with suppress(OSError):  # gone meanwhile
        return bool(Path(path).stat().st_mode & stat.S_IROTH)
    return False
