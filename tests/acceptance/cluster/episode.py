"""Two servers on a database of their own, their clients and their troubles; and in the end a verdict on all of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from postgres_server import Postgres

from tests.acceptance.clients import create_workflow
from tests.acceptance.cluster.cutting import Proxy
from tests.acceptance.cluster.recording import MARKER
from tests.acceptance.cluster.troubles import OF_POSTGRES, OF_SERVERS, SLOW, Cluster, Troubles
from tests.acceptance.cluster.verdict import wrongs
from tests.acceptance.cluster.working import Work, working
from tests.store.postgres_schemas import unsound
from wfx.demo.local import LocalService

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Outcome:
    """What an episode came to."""

    cluster: Cluster
    work: Work

    def __str__(self) -> str:
        """Tell it in a line."""
        counts = ", ".join(f"{outcome.value} {count}" for outcome, count in self.cluster.notes.outcomes.items())
        troubles = ", ".join(f"{kind} {count}" for kind, count in sorted(self.cluster.done.items()))
        evidence = self.work.evidence
        seen = f"events {len(evidence.logs['server 0'])}; reads {len(evidence.reads)}"
        return f"{seen}; changes: {counts}; troubles: {troubles}"


async def live(
    seed: int, postgres: Postgres, folder: Path, *, of_servers: int, of_postgres: int, slow: bool = False
) -> Outcome:
    """Live an episode with so many troubles, also ``slow`` ones.

    Raises AssertionError with all that is wrong, and the seed.
    """
    cluster = None
    try:
        with postgres.database() as database:
            option = postgres.conninfo(database, sslmode="disable")
            async with _started(seed, postgres, option, folder) as cluster:
                async with working(cluster.services, cluster.notes, seed) as work:
                    await asyncio.gather(
                        Troubles(cluster, OF_SERVERS, f"{seed}.servers").make(of_servers),
                        Troubles(cluster, OF_POSTGRES | (SLOW if slow else {}), f"{seed}.postgres").make(of_postgres),
                    )
                await stop_in_order(cluster.services)
            found = [*wrongs(work.evidence), *await find_unsound(option), *tracebacks(cluster.services)]
        assert found == [], "\n".join(found[:50])
    except BaseException as exc:
        exc.add_note(f'seed {seed}; once more: make crash-cluster ARGS="--seed {seed}"')
        for line in [] if cluster is None else cluster.trace:
            exc.add_note(line)
        raise
    return Outcome(cluster, work)


@asynccontextmanager
async def _started(seed: int, postgres: Postgres, option: str, folder: Path) -> AsyncIterator[Cluster]:
    """Start two servers, each with its proxy before PostgreSQL."""
    async with AsyncExitStack() as stack:
        services, proxies = [], []
        for number in range(2):
            proxies.append(Proxy(postgres.port, MARKER.encode(), random.Random(f"{seed}.proxy.{number}")))
            port = await stack.enter_async_context(proxies[-1].running())
            services.append(service_of(folder / f"server-{number}", f"{option} port={port}"))
            stack.push(services[-1].__exit__)
        await asyncio.gather(*(asyncio.to_thread(service.start) for service in services))
        await create_workflow(services[0].north)
        yield Cluster(services, proxies, postgres)


def service_of(folder: Path, option: str) -> LocalService:
    """Make a server of this database that works in a folder of its own."""
    folder.mkdir(parents=True)
    return LocalService(folder, "--storage=postgres", f"--storage-opt={option}")


async def stop_in_order(services: Sequence[LocalService]) -> None:
    """Stop servers as a service manager does."""
    for service in services:
        assert await asyncio.to_thread(service.stop, signal.SIGTERM) == 0, "the server ends in order"


async def find_unsound(option: str, environment: Mapping[str, str] = _NOTHING) -> list[str]:
    """Ask our own check, that of another release if the environment says so, and a second one whether all is sound."""
    words = [sys.executable, "-m", "wfx", "check", "--storage=postgres", f"--storage-opt={option}"]
    ran = await asyncio.to_thread(
        subprocess.run, words, capture_output=True, text=True, timeout=300, check=False, cwd="/",
        env={**os.environ, **environment},
    )  # fmt: skip
    found = [] if ran.returncode == 0 else [f"wfx check: {ran.stdout}{ran.stderr}"]
    # A killed server leaves its row in the table of writers.
    return found + [each for each in await unsound(option) if each != "writers that are gone"]


def tracebacks(services: Sequence[LocalService]) -> list[str]:
    """Find errors of the program in the logs of the servers, with the lines behind each."""
    return [
        "\n".join(service.lines[number : number + 80])
        for service in services
        for number, line in enumerate(service.lines)
        if "Traceback" in line
    ]
