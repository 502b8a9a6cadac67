"""Looks into a running service for what requests left behind there: counts bytes and objects, measures no memory.

The service's collector of cycles is off, so whatever a request leaves in a cycle stays until somebody looks.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from wfx.demo.local import LocalService

_INSPECTOR = """
    import gc, json, socket, sys, threading, weakref

    gc.disable()

    def sizes(objects):
        texts = {id(one): one for owner in objects for one in gc.get_referents(owner)
                 if isinstance(one, (bytes, bytearray, str))}
        return sum(map(sys.getsizeof, texts.values()))

    def look():
        gc.unfreeze()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        gc.set_debug(0)
        found = {"objects_in_cycles": len(gc.garbage), "bytes_in_cycles": sizes(gc.garbage)}
        gc.garbage.clear()
        gc.collect()
        alive = [one for one in gc.get_objects() if not isinstance(one, weakref.ref)]
        return {**found, "objects": len(alive), "bytes": sizes(alive)}

    def answer(listener):
        while True:
            asked, _ = listener.accept()
            with asked:
                asked.sendall(json.dumps(look()).encode())

    if sys.argv[0] == "-m":  # at this moment of the start
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(@PLACE@)
        listener.listen()
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What a look found."""

    objects_in_cycles: int
    """Objects that only refer to each other, since the last look."""
    bytes_in_cycles: int
    """Bytes of the texts that those hold."""
    objects: int
    """Objects in use that may be part of a cycle; without weak references, of which sqlite3 holds up to 200 in vain."""
    bytes: int
    """Bytes of the texts that those hold."""


def environment(folder: Path) -> dict[str, str]:
    """Put the inspector into a directory, and return the environment variables for a service that shall have it."""
    (folder / "sitecustomize.py").write_text(dedent(_INSPECTOR).replace("@PLACE@", repr(str(folder / "inspector"))))
    return {"PYTHONPATH": str(folder)}


def look(folder: Path) -> Left:
    """Look into the service that has the inspector of this directory."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(60)
        asking.connect(str(folder / "inspector"))
        said = b""
        while received := asking.recv(65536):
            said += received
    return Left(**json.loads(said))


class Inspected:
    """A service that can be looked into."""

    def __init__(self, folder: Path, *options: str) -> None:
        """Run in this directory with these options; ``service`` has to be started."""
        self.service = LocalService(folder, *options, environment=environment(folder))

    def look(self) -> Left:
        """Count."""
        return look(self.service.folder)
