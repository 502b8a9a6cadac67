"""Limit of the requests of each address: which count, what is answered, and what is remembered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.clock import Clock
from tests.tuned import tuned
from wfx.api.rate_limit import Buckets, RateLimit
from wfx.api.rate_limit.policy import NEVER_LIMITED
from wfx.api.reply import Reply
from wfx.config.tunables import Holder, Tunables
from wfx.limits.asks import Asks, LimitScope, Shortage
from wfx.limits.memory import MOST, MemoryBuckets
from wfx.request_context import Side

NOON = 1_800_000_000.25


class Limited:
    """An app that always answers 204, behind the limit."""

    def __init__(self, side: Side = Side.NORTH, buckets: Buckets | None = None, **settings: Any) -> None:
        """Limit by these settings."""
        self.clock = Clock()
        self.buckets = buckets or MemoryBuckets(lambda: int(self.clock.now * 1000))
        self.tunables: Holder[Tunables] = tuned(rate_limit_enabled=True, **settings)
        self.refused: list[Any] = []
        self.reached = 0
        self._app = RateLimit(
            self._answer,
            side,
            self.tunables,
            self.buckets,
            self.refused.append,
            now=lambda: NOON + self.clock.now - 1000,
        )

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        self.reached += 1
        await Reply(204)(scope, receive, send)

    async def ask(self, peer: str | None = "192.0.2.1", path: str = "/api/wfx/v1/jobs") -> tuple[int, dict[str, str]]:
        """Send a request; returns status and fields of the answer, and its body as the field ``body``."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise AssertionError("nothing of a body is read")

        scope = {"type": "http", "raw_path": path.encode(), "client": (peer, 4711) if peer else None}
        await self._app(scope, receive, send)
        fields = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], {**fields, "body": sent[1]["body"].decode()}

    async def passed(self, number: int, *args: Any) -> int:
        """Send so many requests; returns how many passed."""
        return sum([(await self.ask(*args))[0] == 204 for _ in range(number)])


async def test_the_request_after_the_last() -> None:
    """The 101st of the first minute is answered with 429, tells when to come back, and reaches nothing behind."""
    limited = Limited()
    assert await limited.passed(99) == 99
    limited.clock.now += 17.5
    assert await limited.ask() == (204, {"body": ""})
    status, fields = await limited.ask()
    assert (status, limited.reached, len(limited.refused)) == (429, 100, 1)
    assert fields == {
        "retry-after": "43",
        "x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000061",
        "content-type": "application/json", "content-length": str(len(fields["body"])),
        "body": '{"errors":[{"code":"wfx.tooManyRequests","logref":"7c1e90d25ab84f36b0e3d4f8a6915c27",'
        '"message":"too many requests from 192.0.2.1: 100 are allowed, try again in 43 s"}]}\n',
    }  # fmt: skip


async def test_filled_up_exactly() -> None:
    """When the minute is over, and not before, 100 more pass."""
    limited = Limited()
    assert await limited.passed(150) == 100
    limited.clock.now += 59.99
    assert await limited.passed(10) == 0
    limited.clock.now = 1060.0
    assert await limited.passed(150) == 100


async def test_who_waits_as_told_is_let_in() -> None:
    """A client that comes back after the seconds of Retry-After passes."""
    limited = Limited(ip_rate_limit=1)
    assert await limited.passed(1) == 1
    limited.clock.now += 0.3
    _, fields = await limited.ask()
    limited.clock.now += int(fields["retry-after"])
    assert await limited.passed(1) == 1


async def test_each_address_has_its_own() -> None:
    """Another IPv4 address is not held up; the same one in its IPv6 form is the same."""
    limited = Limited(ip_rate_limit=2)
    assert await limited.passed(3, "192.0.2.1") == 2
    assert await limited.passed(3, "192.0.2.2") == 2
    assert await limited.passed(3, "::ffff:192.0.2.2") == 0


async def test_an_ipv6_network_counts_as_one() -> None:
    """All addresses of a network of 64 bits use one bucket; another network, and each neighbour, has its own."""
    limited = Limited(ip_rate_limit=2)
    assert await limited.passed(1, "2001:db8:0:1::1") == 1
    assert await limited.passed(1, "2001:db8:0:1:ffff::2") == 1
    status, fields = await limited.ask("2001:db8:0:1:1:2:3:4")
    assert status == 429
    assert "from 2001:db8:0:1::/64:" in fields["body"]
    assert await limited.passed(3, "2001:db8:0:2::1") == 2
    assert await limited.passed(3, "fe80::1") == 2
    assert await limited.passed(3, "fe80::2") == 2


