"""Table of the backends that can be configured, by the name that ``--storage`` has for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.backend import Backend
from wfx.store.dump import Header, Record
from wfx.store.findings import Progress, Report
from wfx.store.rekeyed import Rekeyed
from wfx.store.storage_settings import StorageSettings


def _assume_usable(_option: str) -> None:
    """Assume that a start can open it, where a backend cannot tell beside a server."""


@dataclass(frozen=True, slots=True)
class BackendKind:
    """What can be done with the place that ``--storage-opt`` names, the first argument of each function.

    All but ``describe`` raise StoreUnusable with a sentence for the operator.
    """

    open: Callable[[str, StorageSettings], Awaitable[Backend]]
    """Open it; a database of the reference implementation is taken over first."""
    check: Callable[[str, Progress, Sealing | None], Report]
    """Examine it, also beside a server; sealed values are opened with the keys."""
    back_up: Callable[[str, Path, Progress, Sealing | None], str]
    """Copy it to a new file, also beside a server; return how the file BACKUP is restored.

    Sealed values stay sealed; where the file is a dump, it is sealed by the keys.
    """
    dump: Callable[[str, Sealing | None], AbstractContextManager[tuple[Header, Iterator[Record]]]]
    """Read one state of it, also beside a server, and also of a database of the reference implementation.

    All values are plain, also those that were sealed.
    """
    restore: Callable[[str, Header, Iterable[Record], Progress, Sealing | None], str]
    """Make it of records, with values sealed by the keys; return its name.

    Raises ValueError, naming it, for a record that cannot be.
    """
    rekey: Callable[[str, Sealing, Progress], Rekeyed]
    """Bring all values into the form in which the keys have them written, also beside a server."""
    describe: Callable[[str], str]
    """Say where the data is, to follow "with its data"."""
    require_lasting: Callable[[str], None] = _assume_usable
    """Look whether there is a store that outlives its server, as far as that can be told without opening it."""
    probe: Callable[[str], None] = _assume_usable
    """Look whether a start could open it, as far as that can be told beside a server; change nothing."""


def backend_kind(name: str) -> BackendKind:
    """Return the kind of backend with this name. Raises StoreUnusable if there is none."""
    load = _KINDS.get(name)
    if load is None:
        raise StoreUnusable(f"unknown storage '{name}'; known: {', '.join(sorted(_KINDS))}")
    return load()


def _sqlite() -> BackendKind:
    from wfx.store.sqlite.backend_kind import SQLITE  # only who uses a database needs its library

    return SQLITE


def _postgres() -> BackendKind:
    from wfx.store.postgres.backend_kind import POSTGRES  # see above

    return POSTGRES


_KINDS: dict[str, Callable[[], BackendKind]] = {"postgres": _postgres, "sqlite": _sqlite}
