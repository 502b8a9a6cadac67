"""Two releases at once on one database, under load: the one under test beside the one before, and beside a next one."""

from __future__ import annotations

import asyncio
import random
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from postgres_server import Postgres
from waiting import eventually

from tests.acceptance.clients import create_workflow
from tests.acceptance.cluster.episode import find_unsound, service_of, stop_in_order, tracebacks
from tests.acceptance.cluster.releases import (
    CONTRACTING,
    EXPANDING,
    NEXT,
    THIS,
    environment_of,
    newest_step,
    next_release,
    release_before,
)
from tests.acceptance.cluster.troubles import Cluster
from tests.acceptance.cluster.verdict import wrongs
from tests.acceptance.cluster.working import working
from tests.store.postgres_schemas import schemas

_IS_CHANGING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '-- oldest program%'"
SEED = random.randrange(10**9)


@pytest.fixture
def option(postgres: Postgres, database: str, tmp_path: Path) -> str:
    """The storage option of an empty schema."""
    return schemas(postgres, database)(tmp_path)


class Upgrade:
    """Two services of one database, which go from release to release while clients work."""

    def __init__(self, cluster: Cluster) -> None:
        """Begin with the older release."""
        self.cluster = cluster

    async def replace(self, server: int, release: Path, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop a server, and start it again with another release; the other one goes on meanwhile."""
        service = self.cluster.services[server]
        await asyncio.to_thread(service.stop, how)
        await self.cluster.more(20, [1 - server])
        service.environment = environment_of(release)
        await asyncio.to_thread(service.start)
        await self.cluster.more(20, [0])
        await self.cluster.more(20, [1])


@pytest.fixture(params=["the one before and this", "this and a next one"])
def releases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """An older and a newer release."""
    if request.param == "this and a next one":
        return THIS, next_release(tmp_path / "next", EXPANDING)
    return release_before(tmp_path / "before"), THIS


@pytest.mark.timeout(600)
async def test_two_releases_work_on_one_database(
    postgres: Postgres, option: str, tmp_path: Path, releases: tuple[Path, Path]
) -> None:
    """Row 7: a release that adds to the tables does so under load; servers of it and of the one before work together.

    Nothing that was confirmed is lost, and both show the same; also when a server of the release before comes back.
    """
    older, newer = releases
    services = [service_of(tmp_path / f"server-{number}", option) for number in range(2)]
    for service in services:
        service.environment = environment_of(older)
    with services[0], services[1]:
        await create_workflow(services[0].north)
        upgrade = Upgrade(Cluster(services, (), postgres))
        async with working(services, upgrade.cluster.notes, SEED) as work:
            await upgrade.replace(0, newer)
            await upgrade.replace(1, older, signal.SIGKILL)  # it crashes, and finds the new tables
            await upgrade.replace(0, older)  # something else is wrong with the release
            await upgrade.replace(1, newer)
            await upgrade.replace(0, newer)
        await stop_in_order(services)
    found = [*wrongs(work.evidence), *await find_unsound(option, environment_of(newer)), *tracebacks(services)]
    assert found == [], f"seed {SEED}"
    last = newest_step(newer)
    assert last == newest_step(older) or any(
        "database migrated" in line and f'"to": {last}' in line for line in services[0].lines
    )


def test_an_upgrade_is_killed(postgres: Postgres, option: str, tmp_path: Path) -> None:
    """Row 7: a server that is killed while it changes the tables leaves nothing half done; the next start does it."""
    slow = next_release(tmp_path / "slow", f"{EXPANDING}\nSELECT pg_sleep(2);")
    service = service_of(tmp_path / "server", option)
    with service:
        assert httpx.get(f"{service.north}/readyz").status_code == 200
    service.environment = environment_of(slow)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(service.start)
        eventually(lambda: postgres.sql(_IS_CHANGING) == ["t"], "the tables are being changed")
        assert service.process is not None
        service.process.kill()
        with pytest.raises(RuntimeError, match="ended at start"):
            starting.result(60)
    assert service.stop() == -signal.SIGKILL
    for release in (THIS, slow, THIS):
        service.environment = environment_of(release)
        with service:
            assert httpx.get(f"{service.north}/readyz").status_code == 200
    assert [sum("database migrated" in line for line in service.lines)] == [1]
    assert asyncio.run(find_unsound(option, environment_of(slow))) == []


def test_what_older_releases_need_is_taken_away_later(option: str, tmp_path: Path) -> None:
    """Once a release takes away what older ones use, those do not start any more and say why; the one before does."""
    last, before = next_release(tmp_path / "last", EXPANDING, CONTRACTING), next_release(tmp_path / "before", EXPANDING)
    service = service_of(tmp_path / "server", option)
    for release in (last, before):
        service.environment = environment_of(release)
        with service:
            assert httpx.get(f"{service.north}/readyz").status_code == 200
    service.environment = environment_of(THIS)
    with pytest.raises(RuntimeError, match=f"which needs a program that knows {NEXT} at least"):
        service.start()
    assert service.stop() == 1
