"""The ways to a server, and the bounds of what it may answer."""

from __future__ import annotations

import gzip
import ssl
from pathlib import Path

import pytest
from wfxctl_stub import Reply, Stub

from tests.certificates import Certificates
from tests.client.conftest import QUICK, Connect
from wfx.client import (
    ONCE,
    AsyncClient,
    Client,
    NotSent,
    Retries,
    Server,
    TimedOut,
    Unreachable,
    Unreadable,
    bodies,
)

UP = b'{"status": "up"}'


def test_what_is_sent(connect: Connect) -> None:
    """Each request has the headers that were given, and nothing that was not."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=UP)
        connect(Server(f"http://127.0.0.1:{stub.port}/", headers={"Authorization": "Bearer t"})).health()
    headers = stub.one.headers
    assert stub.one.path == "/health"
    assert headers["authorization"] == "Bearer t"
    assert (headers["user-agent"], headers["accept-encoding"]) == ("wfx-client", "gzip")
    assert "cookie" not in headers
    assert "Bearer" not in repr(Server("http://x", headers={"Authorization": "Bearer t"}))


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer s3cr3t\n"}, {"X-Key": "s3cr3t\u00fc"}, {"": "s3cr3t"}])
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(headers: dict[str, str]) -> None:
    """A token with the line end of its file is refused at once, and the error has no part of the token."""
    with pytest.raises(ValueError, match="header") as refused:
        Server("http://localhost:8080", headers=headers)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize("url", ["localhost:8080", "me:s3cr3t@wfx.example", "", "ftp://wfx.example"])
def test_an_address_without_its_scheme_is_refused_at_once(url: str) -> None:
    """An address that is no URL of HTTP is refused when the client is made, with an example and without a password."""
    for make in (Client, AsyncClient):
        with pytest.raises(ValueError, match="begins with http:// or https://, such as http://localhost") as refused:
            make(url)
        assert "s3cr3t" not in str(refused.value)


def test_unix_sockets(connect: Connect, tmp_path: Path) -> None:
    """A server is reached through a Unix socket."""
    path = tmp_path / "wfx.sock"
    with Stub().on_socket(path) as stub:
        stub.usual = lambda _: Reply(body=UP)
        assert connect(Server("http://localhost", socket=str(path))).health().status == "up"


def test_mutual_tls(connect: Connect, tmp_path: Path) -> None:
    """A server that wants a certificate is shown it; one that is not trusted gets no request."""
    certificates = Certificates(tmp_path)
    trust = ssl.create_default_context(cafile=str(certificates.ca))
    trust.load_cert_chain(certificates.client, certificates.client_key)
    with Stub().listening(tls=certificates.server(mutual=True)) as stub:
        stub.usual = lambda _: Reply(body=UP)
        assert connect(Server(f"https://localhost:{stub.port}", tls=trust)).health().status == "up"
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            connect(Server(f"https://localhost:{stub.port}"), ONCE).health()
    assert len(stub.seen) == 1


def test_a_proxy(connect: Connect) -> None:
    """Requests go through the proxy that is named, and never through one of the environment."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=UP)
        server = Server("http://wfx.invalid:8080", proxy=f"http://127.0.0.1:{stub.port}")
        assert connect(server).health().status == "up"
    assert stub.one.headers["host"] == "wfx.invalid:8080"


def test_redirects(connect: Connect) -> None:
    """Redirects are followed, with the caller's own headers to the same server alone, and not for ever."""
    with Stub().listening() as other, Stub().listening() as stub:
        other.usual = lambda _: Reply(body=UP)
        client = connect(Server(f"http://127.0.0.1:{stub.port}", headers={"X-Token": "t"}), ONCE)
        for target in (f"http://127.0.0.1:{other.port}/x", "/api/wfx/v1/version"):
            stub.replies.append(Reply(307, headers={"Location": target}))
        assert client.health().status == "up"
        stub.usual = lambda _: Reply(body=UP)
        assert client.health().status == "up"
        assert [seen.headers.get("x-token") for seen in stub.seen] == ["t", "t", "t"]
        assert "x-token" not in other.one.headers
        stub.usual = lambda _: Reply(302, headers={"Location": "/"})
        with pytest.raises(Unreachable, match="more than 10 redirects"):
            client.health()


def test_the_environment_does_not_count(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables for proxies are for programs that want them."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=UP)
        assert connect(f"http://127.0.0.1:{stub.port}").health().status == "up"


def test_packed_answers(connect: Connect) -> None:
    """Answers may be packed with gzip; whatever else they say to be is an error."""
    with Stub().listening() as stub:
        client = connect(f"http://127.0.0.1:{stub.port}", ONCE)
        stub.replies.append(Reply(body=gzip.compress(UP), headers={"Content-Encoding": "gzip"}))
        assert client.health().status == "up"
        for coding in ("gzip", "br"):
            stub.replies.append(Reply(body=UP, headers={"Content-Encoding": coding}))
            with pytest.raises(Unreadable, match="gzip"):
                client.health()


@pytest.mark.parametrize("packed", [False, True])
def test_answers_are_bounded(connect: Connect, monkeypatch: pytest.MonkeyPatch, *, packed: bool) -> None:
    """An answer that is too large, also once it is unpacked, is an error, and is not read to its end."""
    monkeypatch.setattr(bodies, "LARGEST", 1000)
    body = b" " * 100_000 + UP
    headers = {"Content-Encoding": "gzip"} if packed else {}
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=gzip.compress(body) if packed else body, headers=headers)
        with pytest.raises(Unreadable, match="more than 1000 bytes"):
            connect(f"http://127.0.0.1:{stub.port}", QUICK).health()
    assert len(stub.seen) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"1", b"{}", b'{"status": 7}', b'{"status": "up", "details": 7}', b""]
)
def test_answers_of_others(connect: Connect, body: bytes) -> None:
    """What no wfx answers is an error that says so."""
    with Stub().listening() as stub:
        stub.usual = lambda _: Reply(body=body)
        with pytest.raises(Unreadable):
            connect(f"http://127.0.0.1:{stub.port}").health()


def test_answers_that_break_off_or_drip(connect: Connect) -> None:
    """An answer that breaks off is tried again if that is safe; one that does not come in time is an error."""
    with Stub().listening() as stub:
        stub.replies.append(Reply(headers={"Content-Length": "9"}, chunks=lambda: iter([b"{"])))
        stub.replies.append(Reply(body=UP))
        assert connect(f"http://127.0.0.1:{stub.port}").health().status == "up"
        stub.replies.append(Reply(headers={"Content-Length": "9"}, chunks=lambda: iter([b"{"])))
        with pytest.raises(Unreachable) as broken:
            connect(f"http://127.0.0.1:{stub.port}").create_job("c", "w")
        assert not isinstance(broken.value, NotSent)
        stopped = stub.stopped
        drip = 0.1
        stub.usual = lambda _: Reply(chunks=lambda: (b" " for _ in range(600) if not stopped.wait(drip)))
        with pytest.raises(TimedOut):
            connect(Server(f"http://127.0.0.1:{stub.port}", timeout=0.5), ONCE).health()  # measured: it is to strike
        stub.cut()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://no.such.host.invalid", "http://x:99999"])
def test_addresses_that_lead_nowhere(connect: Connect, url: str) -> None:
    """Where nobody can be reached, nothing was sent."""
    with pytest.raises(NotSent):
        connect(url, Retries(attempts=1)).create_job("c", "w")
