"""What is done to two servers and their PostgreSQL while clients work: one after the other, drawn from a seed."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from postgres_server import Postgres

from tests.acceptance.cluster.cutting import Cut, Proxy
from tests.acceptance.cluster.recording import Notes
from tests.waiting import until
from wfx.demo.local import LocalService

Result = TypeVar("Result")
_STARTS = 40
"""How often to start a server that does not find PostgreSQL."""
_KILL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wfx' AND random() < {share}"
_KILL_LISTENERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE 'SELECT head %'"
)


@dataclass
class Cluster:
    """Two servers, each behind its own way to the one PostgreSQL."""

    services: Sequence[LocalService]
    proxies: Sequence[Proxy]
    postgres: Postgres
    notes: Notes = field(default_factory=Notes)
    away: set[int] = field(default_factory=set)
    """Servers that were killed and do not serve again yet."""
    done: Counter[str] = field(default_factory=Counter)
    """How often each trouble was made."""
    trace: list[str] = field(default_factory=list)
    """What was done, and when."""

    async def more(self, count: int, servers: Sequence[int]) -> None:
        """Wait until these servers have confirmed so many more changes, all together."""

        def confirmed() -> int:
            return sum(self.notes.acknowledged[server] for server in servers)

        enough = confirmed() + count
        await until(lambda: confirmed() >= enough, f"{count} more changes by the servers {[*servers]}")

    def note(self, what: str) -> None:
        """Write down what is done now."""
        self.trace.append(f"{time.monotonic():.2f} {what}")


class Troubles:
    """Makes one trouble after the other."""

    def __init__(self, cluster: Cluster, kinds: Mapping[str, int], seed: str) -> None:
        """Make troubles of these kinds; the numbers say how likely each is."""
        self._cluster = cluster
        self._kinds = kinds
        self._chance = random.Random(seed)

    async def make(self, count: int) -> None:
        """Make so many troubles, each kind once at least."""
        kinds, chance, cluster = self._kinds, self._chance, self._cluster
        wanted = [*kinds, *chance.choices([*kinds], [*kinds.values()], k=count - len(kinds))]
        chance.shuffle(wanted)
        for kind in wanted:
            await cluster.more(self._a_few(), range(len(cluster.services)))
            server = chance.randrange(len(cluster.services))
            cluster.note(f"{kind}, server {server}")
            await TROUBLES[kind](self, server)
            cluster.note(f"{kind}, server {server}: done")
            cluster.done[kind] += 1

    async def kill(self, server: int) -> None:
        """Kill a server; the other goes on meanwhile."""
        self._cluster.away.add(server)
        await _to_the_end(self._cluster.services[server].stop, signal.SIGKILL)
        await self._others_go_on(server)
        await self._start(server)

    async def kill_both(self, _: int) -> None:
        """Kill both servers at once."""
        self._cluster.away.update(range(len(self._cluster.services)))
        for service in self._cluster.services:
            assert service.process is not None
            service.process.kill()
        for service in self._cluster.services:
            await _to_the_end(service.stop, signal.SIGKILL)
        await asyncio.gather(*(self._start(server) for server in range(len(self._cluster.services))))

    async def halt(self, server: int) -> None:
        """Let a server stand still in the middle of whatever it does; the other goes on meanwhile."""
        process = self._cluster.services[server].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        try:
            await self._others_go_on(server)
        finally:
            process.send_signal(signal.SIGCONT)

    async def break_down(self, _: int) -> None:
        """Stop PostgreSQL without any order, and start it again, now or after some requests were refused.

        That is not waited for where no server is left to refuse any: none starts without PostgreSQL.
        """
        cluster, notes, postgres = self._cluster, self._cluster.notes, self._cluster.postgres
        refused = notes.unavailable + self._chance.choice((0, 5, 20))
        await _to_the_end(postgres.stop, "immediate")
        try:
            await until(
                lambda: notes.unavailable >= refused or len(cluster.away) == len(cluster.services),
                "requests are refused while PostgreSQL is down",
            )
        finally:
            await _to_the_end(postgres.start)

    async def end_connections(self, _: int) -> None:
        """End some of the connections, or those that listen, whatever they do."""
        text = self._chance.choice((_KILL.format(share=0.3), _KILL.format(share=1), _KILL_LISTENERS))
        await _to_the_end(self._cluster.postgres.sql, text)

    async def cut(self, cut: Cut, server: int) -> None:
        """Break the connection over which the next change is sent."""
        proxy = self._cluster.proxies[server]
        proxy.cut(cut)
        await until(lambda: not proxy.waits, f"a change comes to server {server}, to be cut: {cut.value}")

    async def _start(self, server: int) -> None:
        """Start a server that has ended, as a service manager does: again if PostgreSQL is not there."""
        for attempt in range(1, _STARTS + 1):
            try:
                await _to_the_end(self._cluster.services[server].start)
            except RuntimeError:
                await _to_the_end(self._cluster.services[server].stop)
                if attempt == _STARTS:
                    raise
            else:
                self._cluster.away.discard(server)
                return

    async def _others_go_on(self, server: int) -> None:
        others = [other for other in range(len(self._cluster.services)) if other != server]
        await self._cluster.more(self._a_few(), others)

    def _a_few(self) -> int:
        return self._chance.randrange(5, 60)


async def _to_the_end(act: Callable[..., Result], *args: object) -> Result:
    """Call in a thread, which is waited for also if nobody wants to know any longer."""
    task = asyncio.ensure_future(asyncio.to_thread(act, *args))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _cutting(cut: Cut) -> Callable[[Troubles, int], Awaitable[None]]:
    return lambda troubles, server: troubles.cut(cut, server)


OF_SERVERS = {"kill": 4, "halt": 4, "kill both": 1}
_QUICK = [cut for cut in Cut if cut is not Cut.SILENCE]
OF_POSTGRES = {"break down": 2, "end connections": 3, **{f"cut {cut.name}": 2 for cut in _QUICK}}
SLOW = {"cut SILENCE": 1}
"""What a server notices only when it has waited for long."""
TROUBLES: Mapping[str, Callable[[Troubles, int], Awaitable[None]]] = {
    "kill": Troubles.kill,
    "kill both": Troubles.kill_both,
    "halt": Troubles.halt,
    "break down": Troubles.break_down,
    "end connections": Troubles.end_connections,
    **{f"cut {cut.name}": _cutting(cut) for cut in Cut},
}
