"""Devices across restarts and crashes, and on several servers."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
from postgres_server import Postgres
from waiting import eventually

from tests.acceptance.clients import BASE
from tests.acceptance.cluster.episode import service_of
from wfx.api.problems import PREFIX
from wfx.demo.local import LocalService


def poll(service: LocalService, client_id: str, version: str = "") -> None:
    """Ask for a device's jobs, as the device does."""
    headers = {"X-Client-Version": version} if version else {}
    httpx.get(f"{service.south}{BASE}/jobs", params={"clientId": client_id}, headers=headers).raise_for_status()


def device(service: LocalService, client_id: str) -> dict[str, Any]:
    """Return what a server shows of a device; nothing if it knows none."""
    answer = httpx.get(f"{service.north}{PREFIX}/devices/{client_id}")
    shown: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return shown


def label(service: LocalService, client_id: str, *labels: str) -> None:
    """Mark a device."""
    path = f"{service.north}{PREFIX}/devices/{client_id}/attributes"
    httpx.put(path, json={"labels": labels}).raise_for_status()


def test_an_orderly_end_loses_nothing(tmp_path: Path) -> None:
    """What devices did until a server was told to end is known to the next one."""
    with LocalService(tmp_path) as service:
        poll(service, "a", "SW 1")
    with LocalService(tmp_path) as service:
        assert device(service, "a")["version"] == "SW 1"


def test_a_crash_loses_seconds(tmp_path: Path) -> None:
    """What was shown before a crash is there after it, and what operators said; signs just before it may be lost."""
    with LocalService(tmp_path) as service:
        poll(service, "a", "SW 1")
        eventually(lambda: device(service, "a"), "the sign is written")
        label(service, "b", "canary")
        before = [device(service, "a"), device(service, "b")]
        poll(service, "a", "SW 2")
        service.stop(signal.SIGKILL)
    with LocalService(tmp_path) as service:
        after = [device(service, "a"), device(service, "b")]
        assert after[1] == before[1]
        assert after[0]["firstSeen"] == before[0]["firstSeen"]
        assert after[0]["lastSeen"] >= before[0]["lastSeen"]
        poll(service, "a", "SW 3")
        eventually(lambda: device(service, "a")["version"] == "SW 3", "signs are noted again")


def test_several_servers_know_the_same(postgres: Postgres, tmp_path: Path) -> None:
    """What either of two servers of a database is told both show, and the latest sign counts whichever noted it."""
    with postgres.database() as name:
        option = postgres.conninfo(name)
        services = [service_of(tmp_path / f"server-{number}", option) for number in range(2)]
        with services[0] as one, services[1] as other:
            for number in range(20):
                poll(one, f"d{number}", "SW 1")
                poll(other, f"d{number}", "SW 2")
            label(one, "d0", "canary")
            eventually(
                lambda: all(device(one, f"d{n}").get("version") == "SW 2" for n in range(20)), "the latest signs count"
            )
            assert all(device(other, f"d{n}") == device(one, f"d{n}") for n in range(20))
            assert device(other, "d0")["labels"] == ["canary"]
