"""Proxies that are trusted to say where a request comes from, and those that are not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from rawhttp import Wire, request

from tests.composition import composed
from tests.server.everywhere import Everywhere
from tests.waiting import eventually, until
from wfx.request_context import Side
from wfx.server import proxies
from wfx.server.proxies import TrustedProxies

TRUSTED = ("10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "127.0.0.2")


def seen(peer: str | None, *headers: tuple[str, str], trusted: tuple[str, ...] = TRUSTED) -> tuple[str | None, str]:
    """The client's address and the scheme after a request from this peer."""
    scope = {
        "client": (peer, 1234) if peer else None, "scheme": "http",
        "headers": tuple((name.encode(), value.encode("latin-1")) for name, value in headers),
    }  # fmt: skip
    TrustedProxies(trusted).apply(scope)
    client = scope["client"]
    assert client is None or isinstance(client, tuple)
    return client[0] if client else None, str(scope["scheme"])


@pytest.mark.parametrize(("peer", "chain", "client"), [
    ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
    ("10.1.2.3", [], "10.1.2.3"),
    ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
    ("::ffff:10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["6.6.6.6, 198.51.100.1, 192.0.2.1, 10.9.9.9"], "198.51.100.1"),
    ("10.1.2.3", ["6.6.6.6", "198.51.100.1", "192.0.2.1"], "198.51.100.1"),
    ("10.1.2.3", ["10.0.0.1, 192.0.2.1"], "10.0.0.1"),
    ("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
    ("2001:db8::1", ["[2001:db9::7]:80"], "2001:db9::7"),
    ("2001:db8::1", ["2001:DB9::7"], "2001:db9::7"),
    ("10.1.2.3", ["::ffff:198.51.100.1"], "198.51.100.1"),
    ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"),
    ("10.1.2.3", ["198.51.100.1, unknown, 192.0.2.1"], "192.0.2.1"),
    ("10.1.2.3", ["198.51.100.1,"], "10.1.2.3"),
    ("10.1.2.3", ["198.51.100.1, " + "1" * 100_000], "10.1.2.3"),
    ("10.1.2.3", ["\xff\xfe"], "10.1.2.3"),
    ("192.0.2.2", ["198.51.100.1"], "192.0.2.2"),
    (None, ["198.51.100.1"], None),
])  # fmt: skip
def test_the_client(peer: str | None, chain: list[str], client: str | None) -> None:
    """The client is the rightmost address that is not a trusted proxy's, and never one that such an address claims."""
    assert seen(peer, *(("x-forwarded-for", value) for value in chain))[0] == client


def test_very_many_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain is followed back 32 steps, in one header or in many, and no more of it is looked at."""
    read: list[bytes] = []
    original = proxies._address
    monkeypatch.setattr(proxies, "_address", lambda entry: (read.append(entry), original(entry))[1])
    addresses = [f"10.{number // 62_500}.{number // 250 % 250}.{number % 250}" for number in range(70_000)]
    assert seen("10.1.2.3", ("x-forwarded-for", ", ".join(addresses)))[0] == addresses[-32]
    assert seen("10.1.2.3", *(("x-forwarded-for", address) for address in addresses[:100]))[0] == addresses[68]
    assert len(read) == 64


@pytest.mark.parametrize(("peer", "value", "scheme"), [
    ("10.1.2.3", "https", "https"), ("10.1.2.3", "https, http", "http"), ("10.1.2.3", "HTTPS", "https"),
    ("10.1.2.3", "javascript", "http"), ("203.0.113.9", "https", "http"),
])  # fmt: skip
def test_the_scheme(peer: str, value: str, scheme: str) -> None:
    """The scheme is what the nearest proxy says, if it is trusted and says one of two words."""
    assert seen(peer, ("x-forwarded-proto", value))[1] == scheme


@pytest.mark.parametrize("listed", ["::ffff:10.1.2.3", "::ffff:10.0.0.0/104", "::ffff:a01:203"])
def test_networks_in_the_form_of_ipv6(listed: str) -> None:
    """A proxy on IPv4 may be listed in the form in which a listener on IPv6 shows it."""
    for peer in ("10.1.2.3", "::ffff:10.1.2.3"):
        assert seen(peer, ("x-forwarded-for", "198.51.100.1"), trusted=(listed,))[0] == "198.51.100.1"
    assert seen("11.1.2.3", ("x-forwarded-for", "198.51.100.1"), trusted=(listed,))[0] == "11.1.2.3"


def test_unix_sockets() -> None:
    """Clients of Unix sockets are proxies if that is said."""
    assert seen(None, ("x-forwarded-for", "198.51.100.1"), trusted=("unix",))[0] == "198.51.100.1"
    assert seen("10.1.2.3", ("x-forwarded-for", "198.51.100.1"), trusted=("unix",))[0] == "10.1.2.3"


def test_forwarded_is_not_read() -> None:
    """Of the two ways to say it, only one is believed: a proxy passes the other on as a client has sent it."""
    assert seen("10.1.2.3", ("forwarded", "for=198.51.100.1;proto=https")) == ("10.1.2.3", "http")


def test_in_the_log(engine: str, tmp_path: Path) -> None:
    """The log and links have what a trusted proxy says, and for others the address of the connection."""
    options = (f"--http-engine={engine}", "--log-level=debug", "--trusted-proxy=127.0.0.2,unix")
    fields = ("X-Forwarded-For: 6.6.6.6, 198.51.100.1", "X-Forwarded-Proto: https")
    with Everywhere(tmp_path, "http,unix", *options) as service:
        links = []
        for address in ("127.0.0.1", "127.0.0.2"):
            with Wire(service.port("http", "south"), address=address) as wire:
                wire.send(request("GET", "/", b"", *fields))
                links.append(wire.answer().headers["link"])
        assert [link.partition(":")[0] for link in links] == ["<http", "<https"]
        with httpx.Client(transport=httpx.HTTPTransport(uds=service.socket("south"))) as client:
            client.get("http://wfx/", headers={"X-Forwarded-For": "198.51.100.2"})
        eventually(lambda: len(service.records("finished")) == 3, "three requests")
        hosts = [str(record["remoteAddr"]).rpartition(":")[0] for record in service.records("finished")]
        assert hosts == ["127.0.0.1", "198.51.100.1", "198.51.100.2"]


async def test_shares(engine: str, tmp_path: Path) -> None:
    """The memory for a body counts as that of the client behind the proxy, until the request is over."""
    fields = ("X-Forwarded-For: 198.51.100.1", "Content-Type: application/json")
    sent = request("POST", "/api/wfx/v1/workflows", b'{"name": "' + b"x" * 100_000 + b'"}', *fields)
    async with composed(tmp_path, http_engine=engine, trusted_proxy=("127.0.0.1",)) as running:
        bodies = running.parts.limits.bodies
        connection = await running.connect(Side.NORTH, sent[:60_000])
        await until(lambda: bodies.held > 50_000)
        assert list(bodies._held_by) == ["198.51.100.1"]
        connection.writer.write(sent[60_000:])
        assert (await connection.until(b"\r\n")).startswith(b"HTTP/1.1 400 ")
        await until(lambda: bodies.held == 0)
        assert not bodies._held_by
        await connection.close()
