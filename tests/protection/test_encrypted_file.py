"""A service that encrypts what it stores in a file, and the commands beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.protection.life import BASE, SECRET, Life, done, holding, keys, sealing, wfx
from wfx.demo.local import LocalService


def test_acceptance_13(tmp_path: Path) -> None:
    """Acceptance 13: answers are the same, no file has the secret, and keys are changed under a live store."""
    service = LocalService(tmp_path)
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("plain")
        plain = life.seen()
    assert holding(tmp_path, SECRET) == {"wfx.db"}
    assert 'sealed with the key "one" now' in done(wfx(tmp_path, "rekey", **sealing("one")))
    assert holding(tmp_path, SECRET) == set()
    service.environment = sealing("one")
    with service:
        assert life.seen() == plain
        life.live("sealed")
        once = life.seen()
        assert once[0] == plain[0]
        found = [life.north.get(f"{BASE}/jobs/{job}").json()["status"]["definitionHash"] for job in life.jobs]
        assert len(set(found)) == 1
        done(wfx(tmp_path, "backup", "backup.db"))
        assert holding(tmp_path, SECRET) == set()
        assert "is sound" in done(wfx(tmp_path, "check", **keys("one")))
    assert holding(tmp_path, "one\0") == {"wfx.db", "backup.db"}
    service.environment = sealing("two", "one")
    with service:
        assert life.seen() == once
        life.live("rotated")
        rotated = life.seen()
        assert "two\0" in (tmp_path / "wfx.db-wal").read_bytes().decode(errors="replace")
    (tmp_path / "backup.db").unlink()
    with service:
        done(wfx(tmp_path, "rekey", **sealing("two", "one")))
        assert life.seen() == rotated
        assert holding(tmp_path, "one\0") == set()
    service.environment = sealing("two")
    with service:
        assert life.seen() == rotated
    assert holding(tmp_path, SECRET) == set()
    assert SECRET not in "".join(service.lines)


@pytest.fixture
def sealed(tmp_path: Path) -> LocalService:
    """A service that has stopped, with a job that was sealed with a key."""
    service = LocalService(tmp_path, environment=sealing("one"))
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("sealed")
    return service


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"WFX_ENCRYPTION_KEYS": "one:" + "A" * 42 + "=="}, 'the key "one" has 31 bytes, and not 32'),
        ({"WFX_ENCRYPTION_KEYS": keys("one")["WFX_ENCRYPTION_KEYS"] + ",one:" + "A" * 43 + "="}, "two keys have"),
        ({"WFX_ENABLE_ENCRYPTION": "true"}, "enable-encryption needs a key"),
        ({"WFX_ENCRYPT_SENSITIVE_DATA": "true"}, "enable-encryption needs a key"),
        ({"WFX_ENCRYPTION_KEYS_FILE": "nothing"}, "nothing cannot be read"),
        ({**keys("one"), "WFX_ENCRYPTION_KEYS_FILE": "nothing"}, "give them in one of both"),
    ],
)
def test_keys_that_are_none_end_the_start(tmp_path: Path, environment: dict[str, str], reason: str) -> None:
    """A key that is short, there twice or not there ends the start with 1, before a store is made."""
    shown = wfx(tmp_path, "--client-port=0", "--mgmt-port=0", **environment)
    assert shown.returncode == 1
    assert reason in shown.stderr, shown.stderr
    assert "A" * 20 not in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "wfx.db").exists()
    assert wfx(tmp_path, "check", **environment).returncode == 1


def test_a_damaged_value_is_named(sealed: LocalService) -> None:
    """`wfx check` names a sealed value that was changed, reading it is an error, and other jobs are as before."""
    path = sealed.folder / "wfx.db"
    with closing(sqlite3.connect(path)) as plain, plain:
        number, job, status = plain.execute("SELECT number, id, status FROM job ORDER BY number LIMIT 1").fetchone()
        (other,) = plain.execute("SELECT id FROM job ORDER BY number DESC LIMIT 1").fetchone()
        plain.execute("UPDATE job SET status = ? WHERE number = ?", (status[:-1] + b"?", number))
    shown = wfx(sealed.folder, "check", **keys("one"))
    assert shown.returncode == 1
    assert f"sealed_value: job {number}: expected a status that its key opens; found a sealed value of" in shown.stdout
    shown = wfx(sealed.folder, "export", "-", **keys("one"))
    assert (shown.returncode, "Traceback" in shown.stderr) == (1, False)
    assert f"a sealed value of job.status of {job} cannot be opened" in shown.stderr
    shown = wfx(sealed.folder, "rekey", **sealing("two", "one"))
    assert shown.returncode == 1
    assert "rows that cannot be opened were left as they are: 1" in shown.stderr
    sealed.environment = sealing("two", "one")
    with sealed:
        for side in (sealed.north, sealed.south):
            refused = httpx.get(f"{side}{BASE}/jobs/{job}")
            assert refused.status_code == 503
            assert "cannot be opened: it is damaged" in refused.text
        refused = httpx.put(f"{sealed.south}{BASE}/jobs/{job}/status", json={"state": "DONE"})
        assert refused.status_code == 503
        done_well = httpx.put(f"{sealed.south}{BASE}/jobs/{other}/status", json={"state": "RUN"})
        assert done_well.status_code == 200
        assert httpx.get(f"{sealed.north}{BASE}/jobs/{other}").status_code == 200
    assert "Traceback" not in "".join(sealed.lines)


def test_moving(sealed: LocalService) -> None:
    """An export is plain, an import seals with the keys it is given, and both ways lead to the same store."""
    folder = sealed.folder
    done(wfx(folder, "export", "plain.jsonl", **keys("one")))
    assert SECRET in (folder / "plain.jsonl").read_text()
    done(wfx(folder, "import", "--storage-opt=a.db", "plain.jsonl", **sealing("two")))
    done(wfx(folder, "import", "--storage-opt=b.db", "wfx.db", **sealing("two", "one")))
    done(wfx(folder, "import", "--storage-opt=c.db", "wfx.db", **keys("one")))
    assert holding(folder, SECRET) == {"plain.jsonl", "c.db"}
    assert holding(folder, "two\0") == {"a.db", "b.db"}
    for name, given in (("a", keys("two")), ("b", keys("two")), ("c", {})):
        again = done(wfx(folder, "export", f"--storage-opt={name}.db", "-", **given)).splitlines()
        assert again[1:-1] == (folder / "plain.jsonl").read_text().splitlines()[1:-1]
    refused = wfx(folder, "import", "--storage-opt=d.db", "wfx.db", **sealing("two"))
    assert refused.returncode == 1
    assert 'sealed with the key "one"' in refused.stderr


def test_what_was_deleted_before_is_gone_from_the_file(tmp_path: Path) -> None:
    """Without a server `wfx rekey` leaves nothing behind in free pages; beside one it says what may be left."""
    service = LocalService(tmp_path)
    with service:
        life = Life.on(service)
        life.workflow()
        life.live("plain")
    with closing(sqlite3.connect(tmp_path / "wfx.db")) as plain:
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("CREATE TABLE gone (text)")
        plain.executemany("INSERT INTO gone VALUES (?)", [("deleted " * 900,)] * 20)
        plain.commit()
        plain.execute("DROP TABLE gone")
        plain.commit()
    assert holding(tmp_path, "deleted deleted") == {"wfx.db"}
    service.environment = sealing("one")
    with service:
        assert "free pages may hold values" in done(wfx(tmp_path, "rekey", **sealing("one")))
        assert holding(tmp_path, SECRET) == set()
    assert "free pages" not in done(wfx(tmp_path, "rekey", **sealing("one")))
    assert holding(tmp_path, "deleted deleted") == set()


def test_keys_stay_in_the_service(tmp_path: Path) -> None:
    """Neither a core file nor a plugin gets the keys: there are no core files, and plugins have no variable of them."""
    plugins = tmp_path / "plugins"
    plugins.mkdir(mode=0o755)
    program = plugins / "cat"
    program.write_text("#!/bin/sh\nenv > ../environment\nexec cat\n".replace("..", str(tmp_path)))
    program.chmod(0o755)
    given = {**sealing("one"), "OTHER": "x"}
    service = LocalService(tmp_path, f"--mgmt-plugins-dir={plugins}", environment=given)
    with service:
        assert service.process is not None
        limits = Path(f"/proc/{service.process.pid}/limits").read_text()
        assert next(line for line in limits.splitlines() if line.startswith("Max core")).split()[4] == "0"
        found = (tmp_path / "environment").read_text()
    assert "OTHER=x" in found
    assert "WFX_ENABLE_ENCRYPTION" in found
    assert "WFX_ENCRYPTION_KEYS" not in found
