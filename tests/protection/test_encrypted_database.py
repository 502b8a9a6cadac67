"""Services that encrypt what they store on PostgreSQL, and the commands beside them."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.protection.core_files import not_tried
from tests.protection.life import BASE, SECRET, UNFIT, Life, done, holding, keys, sealing, wfx
from tests.protection.stores import database_of, in_database, on
from wfx.demo.local import LocalService


@pytest.fixture
def place(talkative: Postgres) -> Iterator[dict[str, str]]:
    """The variables that name an empty database."""
    with talkative.database() as name:
        yield on(talkative, name)


def test_acceptance_13(talkative: Postgres, place: dict[str, str], tmp_path: Path) -> None:
    """Acceptance 13: answers stay the same, and no file of PostgreSQL, no log and no backup has the secret."""
    service = LocalService(tmp_path, environment=place | sealing("one"))
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("sealed")
        once = life.seen()
        assert SECRET in once[0].decode()
        done(wfx(tmp_path, "backup", "backup", **place, **keys("one")))
        assert "is sound" in done(wfx(tmp_path, "check", **place, **keys("one")))
        talkative.sql("CHECKPOINT")
        assert holding(talkative.folder, "one====") != set()
        assert holding(talkative.folder, SECRET) | holding(tmp_path, SECRET) == set()
    service.environment = place | sealing("two", "one")
    with service:
        assert life.seen() == once
        life.live("rotated")
        rotated = life.seen()
        assert in_database(talkative, place, r"\x01two==")[0] > 0
        assert in_database(talkative, place, r"\x01one==")[0] > 0
        shown = done(wfx(tmp_path, "rekey", **place, **sealing("two", "one")))
        assert 'sealed with the key "two" now' in shown
        assert life.seen() == rotated
        sealed, every = in_database(talkative, place, r"\x01two==")
        assert sealed == every
    service.environment = place | sealing("two")
    with service:
        assert life.seen() == rotated
    talkative.sql("CHECKPOINT")
    assert holding(talkative.folder, SECRET) | holding(tmp_path, SECRET) == set()
    assert SECRET not in "".join(service.lines)


def test_moving(talkative: Postgres, place: dict[str, str], tmp_path: Path) -> None:
    """A backup is sealed as a whole, and makes a sealed or a plain store with its keys; a changed line is refused."""
    with LocalService(tmp_path, environment=place | sealing("one")) as service:
        life = Life.on(service)
        life.workflow()
        life.live("sealed")
    refused = wfx(tmp_path, "backup", "none", **place)
    assert (refused.returncode, 'sealed with the key "one"' in refused.stderr) == (1, True)
    done(wfx(tmp_path, "backup", "backup", **place, **keys("one")))
    plain = done(wfx(tmp_path, "export", "-", **place, **keys("one"))).splitlines()[1:-1]
    assert holding(tmp_path, SECRET) == holding(tmp_path, "press-") == set()
    for given in ({}, keys("two")):
        refused = wfx(tmp_path, "import", "--storage-opt=none.db", "backup", **given)
        assert refused.returncode == 1
        assert 'backup has values that are sealed with the key "one"' in refused.stderr
    lines = (tmp_path / "backup").read_bytes().splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]
    (tmp_path / "changed").write_bytes(b"".join(lines))
    refused = wfx(tmp_path, "import", "--storage-opt=none.db", "changed", **keys("one"))
    assert "changed, line 3: it cannot be opened" in refused.stderr
    with talkative.database() as name:
        other = on(talkative, name)
        done(wfx(tmp_path, "import", "backup", **other, **sealing("two", "one")))
        sealed, every = in_database(talkative, other, r"\x01two==")
        assert sealed == every > 20
        assert "is sound" in done(wfx(tmp_path, "check", **other, **keys("two")))
        again = done(wfx(tmp_path, "export", "-", **other, **keys("two"))).splitlines()[1:-1]
        assert again == plain
    done(wfx(tmp_path, "import", "--storage-opt=plain.db", "backup", **keys("one")))
    assert holding(tmp_path, SECRET) == {"plain.db"}
    assert done(wfx(tmp_path, "export", "--storage-opt=plain.db", "-")).splitlines()[1:-1] == plain


def test_encryption_of_what_was_stored_before(talkative: Postgres, place: dict[str, str], tmp_path: Path) -> None:
    """Without a server `wfx rekey` leaves nothing readable in the files of tables; keys taken back make all plain."""
    service = LocalService(tmp_path, environment=dict(place))
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("plain")
        plain = life.seen()
    database = database_of(place)
    talkative.sql("ANALYZE", database)
    talkative.sql("CHECKPOINT")
    assert holding(talkative.data / "base", SECRET) != set()
    shown = done(wfx(tmp_path, "rekey", **place, **sealing("one")))
    assert "write-ahead log" in shown
    talkative.sql("CHECKPOINT")
    assert holding(talkative.data / "base", SECRET) == set()
    service.environment = place | sealing("one")
    with service:
        assert life.seen() == plain
        assert in_database(talkative, place, r"\x01one==")[0] > 0
    assert "all values are plain now" in done(wfx(tmp_path, "rekey", **place, **keys("one")))
    assert in_database(talkative, place, r"\x01")[0] == 0
    service.environment = dict(place)
    with service:
        assert life.seen() == plain


NOT_YET = (sealing("two", "one"), 'does not have the encryption key "two", with which this one would seal')


@pytest.mark.parametrize(("given", "reason"), [*UNFIT, NOT_YET])
def test_another_server_needs_the_same_keys(
    place: dict[str, str], tmp_path: Path, given: dict[str, str], reason: str
) -> None:
    """Beside a server that seals, one that could not read its values, or seals what it could not read, ends with 1."""
    with LocalService(tmp_path, environment=place | sealing("one")) as service:
        refused = wfx(tmp_path, "--client-port=0", "--mgmt-port=0", **place, **given)
        assert refused.returncode == 1
        assert reason in refused.stderr
        assert "Traceback" not in refused.stderr
        assert httpx.get(f"{service.north}{BASE}/jobs").status_code == 200


def test_servers_change_to_another_key_one_after_the_other(
    talkative: Postgres, place: dict[str, str], tmp_path: Path
) -> None:
    """Two servers get a key in two rounds without a moment in which one of them cannot read a value."""
    servers = [LocalService(tmp_path, environment=dict(place)) for _ in range(2)]
    life = None
    try:
        for given in ({}, keys("one"), sealing("one"), sealing("one", "two"), sealing("two", "one")):
            for server in servers:
                if server.process is not None:
                    server.stop()
                server.environment = place | given
                server.start()
                if life is None:
                    life = Life.on(server)
                    life.workflow()
                    life.live("first")
                for each in servers:
                    if each.process is not None:
                        assert httpx.get(f"{each.north}{BASE}/jobs?limit=1000").status_code == 200
            assert life is not None
            life.live("more")
        refused = wfx(tmp_path, "rekey", **place, **sealing("one", "two"))
        assert refused.returncode == 1
        assert 'seals with the key "two", and not as these options say' in refused.stderr
        before = life.seen()
        done(wfx(tmp_path, "rekey", **place, **sealing("two", "one")))
        assert life.seen() == before
    finally:
        for server in servers:
            server.stop()
    sealed, every = in_database(talkative, place, r"\x01two==")
    assert sealed == every


@pytest.fixture
def dumping() -> Iterator[Postgres]:
    """A PostgreSQL of its own whose processes write core files of any size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    with Postgres() as postgres:
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        try:
            postgres.restart()
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
        yield postgres


def test_core_files_of_postgresql(dumping: Postgres, tmp_path: Path) -> None:
    """A core file of PostgreSQL, with all pages in memory, has sealed values only."""
    with (
        dumping.database() as name,
        LocalService(tmp_path, environment=on(dumping, name) | sealing("one")) as service,
    ):
        life = Life.on(service)
        life.workflow()
        life.live("sealed")
        (pid, *_) = dumping.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'wfx'")
        os.kill(int(pid), signal.SIGSEGV)
        eventually(lambda: f"(PID {pid}) was terminated by signal 11" in dumping.log(), "PostgreSQL has crashed")
        eventually(lambda: httpx.get(f"{service.north}{BASE}/jobs").status_code == 200, "PostgreSQL is back")
        service.stop()
    cores = {path.name for path in dumping.data.glob("core*")}
    if not cores:
        not_tried("this machine writes no core files where PostgreSQL runs")
    assert cores & holding(dumping.data, "one====")
    assert holding(dumping.folder, SECRET) == set()
