"""How connections are made (cli section 4)."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from wfxctl_stub import BASE, Reply, Stub

from wfx.client import bodies
from wfxctl import client

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a self-signed certificate for localhost, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return folder


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """Serve with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


@pytest.fixture
def tls_stub(tls: ssl.SSLContext) -> Iterator[Stub]:
    """Serve over TLS."""
    with Stub().listening(tls=tls) as server:
        yield server


def test_tls_uses_its_own_host_and_port(run: Run, tls_stub: Stub, certificate: Path) -> None:
    """With --enable-tls the TLS host and port count, and a CA given by --tls-ca is trusted."""
    trust = ["--enable-tls", "--tls-ca", str(certificate / "cert.pem"), "--client-port", "1", "--mgmt-port", "1"]
    port = str(tls_stub.port)
    assert run(*trust, "--client-tls-port", port, "job", "get", "--id", "7").code == 0
    assert run(*trust, "--mgmt-tls-port", port, "job", "delete", "--id", "7").code == 0
    assert [seen.method for seen in tls_stub.seen] == ["GET", "DELETE"]


def test_an_unknown_certificate_is_refused(run: Run, tls_stub: Stub) -> None:
    """A server whose certificate nobody vouches for is not talked to."""
    outcome = run("--enable-tls", "--client-tls-port", str(tls_stub.port), "job", "get", "--id", "7")
    assert outcome.code == 1
    assert outcome.err.startswith(f'Error: GET "https://localhost:{tls_stub.port}{BASE}/jobs/7?history=false": ')
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.err
    assert tls_stub.seen == []


def test_the_name_in_the_certificate_must_fit(run: Run, tls_stub: Stub, certificate: Path) -> None:
    """A certificate for another host is refused."""
    outcome = run(
        "--enable-tls",
        "--tls-ca",
        str(certificate / "cert.pem"),
        "--client-tls-host",
        "127.0.0.1",
        "--client-tls-port",
        str(tls_stub.port),
        "version",
    )
    assert outcome.code == 1
    assert "CERTIFICATE_VERIFY_FAILED" in outcome.err


def test_a_ca_file_that_cannot_be_read_is_fatal(run: Run) -> None:
    """An unreadable CA file ends the command with a fatal log line."""
    outcome = run("--tls-ca", "nowhere.pem", "version")
    assert outcome.code == 1
    assert " FTL cannot read CA file nowhere.pem: No such file or directory" in outcome.err


def test_a_ca_file_without_certificates_adds_nothing(run: Run, stub: Stub) -> None:
    """A file without any certificate is accepted silently."""
    Path("empty.pem").write_text("nothing here\n")
    outcome = run("--tls-ca", "empty.pem", "--client-port", str(stub.port), "job", "get", "--id", "7")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("option", ["--client-unix-socket", "--mgmt-unix-socket"])
def test_one_unix_socket_carries_everything(run: Run, tmp_path: Path, option: str) -> None:
    """Whichever socket is set, both sides' commands go through it, with host and port still in the Host header."""
    path = tmp_path / "wfx.sock"
    with Stub().on_socket(path) as stub:
        outcome = run(option, str(path), "--client-port", "1", "--mgmt-port", "2", "job", "get", "--id", "7")
        assert outcome.code == 0
        assert " INF connecting through a unix socket path=" in outcome.err
        assert run(option, str(path), "job", "delete", "--id", "7", "--log-level", "warn").err == ""
    assert [seen.headers["host"] for seen in stub.seen] == ["localhost:1", "localhost:8081"]


def test_tls_is_spoken_over_a_unix_socket_too(run: Run, tmp_path: Path, tls: ssl.SSLContext, certificate: Path) -> None:
    """With --enable-tls the connection through a socket is encrypted, and the certificate is that of the host."""
    path = tmp_path / "wfx.sock"
    with Stub().on_socket(path, tls) as stub:
        outcome = run(
            "--enable-tls",
            "--tls-ca",
            str(certificate / "cert.pem"),
            "--client-unix-socket",
            str(path),
            "job",
            "get",
            "--id",
            "7",
        )
    assert outcome.code == 0
    assert stub.one.headers["host"] == "localhost:8443"


