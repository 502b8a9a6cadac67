"""Who may read the files that the programs make."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.clients import BASE, WORKFLOW
from tests.maintenance.test_commands import wfx
from wfx.demo.local import LocalService


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def rights(folder: Path) -> dict[str, int]:
    """The rights of all files in a directory."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_new_files_are_their_owners(tmp_path: Path) -> None:
    """Nobody but the owner may read the database, the files beside it, or a backup, whatever the umask says."""
    with LocalService(tmp_path) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW).raise_for_status()
        assert wfx(tmp_path, "backup", "nightly.db").returncode == 0
        names = ("wfx.db", "wfx.db-wal", "wfx.db-shm", "nightly.db")
        assert rights(tmp_path) == dict.fromkeys(names, 0o600)


def test_rights_that_were_given_stay(tmp_path: Path) -> None:
    """A database that was given other rights keeps them; its backup is its owner's all the same."""
    (tmp_path / "wfx.db").touch(mode=0o640)
    with LocalService(tmp_path):
        assert wfx(tmp_path, "backup", "nightly.db").returncode == 0
        assert rights(tmp_path) == dict.fromkeys(("wfx.db", "wfx.db-wal", "wfx.db-shm"), 0o640) | {"nightly.db": 0o600}
