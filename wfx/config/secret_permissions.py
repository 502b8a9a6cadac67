"""Check of configuration files that hold secrets: others must not be able to read them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from wfx.commandline.options import Settings
from wfx.config.options import OPTIONS


def exposed_secrets(settings: Settings) -> Iterator[str]:
    """Tell of each secret that stands in a file which every user of this machine may read."""
    for option in OPTIONS:
        origin, value = settings.origin(option.name), settings.value(option.name)
        if option.mask is None or origin.kind != "file" or option.mask(str(value)) == str(value):
            continue
        with suppress(OSError):  # gone meanwhile
            if Path(origin.name).stat().st_mode & stat.S_IROTH:
                yield f"{option.name} has a password in a file that everybody may read ({origin}): chmod o-r"
