"""The backends that the contract is held against, and a clock that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.store.ready_schemas import Taken
from wfx.protection.key_ring import Key, KeyRing
from wfx.protection.sealing import Sealing
from wfx.store.batching_store import BatchingStore
from wfx.store.memory import open_memory
from wfx.store.opening import open_store
from wfx.store.protocol import Store
from wfx.store.sqlite.backend import SqliteBackend
from wfx.store.sqlite.checking import check
from wfx.store.storage_settings import StorageSettings

NOON = 1_782_907_200_000_000
"""2026-07-01T12:00:00Z."""


class SetClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        """Begin at noon."""
        self.now = NOON

    def __call__(self) -> int:
        """Tell the time in microseconds."""
        return self.now


@dataclass(frozen=True)
class Backend:
    """A kind of store, and how to make a fresh one."""

    name: str
    kind: str
    option: Callable[[Path], str]
    lasting: bool
    """Whether what was stored is there again after closing and opening."""
    sealing: Sealing | None = None
    """Keys that values are sealed with."""
    unsound: Callable[[Path], Sequence[str]] | None = None
    """Returns what is not as it must be in the place of a folder, where it is no file."""

    @asynccontextmanager
    async def open(self, folder: Path, clock: Callable[[], int]) -> AsyncIterator[Store]:
        """Open the store that belongs to the folder; what is left in the end must be sound."""
        if self.kind == "memory":
            store: Store = await open_memory(clock)
        else:
            settings = StorageSettings(sealing=self.sealing)
            store = await open_store(self.kind, self.option(folder), settings, clock=clock)
        try:
            yield store
        finally:
            await store.close()
        if self.unsound is not None:
            assert self.unsound(folder) == []
        elif self.lasting:
            assert check(folder / "wfx.db", sealing=self.sealing).findings == []


def _not_placed(_: Path) -> str:
    raise AssertionError("a store on PostgreSQL needs the server of the tests: take the fixture backend or lasting")


def placed(backend: Backend, request: pytest.FixtureRequest) -> Backend:
    """Return the kind of store with a place to store something."""
    if backend.kind != "postgres":
        return backend
    taken = Taken(request.getfixturevalue("ready_schemas"))
    request.addfinalizer(taken.give_back)
    return replace(backend, option=taken.option, unsound=taken.unsound)


SEALING = Sealing(KeyRing((Key("test", bytes(32)),)))
"""One of the stores has it, so that the contract holds with encryption, too."""
BACKENDS = (
    Backend("sqlite-file", "sqlite", lambda folder: f"file:{folder}/wfx.db?_fk=1&_journal=WAL", lasting=True),
    Backend(
        "sqlite-memory", "sqlite", lambda _: "file:wfx?mode=memory&cache=shared&_fk=1", lasting=False, sealing=SEALING
    ),
    Backend("memory", "memory", lambda _: "", lasting=False),
    Backend("postgres", "postgres", _not_placed, lasting=True),
)
SQLITE_BACKENDS = tuple(backend for backend in BACKENDS if backend.kind == "sqlite")


def sqlite_of(store: Store) -> SqliteBackend:
    """Return the SQLite backend of a store."""
    assert isinstance(store, BatchingStore)
    assert isinstance(store.backend, SqliteBackend)
    return store.backend