@pytest.mark.parametrize(
    "words", [["job", "get", "--id", "7"], ["health"], ["version"], ["job", "events"], ["workflow", "delete", "x"]]
)
def test_two_unix_sockets_are_one_too_many(run: Run, words: list[str]) -> None:
    """Both sockets at once are an error for every command that connects."""
    outcome = run("--client-unix-socket", "/a", "--mgmt-unix-socket", "/b", *words)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "Error: --client-unix-socket and --mgmt-unix-socket exclude each other\n"


@pytest.mark.parametrize("host", ["localhost.", "LocalHost."])
def test_localhost_as_a_full_name(run: Run, stub: Stub, host: str) -> None:
    """The name localhost may end with a dot, as full names do, though the system's file of hosts has none such."""
    outcome = run(f"--client-host={host}", f"--client-port={stub.port}", "job", "get", "--id", "7")
    assert outcome.code == 0, outcome.err
    assert stub.one.headers["host"] == f"localhost:{stub.port}"


def test_redirects_are_followed(south: Run, stub: Stub) -> None:
    """A redirect leads to the answer; a circle ends."""
    stub.replies.append(Reply(307, b"", {"Location": f"{BASE}/elsewhere"}))
    stub.will({"id": "x"})
    assert south("job", "get-status", "--id", "7", "--filter", ".id", "--raw").out == "x\n"
    assert [seen.path for seen in stub.seen] == ["/jobs/7/status", "/elsewhere"]
    stub.usual = lambda _: Reply(307, b"", {"Location": f"{BASE}/round"})
    outcome = south("job", "get-status", "--id", "7")
    assert outcome.code == 1
    assert "redirect" in outcome.err.lower()


def test_failures_name_where_redirects_led(south: Run, stub: Stub) -> None:
    """Where a redirect leads to a server that cannot be reached, or refuses, the message names its address too."""
    asked = f'GET "http://localhost:{stub.port}/api/wfx/v1/jobs/7?history=false"'
    stub.replies.append(Reply(307, b"", {"Location": "http://me:secret@127.0.0.1:1/gone"}))
    outcome = south("job", "get", "--id", "7")
    assert outcome.code == 1
    assert outcome.err == f'Error: {asked} (redirected to "http://127.0.0.1:1/gone"): Connection refused\n'
    stub.replies += [Reply(307, b"", {"Location": "/elsewhere"}), Reply(403, b"")]
    outcome = south("job", "get", "--id", "7")
    assert f'{asked} (redirected to "http://localhost:{stub.port}/elsewhere"): 403 Forbidden' in outcome.err


