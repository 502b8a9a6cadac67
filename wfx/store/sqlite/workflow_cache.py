"""Cache of workflows, which never change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from threading import Lock

from wfx.domain.json import Json
from wfx.domain.workflow import Workflow
from wfx.store.sqlite.statements import SQL, for_items

_SIZES = 10_000
"""Workflows of which the size is kept, also where the workflow is not."""
_ROOM = 32 * 1024 * 1024
"""Bytes of workflow documents to keep at most; a workflow may have megabytes."""


class WorkflowCache:
    """The workflows used last, by number. Shared by the connections' threads; knows committed workflows only."""

    def __init__(self, room: int = _ROOM) -> None:
        self._lock = Lock()
        self._room = room
        self._taken = 0
        self._by_number: dict[int, Workflow] = {}
        self._sizes: dict[int, int] = {}
        self._by_name: dict[str, Workflow] = {}

    def named(self, name: str) -> Workflow | None:
        """Return the workflow that has this name now, if it is here."""
        return self._by_name.get(name)

    def name(self, workflow: Workflow) -> None:
        """Note, after a commit, that the workflow's name stands for it."""
        self.keep(workflow)
        with self._lock:
            # The one that is kept: so the name goes when it goes.
            if (kept := self._by_number.get(workflow.number)) is not None:
                self._by_name[workflow.name] = kept

    def unname(self, name: str) -> None:
        """Note, after a commit, that the name stands for nothing any more."""
        with self._lock:
            self._by_name.pop(name, None)

    def keep(self, workflow: Workflow) -> None:
        """Keep a workflow, and let go of those used longest ago if room is needed."""
        with self._lock:
            if workflow.number in self._by_number:
                return
            self._by_number[workflow.number] = workflow
            self._note_size(workflow.number, len(workflow.encoded))
            self._taken += len(workflow.encoded)
            while self._taken > self._room and len(self._by_number) > 1:
                oldest = self._by_number.pop(next(iter(self._by_number)))
                self._taken -= len(oldest.encoded)
                if self._by_name.get(oldest.name) is oldest:
                    del self._by_name[oldest.name]

    def numbered(self, numbers: Iterable[int]) -> dict[int, Workflow]:
        """Return those of the workflows that are here."""
        found: dict[int, Workflow] = {}
        with self._lock:
            for number in numbers:
                if (workflow := self._by_number.pop(number, None)) is not None:
                    # Put it at the end, away from where room is made.
                    found[number] = self._by_number[number] = workflow
        return found

    def size(self, connection: sqlite3.Connection, number: int) -> int:
        """Return how many bytes the document of a workflow has, without reading it; 0 if there is none."""
        if (known := self._sizes.get(number)) is not None:
            return known
        found = connection.execute(SQL["workflow_size"], (number,)).fetchone()
        if found is None:
            return 0
        with self._lock:
            self._note_size(number, found[0])
        return int(found[0])

    def _note_size(self, number: int, size: int) -> None:
        if len(self._sizes) >= _SIZES:
            self._sizes.clear()
        self._sizes[number] = size


def load_numbered(
    connection: sqlite3.Connection, numbers: set[int], known: Mapping[int, Workflow]
) -> dict[int, Workflow]:
    """Return the workflows with these numbers, reading those that are not known."""
    missing = sorted(numbers - known.keys())
    return {**known, **{n: read(n, text) for n, text in for_items(connection, "workflows_by_number", missing)}}


def load_named(connection: sqlite3.Connection, names: Iterable[str]) -> list[Workflow]:
    """Read those of the named workflows that exist."""
    return [read(number, text) for number, text in for_items(connection, "workflows_by_name", sorted(names))]


def read(number: int, document: str) -> Workflow:
    """Build a workflow from its row. The wire form leaves an empty list out."""
    return Workflow.from_encoded(Json(document.encode()), number)
