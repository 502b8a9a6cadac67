"""A service that encrypts what it stores in a file, and the commands beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.protection.life import BASE, SECRET, Life, done, holding, keys, sealing, wfx, with_secret
from wfx.demo.local import LocalService


def test_acceptance_13(tmp_path: Path) -> None:
    """Row 13: answers and hashes are the same, no file has the secret, and keys are changed under a live store."""
    service = LocalService(tmp_path, environment={})
    with service:
        life = Life(service)
        life.workflow()
        life.live("plain")
        plain = life.seen()
    assert with_secret(tmp_path) == {"wfx.db"}
    assert 'sealed with the key "one" now' in done(wfx(tmp_path, "rekey", **sealing("one")))
    assert with_secret(tmp_path) == set()
    service.environment = sealing("one")
    with service:
        assert life.seen() == plain
        life.live("sealed")
        once = life.seen()
        assert once[0] == plain[0]
        hashes = {
            httpx.get(f"{service.north}{BASE}/jobs/{job}").json()["status"]["definitionHash"] for job in life.jobs
        }
        assert len(hashes) == 1
        done(wfx(tmp_path, "backup", "backup.db"))
        assert with_secret(tmp_path) == set()
        assert "is sound" in done(wfx(tmp_path, "check", **keys("one")))
    assert holding(tmp_path, "one\0") == {"wfx.db", "backup.db"}
    service.environment = sealing("two", "one")
    with service:
        assert life.seen() == once
        life.live("rotated")
        rotated = life.seen()
    assert holding(tmp_path, "two\0") == {"wfx.db"}
    (tmp_path / "backup.db").unlink()
    service.environment = sealing("two", "one")
    with service:
        done(wfx(tmp_path, "rekey", **sealing("two", "one")))
        assert life.seen() == rotated
    service.environment = sealing("two")
    with service:
        assert life.seen() == rotated
    done(wfx(tmp_path, "rekey", **sealing("two")))
    assert holding(tmp_path, "one\0") == set()
    assert holding(tmp_path, SECRET) == set()
    assert SECRET not in "".join(service.lines)


@pytest.mark.parametrize("log_format", ["json", "pretty", "logfmt"])
def test_logs_do_not_have_the_secret(tmp_path: Path, log_format: str) -> None:
    """No form of the log has what devices and operators have written, at any level."""
    log = tmp_path / "log"
    service = LocalService(tmp_path, "--log-level=trace", environment=sealing("one"))
    assert log_format
    with service:
        life = Life(service)
        life.workflow()
        life.live("logged")
    assert SECRET not in "".join(service.lines)
