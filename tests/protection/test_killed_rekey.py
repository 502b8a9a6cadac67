"""`wfx rekey` that is killed in the middle of its work, beside writers, and called again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx

from tests.maintenance.many_records import dump_of
from tests.protection.life import BASE, done, keys, sealing, wfx
from tests.protection.stores import in_file
from wfx.demo.local import LocalService

JOBS = 600
KILLED = """
import os, sys
from wfx.cli import main
from wfx.protection.sealing import Sealing

left = int(sys.argv[1])

def killed(seal):
    def sealed(*given):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), 9)
        return seal(*given)
    return sealed

Sealing.seal, Sealing.seal_text = killed(Sealing.seal), killed(Sealing.seal_text)
sys.argv = ["wfx", "rekey"]
main()
"""
"""Ends in the middle of a transaction, when so many values were sealed."""


def test_a_killed_rekey_goes_on_beside_writers(tmp_path: Path) -> None:
    """Killed whenever, and called again beside a server that writes, it leaves each value sealed, and none lost."""
    (tmp_path / "dump").write_bytes(b"".join(dump_of(JOBS)))
    done(wfx(tmp_path, "import", "dump"))
    before = done(wfx(tmp_path, "export", "-")).splitlines()
    service = LocalService(tmp_path, "--events-max-age=876000h", environment=sealing("one"))
    done(wfx(tmp_path, "check"))
    first, jobs = b"\x01one\0", [f"{number:08x}-0000-4000-8000-000000000000" for number in range(19)]
    stop = threading.Event()
    with service:
        answers: list[int] = []

        def report() -> None:
            while not stop.is_set():
                for job in jobs:
                    how = "DELETE" if len(answers) % 2 else "POST"
                    answer = httpx.request(how, f"{service.north}{BASE}/jobs/{job}/tags", json=["late"])
                    answers.append(answer.status_code)

        writer = threading.Thread(target=report)
        writer.start()
        try:
            for count in (1, 200, 800, 450):
                killed = subprocess.run(
                    [sys.executable, "-c", KILLED, str(count)], cwd=tmp_path, env={**os.environ, **sealing("one")},
                    timeout=120, check=False,
                )  # fmt: skip
                assert killed.returncode == -signal.SIGKILL
                sealed, every = in_file(tmp_path / "wfx.db", first)
                assert sealed < every
            assert sealed > 1000
            shown = done(wfx(tmp_path, "rekey", **sealing("one")))
            assert 'sealed with the key "one" now' in shown
        finally:
            stop.set()
            writer.join()
        sealed, every = in_file(tmp_path / "wfx.db", first)
        assert sealed == every
    assert set(answers) == {200}
    assert "is sound" in done(wfx(tmp_path, "check", **keys("one")))
    after = done(wfx(tmp_path, "export", "-", **keys("one"))).splitlines()
    assert len(after) >= len(before)
    assert set(before[1:-1]) - set(after) <= {line for line in before if any(job in line for job in jobs)}
