"""PostgreSQL's row in the table of backends (:mod:`wfx.store.backend_kinds`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from wfx.config.options import BY_NAME
from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.backend import Backend
from wfx.store.backend_kinds import BackendKind
from wfx.store.dump import Header, Record, lines
from wfx.store.dump_file import reported, write_dump
from wfx.store.findings import Progress, Report
from wfx.store.postgres.target import read_target
from wfx.store.rekeyed import Rekeyed
from wfx.store.sealed_dump import sealed_lines
from wfx.store.storage_settings import StorageSettings


def own_option(option: str) -> str:
    """Return what the storage option says to PostgreSQL: nothing if it is as it is when nobody gives it.

    Raises StoreUnusable for one with bytes that are no text, which no connection could be made with.
    """
    try:
        option.encode()
    except UnicodeEncodeError as exc:
        raise StoreUnusable("the storage option has bytes that are no UTF-8") from exc
    return "" if option == BY_NAME["storage-opt"].default else option


async def _open(option: str, settings: StorageSettings) -> Backend:
    with _driver():
        from wfx.store.postgres.opening import open_backend  # needs the whole backend, and the driver
    return await open_backend(own_option(option), settings)


def _check(option: str, progress: Progress, sealing: Sealing | None) -> Report:
    with _driver():
        from wfx.store.postgres.checking import check  # needs the driver
    return check(own_option(option), progress, sealing)


def _back_up(option: str, target: Path, progress: Progress, sealing: Sealing | None) -> str:
    with _dump(option, sealing) as (header, records):
        dump = lines(header, reported(records, header, progress))
        write_dump(target, dump if sealing is None else sealed_lines(sealing, dump))
    return "restore a backup into an empty database: wfx import --storage postgres --storage-opt ADDRESS BACKUP"


def _dump(option: str, sealing: Sealing | None) -> AbstractContextManager[tuple[Header, Iterator[Record]]]:
    with _driver():
        from wfx.store.postgres.dumping import dump  # needs the driver
    return dump(own_option(option), sealing)


def _restore(
    option: str, header: Header, records: Iterable[Record], progress: Progress, sealing: Sealing | None
) -> str:
    with _driver():
        from wfx.store.postgres.restoring import restore  # needs the driver
    return restore(own_option(option), header, records, progress, sealing)


def _rekey(option: str, sealing: Sealing, progress: Progress) -> Rekeyed:
    with _driver():
        from wfx.store.postgres.rekeying import rekey  # needs the driver
    return rekey(own_option(option), sealing, progress)


@contextmanager
def _driver() -> Iterator[None]:
    """Say what to install where the driver is missing."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if exc.name != "asyncpg":
            raise
        raise StoreUnusable("PostgreSQL needs the package asyncpg: install wfx with its extra postgres") from exc


def _describe(option: str) -> str:
    try:
        return f"in the database {read_target(own_option(option))}"
    except StoreUnusable:
        return "in PostgreSQL"


def _probe(option: str) -> None:
    """Read the connection string; the server is asked at a start only."""
    read_target(own_option(option))


POSTGRES = BackendKind(_open, _check, _back_up, _dump, _restore, _rekey, _describe, probe=_probe)
