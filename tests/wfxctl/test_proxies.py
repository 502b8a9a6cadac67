"""HTTP proxies between wfxctl and the server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from threading import Thread

import pytest
from command_lines import Run
from wfxctl_stub import Reply, Stub

from tests.certificates import Authority, Certificates
from wfx.commandline.options import Settings
from wfxctl.proxies import proxy_for

WORDS = ("job", "get", "--id", "7")
REMOTE = ("--client-host=wfx.example", "--mgmt-host=wfx.example")


def through(stub: Stub) -> str:
    """The stub as a proxy: it answers whatever server is asked."""
    return f"http://127.0.0.1:{stub.port}"


def test_by_option(run: Run, stub: Stub) -> None:
    """With --proxy, or WFX_PROXY, requests for any host go to the proxy, which is told the host."""
    assert run(*REMOTE, f"--proxy={through(stub)}", *WORDS).code == 0
    assert run("--client-port=1", *WORDS, env={"WFX_PROXY": through(stub)}).code == 0
    assert [seen.headers["host"] for seen in stub.seen] == ["wfx.example:8080", "localhost:1"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_by_variable(run: Run, stub: Stub, name: str, scheme: str) -> None:
    """The usual variables name the proxy for other machines."""
    assert run(*REMOTE, *WORDS, env={name: f"{scheme}user:secret@127.0.0.1:{stub.port}/"}).code == 0
    assert stub.one.headers["host"] == "wfx.example:8080"
    assert stub.one.headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="


@pytest.mark.parametrize("host", [
    "localhost", "127.0.0.1", "[::1]", "0.0.0.0", "here.localhost", "localhost.", "LOCALHOST", "127.1", "2130706433",
    "0x7f000001", "::ffff:127.0.0.1", "[::ffff:127.0.0.1]", socket.gethostname(), f"{socket.gethostname()}.",
])  # fmt: skip
def test_this_machine_is_reached_directly(run: Run, stub: Stub, host: str) -> None:
    """What variables say does not count for this machine."""
    run(f"--client-host={host}", "--client-port=1", *WORDS, env={"HTTP_PROXY": through(stub), "ALL_PROXY": "x"})
    assert stub.seen == []


@pytest.mark.parametrize(("exempt", "host", "direct"), [
    ("*", "wfx.invalid", True), ("wfx.invalid", "wfx.invalid", True), ("other,.invalid", "WFX.invalid", True),
    ("invalid", "wfx.invalid", True), ("*.invalid", "wfx.invalid", True), ("fx.invalid", "wfx.invalid", False),
    ("", "wfx.invalid", False),
    ("192.0.2.7:8080", "192.0.2.7", True), ("192.0.2.7:8081", "192.0.2.7", False),
    ("wfx.invalid:8080", "wfx.invalid", True),
    ("wfx.invalid:80", "wfx.invalid", False), (".invalid:8080", "wfx.invalid", True), ("invalid.", "wfx.invalid", True),
    ("wfx.invalid", "wfx.invalid.", True), ("[2001:db8::7]:8080", "2001:db8::7", True),
    ("[2001:db8::7]:80", "2001:db8::7", False), ("[2001:db8::7]", "[2001:db8::7]", True),
    ("192.0.2.0/24", "::ffff:192.0.2.7", True), ("::ffff:192.0.2.0/120", "192.0.2.7", True),
    ("192.0.2.7", "3221225991", True),
    ("[2001:db8::]/32", "2001:db8::7", True), ("192.0.2.0/24", "192.0.2.7", True), ("192.0.2.7", "192.0.2.7", True),
    ("2001:db8::/32:8080", "2001:db8::7", True), ("2001:db8::/32:80", "2001:db8::7", False),
    ("2001:db8:1::/48:8080", "2001:db8::7", False), ("[2001:db8::]/32:8080", "2001:db8::7", True),
    ("[2001:db8::]/32:80", "2001:db8::7", False), ("192.0.2.0/24:8080", "192.0.2.7", True),
    ("192.0.2.0/24:80", "192.0.2.7", False), ("::ffff:192.0.2.0/120:8080", "192.0.2.7", True),
    ("*:8080", "wfx.invalid", True), ("*:8080", "2001:db8::7", True), ("*:80", "wfx.invalid", False),
    ("*.invalid:8080", "wfx.invalid", True), ("*.invalid:80", "wfx.invalid", False),
    ("[2001:DB8::]/32:8080", "2001:db8::7", True), ("2001:DB8::/32", "2001:db8::7", True),
    ("198.51.100.0/24", "192.0.2.7", False), ("2001:db8::/32", "2001:db8::7", True), (" , ", "wfx.invalid", False),
])  # fmt: skip
def test_exempt_hosts(stub: Stub, exempt: str, host: str, direct: bool) -> None:
    """NO_PROXY exempts hosts, domains, addresses and networks, with or without a port."""
    settings = Settings({"proxy": ""})
    found = proxy_for("http", host, 8080, settings, {"http_proxy": through(stub), "NO_PROXY": exempt})
    assert found == ("" if direct else through(stub))


@contextmanager
def tunnel(port: int) -> Iterator[tuple[int, list[str]]]:
    """A proxy for TLS; gives its port, and the hosts that it was asked for. All of them are on this port."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            asked.append(self.path)
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.send_response(200)
                self.end_headers()
                back = Thread(target=copy, args=(server, self.connection), daemon=True)
                back.start()
                copy(self.connection, server)
                back.join()

        def log_message(self, *_: object) -> None:
            pass

    def copy(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1], asked
        server.shutdown()
        thread.join()


