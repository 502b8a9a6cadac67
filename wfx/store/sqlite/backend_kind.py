"""SQLite's row in the table of backends (:mod:`wfx.store.backend_kinds`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from wfx.domain.errors import StoreUnusable
from wfx.protection.sealing import Sealing
from wfx.store.backend import Backend
from wfx.store.backend_kinds import BackendKind
from wfx.store.dump import Header, Record
from wfx.store.findings import Progress, Report
from wfx.store.rekeyed import Rekeyed
from wfx.store.sqlite import dsn
from wfx.store.storage_settings import StorageSettings


async def _open(option: str, settings: StorageSettings) -> Backend:
    from wfx.store.sqlite.opening import open_backend  # needs the whole backend

    return await open_backend(option, settings.sealing)


def _check(option: str, progress: Progress, sealing: Sealing | None) -> Report:
    from wfx.store.sqlite.checking import check  # needs all tables

    return check(dsn.file_of(option, "wfx check"), progress, sealing)


def _back_up(option: str, target: Path, progress: Progress, _sealing: Sealing | None) -> str:
    from wfx.store.sqlite.backup import back_up, how_to_restore  # needs all tables

    source = dsn.file_of(option, "wfx backup")
    back_up(source, target, progress)
    return how_to_restore(source)


def _dump(option: str, sealing: Sealing | None) -> AbstractContextManager[tuple[Header, Iterator[Record]]]:
    from wfx.store.sqlite.dumping import dump  # needs all tables

    return dump(dsn.file_of(option, "wfx export"), sealing)


def _restore(
    option: str, header: Header, records: Iterable[Record], progress: Progress, sealing: Sealing | None
) -> str:
    from wfx.store.sqlite.restoring import restore  # needs all tables

    path = dsn.file_of(option, "wfx import")
    restore(path, header, records, progress, sealing)
    return str(path)


def _rekey(option: str, sealing: Sealing, progress: Progress) -> Rekeyed:
    from wfx.store.sqlite.rekeying import rekey  # needs all tables

    return rekey(dsn.file_of(option, "wfx rekey"), sealing, progress)


def _describe(option: str) -> str:
    try:
        path = dsn.parse(option).path
    except StoreUnusable:
        return f"at {option}"
    return "in memory alone" if path is None else f"in {path if path.is_absolute() else f'./{path}'}"


def _require_lasting(option: str) -> None:
    path = dsn.file_of(option, "this command")
    if not path.is_file():
        raise StoreUnusable(f"there is no database file {path}")


def _probe(option: str) -> None:
    location = dsn.parse(option)
    path = location.path
    if path is None:
        return
    if path.exists():
        usable = path.is_file() and os.access(path, os.R_OK | os.W_OK)
        fault = "" if usable else "it is no file that can be read and written"
    elif not location.may_create:
        fault = "there is no such file, and mode=rw makes none"
    else:
        usable = path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)
        fault = "" if usable else "there is no directory in which it can be made"
    if fault:
        raise StoreUnusable(f"cannot use the database {path}: {fault}")


SQLITE = BackendKind(_open, _check, _back_up, _dump, _restore, _rekey, _describe, _require_lasting, _probe)