def test_proxies_are_not_consulted(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables have no effect."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert south("job", "get", "--id", "7").code == 0
    assert len(stub.seen) == 1


def test_compressed_answers_are_understood(south: Run, stub: Stub) -> None:
    """A gzipped answer is unpacked."""
    stub.usual = lambda _: Reply(body=gzip.compress(b'{"a":1}'), headers={"Content-Encoding": "gzip"})
    assert south("job", "get", "--id", "7").out == '{\n  "a": 1\n}\n'


def test_a_refused_connection_names_method_url_and_cause(run: Run) -> None:
    """A connection problem gives one line with the method, the URL and the cause."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but not listening
        port = taken.getsockname()[1]
        outcome = run("--mgmt-host", "127.0.0.1", "--mgmt-port", str(port), "job", "delete", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f'Error: DELETE "http://127.0.0.1:{port}{BASE}/jobs/7": Connection refused\n'


@pytest.mark.parametrize("host", ["no such host", "a..b", "[::1", "%zz"])
def test_an_impossible_host_is_an_error(run: Run, host: str) -> None:
    """A host that cannot be is reported like any other connection problem."""
    outcome = run("--client-host", host, "version")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith('Error: GET "')


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999999999"])
def test_an_impossible_port_is_an_error(run: Run, stub: Stub, port: str) -> None:
    """A port that cannot be is reported like any other connection problem, and no other port is asked."""
    for chosen in (port, str(stub.port + 65536)):
        outcome = run("--client-port", chosen, "version")
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.startswith('Error: GET "')
    assert stub.seen == []


def test_ipv6_hosts_need_no_brackets(run: Run) -> None:
    """An IPv6 address is written into the URL as it must be."""
    outcome = run("--client-host", "::1", "--client-port", "1", "version")
    assert outcome.err.startswith(f'Error: GET "http://[::1]:1{BASE}/version": ')


def test_the_whole_exchange_has_a_time_limit(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that sends, but never gets done, does not hold up the command."""
    monkeypatch.setattr(client, "TIMEOUT", 0.3)

    def drip() -> Iterator[bytes]:
        for _ in range(200):
            yield b" "
            time.sleep(0.05)  # each byte comes in time; only the whole is too slow

    stub.usual = lambda _: Reply(chunks=drip)
    outcome = south("job", "get", "--id", "7")
    assert outcome.code == 1
    assert outcome.err.endswith(": no complete answer within 0.3s\n")


def test_a_cut_answer_is_an_error(south: Run, stub: Stub) -> None:
    """An answer that breaks off is not mistaken for a whole one."""
    stub.usual = lambda _: Reply(headers={"Content-Length": "100"}, chunks=lambda: iter([b"{}"]))
    outcome = south("job", "get", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("Error: GET ")


ENDLESS = {"Content-Type": "application/json"}
SMALL = 1_000_000
"""Bytes that an answer may have in these tests."""


def endless(piece: bytes, sent: list[int]) -> Callable[[], Iterator[bytes]]:
    """Send the piece again and again until nobody listens, and count the bytes."""

    def pieces() -> Iterator[bytes]:
        while sum(sent) < 1000 * SMALL:
            sent.append(len(piece))
            yield piece

    return pieces


@cache
def bomb(layers: int = 1) -> bytes:
    """Pack a hundred megabytes of blanks into a few bytes, and that again."""
    packed = b" " * 100 * SMALL
    for _ in range(layers):
        packed = gzip.compress(packed)
    return packed


@pytest.mark.parametrize("status", [200, 500, 307])
def test_an_endless_answer_is_an_error(south: Run, stub: Stub, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """An answer that does not end is read up to a bound and then given up; of a redirect no body is read at all."""
    monkeypatch.setattr(bodies, "LARGEST", SMALL)
    sent: list[int] = []
    headers = {"Location": f"{BASE}/elsewhere"} if status == 307 else ENDLESS
    stub.replies.append(Reply(status, headers=headers, chunks=endless(b" " * 0x8000, sent)))
    outcome = south("job", "get", "--id", "7")
    if status == 307:
        assert outcome.code == 0
    else:
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.err.endswith(f": the answer has more than {SMALL} bytes\n")
    assert sum(sent) < 100 * SMALL, "everything was read"


def test_a_compressed_bomb_is_unpacked_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would be a hundred megabytes is unpacked in small pieces, and no further than the bound."""
    pieces: list[int] = []

    def counted() -> Iterator[bytes]:
        for piece in bodies.unpacked([bomb()], "gzip"):
            pieces.append(len(piece))
            yield piece

    monkeypatch.setattr(bodies, "LARGEST", SMALL)
    with pytest.raises(bodies.Unreadable):
        bodies.whole(counted())
    assert max(pieces) <= 0x10000
    assert sum(pieces) < 2 * SMALL


@pytest.mark.parametrize(
    ("coding", "make_body", "complaint"),
    [
        ("gzip", bomb, f"the answer has more than {SMALL} bytes"),
        ("gzip, gzip", partial(bomb, 2), "the answer has Content-Encoding 'gzip, gzip', where only gzip was asked for"),
        ("deflate", lambda: b"x", "the answer has Content-Encoding 'deflate', where only gzip was asked for"),
        (
            "gzip",
            lambda: b"no gzip",
            "the answer is no valid gzip: Error -3 while decompressing data: incorrect header check",
        ),
    ],
)
def test_what_cannot_be_unpacked_is_an_error(
    south: Run,
    stub: Stub,
    monkeypatch: pytest.MonkeyPatch,
    coding: str,
    make_body: Callable[[], bytes],
    complaint: str,
) -> None:
    """Compressed answers that grow too large, or are compressed otherwise than was asked for, are errors."""
    monkeypatch.setattr(bodies, "LARGEST", SMALL)
    body = make_body()
    stub.usual = lambda _: Reply(body=body, headers={"Content-Encoding": coding})
    outcome = south("job", "get", "--id", "7")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.endswith(f": {complaint}\n")


@pytest.mark.parametrize("size", [0, 1, 0xFFFF, 0x10000, 0x10001, 0x20000])
def test_compressed_bodies_of_any_size_are_whole(size: int) -> None:
    """Unpacking in pieces loses nothing, wherever the pieces end, also over several packets."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    packed = gzip.compress(body)
    assert b"".join(bodies.unpacked([packed], "GZIP")) == body
    assert b"".join(bodies.unpacked([packed[i : i + 1] for i in range(len(packed))], "gzip")) == body