def test_over_tls(run: Run, tmp_path: Path) -> None:
    """Over TLS a proxy passes bytes on, and the certificate is the server's."""
    certificates = Certificates(tmp_path)
    with Stub().listening(tls=certificates.server()) as stub, tunnel(stub.port) as (port, asked):
        tls = ("--enable-tls", f"--tls-ca={certificates.ca}", f"--proxy=http://127.0.0.1:{port}")
        assert run(*tls, *WORDS).code == 0
        assert stub.one.headers["host"] == "localhost:8443"
        other = run(*tls, "--client-tls-host=wfx.example", *WORDS)
    assert asked == ["localhost:8443", "wfx.example:8443"]
    assert (other.code, len(stub.seen)) == (1, 1), "the certificate is for localhost alone"
    assert "certificate" in other.err


@pytest.mark.parametrize("host", ["2001:db8::1", "[2001:db8::1]"])
def test_servers_with_ipv6_addresses(run: Run, host: str) -> None:
    """A proxy is asked for a server by a URL as RFC 3986 has it: an IPv6 address stands in brackets."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked: list[bytes] = []

        def answer() -> None:
            connection, _ = proxy.accept()
            with connection, connection.makefile("rb") as request:
                asked.extend(iter(request.readline, b"\r\n"))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = Thread(target=answer, daemon=True)
        thread.start()
        port = proxy.getsockname()[1]
        assert run(f"--client-host={host}", f"--proxy=http://127.0.0.1:{port}", *WORDS).code == 0
        thread.join()
    assert asked[0].startswith(b"GET http://[2001:db8::1]:8080/api/wfx/v1/jobs/7")
    assert [line for line in asked if line.lower().startswith(b"host:")] == [b"Host: [2001:db8::1]:8080\r\n"]


def test_servers_with_ipv6_addresses_over_tls(run: Run, tmp_path: Path) -> None:
    """Over TLS the proxy is asked for an IPv6 address in brackets too, and the certificate is for the address alone."""
    authority = Authority(tmp_path)
    signed = authority.sign("server", names="IP:::1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    with Stub().listening(tls=context) as stub, tunnel(stub.port) as (port, asked):
        tls = ("--enable-tls", f"--tls-ca={authority.certificate}", f"--proxy=http://127.0.0.1:{port}")
        assert run(*tls, "--client-tls-host=::1", *WORDS).code == 0
        assert stub.one.headers["host"] == "[::1]:8443"
        other = run(*tls, "--client-tls-host=2001:db8::1", *WORDS)
    assert asked == ["[::1]:8443", "[2001:db8::1]:8443"]
    assert (other.code, len(stub.seen)) == (1, 1), "the certificate is for ::1 alone"
    assert "certificate" in other.err


def test_servers_with_full_names_over_tls(run: Run, tmp_path: Path) -> None:
    """A dot at the end of a host name is for the resolver alone: certificates have none."""
    authority = Authority(tmp_path)
    signed = authority.sign("server", names="DNS:wfx.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)
    with Stub().listening(tls=context) as stub, tunnel(stub.port) as (port, asked):
        tls = ("--enable-tls", f"--tls-ca={authority.certificate}", f"--proxy=http://127.0.0.1:{port}")
        assert run(*tls, "--client-tls-host=wfx.example.", *WORDS).code == 0
    assert asked == ["wfx.example.:8443"]


def test_failures_name_the_proxy(run: Run) -> None:
    """Where the proxy cannot be reached, the message names it, without its password."""
    outcome = run(*REMOTE, "--proxy=http://me:secret@127.0.0.1:1", *WORDS)
    assert outcome.code == 1
    assert outcome.err.startswith('Error: GET "http://wfx.example:8080/api/wfx/v1/jobs/7')
    assert "through the proxy http://127.0.0.1:1: Connection refused" in outcome.err
    assert "secret" not in outcome.err


BY_PASSWORD = ": give name and password in the address of the proxy, as in http://NAME:PASSWORD@proxy.example:3128"
BY_ADDRESS = ": if the proxy cannot reach the server, correct its address, or have NO_PROXY name its host"
REFUSALS = [
    (407, f"407 Proxy Authentication Required{BY_PASSWORD}"), (502, f"502 Bad Gateway{BY_ADDRESS}"),
    (503, f"503 Service Unavailable{BY_ADDRESS}"), (504, f"504 Gateway Timeout{BY_ADDRESS}"),
    (403, "403 Forbidden"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "said"), REFUSALS)
def test_empty_refusals_of_the_proxy(run: Run, stub: Stub, status: int, said: str) -> None:
    """A proxy that refuses with an empty answer is named with its status, without its password, and what helps."""
    stub.usual = lambda _: Reply(status, b"", {})
    proxy = f"http://me:secret@127.0.0.1:{stub.port}"
    way = f'GET "http://wfx.example:8080/api/wfx/v1/jobs/7?history=false" through the proxy {through(stub)}'
    outcome = run(*REMOTE, f"--proxy={proxy}", *WORDS)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == f"Error: error: {way}: {said}\n"
    outcome = run(*REMOTE, f"--proxy={proxy}", "job", "events")
    assert outcome.code == 1
    assert f"{through(stub)}: {status} " in outcome.err
    assert "secret" not in outcome.err


@pytest.mark.parametrize(("status", "said"), REFUSALS)
def test_refusals_of_the_proxy_over_tls(run: Run, status: int, said: str) -> None:
    """A proxy that refuses to pass bytes on is named with its status, and what helps."""

    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        proxy = f"http://127.0.0.1:{server.server_address[1]}"
        outcome = run("--enable-tls", "--client-tls-host=wfx.example", f"--proxy={proxy}", *WORDS)
        server.shutdown()
        thread.join()
    assert outcome.code == 1
    assert outcome.err.startswith('Error: GET "https://wfx.example:8443/api/wfx/v1/jobs/7')
    assert outcome.err.endswith(f" through the proxy {proxy}: {said}\n")


def test_pages_of_the_proxy(run: Run, stub: Stub) -> None:
    """What a proxy says itself is shown as it came, with its status and address; what the API says stands alone."""
    stub.usual = lambda _: Reply(502, b"<h1>no such host</h1>\n", {})
    outcome = run(*REMOTE, f"--proxy={through(stub)}", *WORDS)
    first, second = outcome.err.splitlines()
    assert first == "Error: error: <h1>no such host</h1>"
    assert second.endswith(f"through the proxy {through(stub)}: 502 Bad Gateway{BY_ADDRESS}")
    stub.usual = lambda _: Reply(503, b'{"errors":[]}')
    assert run(*REMOTE, f"--proxy={through(stub)}", *WORDS).err == 'Error: error: {"errors":[]}\n'


def test_a_proxy_that_is_taken_for_the_server(run: Run, stub: Stub) -> None:
    """An address that asks for a proxy's password is told to be no server."""
    stub.usual = lambda _: Reply(407, b"", {})
    outcome = run(f"--client-port={stub.port}", *WORDS)
    assert (
        f'GET "http://localhost:{stub.port}/api/wfx/v1/jobs/7?history=false": 407 Proxy Authentication Required'
        in outcome.err
    )
    assert "name it by --proxy, and the server by the options for its host and port" in outcome.err