async def test_peers_without_an_address() -> None:
    """Who connects to a Unix socket is not limited: the permissions of the file say who that may be."""
    limited = Limited(ip_rate_limit=1)
    assert await limited.passed(10, None) == 10


async def test_excluded_addresses() -> None:
    """Addresses and networks that are excluded are not limited, also if a listener on IPv6 shows them otherwise."""
    limited = Limited(ip_rate_limit=1, rate_limit_excluded_ips=("10.0.0.0/8", "2001:db8::7"))
    for peer in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"):
        assert await limited.passed(3, peer) == 3
    for peer in ("11.1.2.3", "2001:db8::8"):
        assert await limited.passed(3, peer) == 1


@pytest.mark.parametrize("listed", ["::ffff:127.0.0.60", "::ffff:127.0.0.0/104"])
async def test_excluded_addresses_in_the_form_of_ipv6(listed: str) -> None:
    """An address of IPv4 may be excluded in the form in which a listener on IPv6 shows it."""
    limited = Limited(ip_rate_limit=1, rate_limit_excluded_ips=(listed,))
    for peer in ("127.0.0.60", "::ffff:127.0.0.60"):
        assert await limited.passed(3, peer) == 3
    assert await limited.passed(3, "128.0.0.60") == 1


async def test_excluded_paths() -> None:
    """A path that is excluded is not limited, and neither is what is below it; others that begin alike are."""
    limited = Limited(ip_rate_limit=1, rate_limit_excluded_paths=("/download", "/ui/"))
    for path in ("/download", "/download/", "/download/a/b.bin", "/ui/", "/ui/index.html"):
        assert await limited.passed(3, "192.0.2.1", path) == 3
    assert await limited.passed(3, "192.0.2.1", "/downloads") == 1


@pytest.mark.parametrize("path", ["/health", "/api/wfx/v1/health"])
async def test_health(path: str) -> None:
    """Health is never limited, and does not count."""
    limited = Limited(ip_rate_limit=1)
    assert await limited.passed(3, "192.0.2.1", path) == 3
    assert await limited.passed(3) == 1
    assert await limited.passed(3, "192.0.2.1", path) == 3


def test_the_guide() -> None:
    """The guide names the paths that are never limited, and how many addresses are remembered."""
    guide = (Path(__file__).parents[2] / "docs" / "rate-limit.md").read_text(encoding="utf-8")
    assert ", ".join(f"`{path.decode()}`" for path in (*sorted(NEVER_LIMITED)[1:], min(NEVER_LIMITED))) in guide
    assert f"at most {MOST:,} addresses are remembered" in guide


async def test_devices_are_not_limited_unless_asked_for() -> None:
    """The limit is for the northbound side by default: devices often share the address of a router."""
    assert await Limited(Side.SOUTH, ip_rate_limit=1).passed(3) == 3
    assert await Limited(Side.NORTH, ip_rate_limit=1).passed(3) == 1
    assert await Limited(Side.SOUTH, ip_rate_limit=1, rate_limit_sides=("north", "south")).passed(3) == 1


async def test_sides() -> None:
    """The limit may be for one side only, and a server without it answers as before."""
    assert await Limited(Side.SOUTH, ip_rate_limit=1, rate_limit_sides=("south",)).passed(3) == 1
    assert await Limited(Side.NORTH, ip_rate_limit=1, rate_limit_sides=("south",)).passed(3) == 3
    limited = Limited(Side.NORTH, ip_rate_limit=1)
    limited.tunables.replace(tuned(rate_limit_enabled=False).current)
    status, fields = await limited.ask()
    assert (status, fields) == (204, {"body": ""})


class Elsewhere:
    """Buckets that are asked for over a network."""

    def __init__(self, wait: int | None) -> None:
        """Always give this answer."""
        self._shortage = None if wait is None else Shortage(wait, LimitScope.ADDRESS)

    async def take(self, asks: Asks) -> Shortage | None:  # noqa: ARG002
        """Answer later."""
        await asyncio.sleep(0)
        return self._shortage


@pytest.mark.parametrize(("wait", "status"), [(None, 204), (0, 429), (2500, 429)])
async def test_buckets_elsewhere(wait: int | None, status: int) -> None:
    """Buckets may be kept where one has to wait for an answer."""
    assert (await Limited(buckets=Elsewhere(wait)).ask())[0] == status
