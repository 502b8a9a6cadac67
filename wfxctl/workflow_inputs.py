"""Files of workflows that arguments name: as they are, and those in a directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from wfx.commandline.failures import Failure

ENDINGS = ("yaml", "yml", "json")


def files(names: Iterable[str]) -> Iterator[str]:
    """Yield each file, and in place of a directory the workflows in it, in order, but not those in deeper ones.

    Raises Failure for a directory that has none, or cannot be read.
    """
    for name in names:
        path = Path(name)
        if not path.is_dir():
            yield name
            continue
        try:
            found = sorted(str(entry) for entry in path.iterdir() if entry.suffix[1:] in ENDINGS and entry.is_file())
        except OSError as exc:
            raise Failure(f"cannot read {name}: {exc.strerror}") from exc
        if not found:
            raise Failure(f"{name} has no files that end in .{', .'.join(ENDINGS)}")
        yield from found