@pytest.mark.parametrize(
    "proxy", ["proxy.example", "socks5://secret@proxy.example:1", "http://", "http://h:x", "x://h"]
)
def test_what_is_no_proxy(run: Run, proxy: str) -> None:
    """An address that is no HTTP proxy's ends the command, which says where it was given and keeps it secret."""
    outcome = run(*REMOTE, f"--proxy={proxy}", *WORDS)
    assert (outcome.code, outcome.err) == (1, "Error: --proxy is no HTTP proxy such as http://proxy.example:3128\n")
    if "://" in proxy:
        outcome = run(*REMOTE, *WORDS, env={"HTTP_PROXY": proxy})
        assert outcome.err == "Error: HTTP_PROXY is no HTTP proxy such as http://proxy.example:3128\n"


def test_sockets(run: Run, stub: Stub, tmp_path: Path) -> None:
    """A unix socket needs no proxy: variables do not count, and the option is a contradiction."""
    with Stub().on_socket(tmp_path / "s") as here:
        options = (f"--client-unix-socket={tmp_path}/s", *WORDS)
        assert run(*options, env={"HTTP_PROXY": through(stub), "WFX_PROXY": through(stub)}).code == 0
        outcome = run(f"--proxy={through(stub)}", *options)
        assert outcome.err.endswith("Error: --proxy excludes --client-unix-socket and --mgmt-unix-socket\n")
    assert (len(here.seen), len(stub.seen)) == (1, 0)
