"""Files of workflows that arguments name: as they are, and those in a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from wfx.commandline.failures import Failure
from wfxctl import workflow_file
from wfxctl.invocation import ClientInvocation
from wfxctl.workflow_file import Source

ENDINGS = ("yaml", "yml", "json")


def read_all(call: ClientInvocation, names: Iterable[str]) -> Iterator[Source | list[str]]:
    """Yield the workflow of each file, and for a file that has none, or cannot be read, what is wrong with it."""
    for name in names:
        try:
            files = _files(name)
        except Failure as exc:
            yield [str(exc)]
            continue
        yield from (read(file, partial(call.read, file)) for file in files)


def read(name: str, content: Callable[[], bytes]) -> Source | list[str]:
    """Return the workflow, or what is wrong with the file."""
    from wfxctl import workflow_check  # imports codecs that most commands do not need

    try:
        return workflow_file.read(name, content())
    except workflow_file.InvalidFile as exc:
        return workflow_check.faults_of_invalid(exc)
    except Failure as exc:
        return [str(exc)]


def _files(name: str) -> list[str]:
    """Return the file, or of a directory the workflows in it, in order, but not those in deeper ones.

    Raises Failure for a directory that has none, or cannot be read.
    """
    path = Path(name)
    if not path.is_dir():
        return [name]
    try:
        found = sorted(str(entry) for entry in path.iterdir() if entry.suffix[1:] in ENDINGS and entry.is_file())
    except OSError as exc:
        raise Failure(f"cannot read {name}: {exc.strerror}") from exc
    if not found:
        raise Failure(f"{name} has no files that end in .{', .'.join(ENDINGS)}")
    return found
