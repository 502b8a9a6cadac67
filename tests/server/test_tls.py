"""Listeners with TLS, on both engines, with real clients and real certificates."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.certificates import Authority, Certificate
from tests.server.engines import DEADLINE, HUGE, Handlers, serving
from tests.server.everywhere import Everywhere
from tests.server.http2 import Client
from tests.waiting import eventually
from wfx.config.options import Config, Host
from wfx.server.limits import HttpSettings
from wfx.server.sockets import bind_tcp
from wfx.server.tls import CannotUseTls, Tls

BASE = "/api/wfx/v1"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSING = b"GET /%b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
RELOADED, REFUSED = "configuration reloaded", "configuration not reloaded; settings stay as they were"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""The beginning of a handshake."""


@pytest.fixture(params=["uvicorn", "hypercorn", "auto"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn, and both together."""
    return str(request.param)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs everybody's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Certificate:
    """The server's certificate."""
    return authority.sign("server")


def options_of(server: Certificate, engine: str, ca: str = "") -> Config:
    """The options for TLS with this certificate."""
    certificate, key = str(server.certificate), str(server.key)
    return Config(scheme=("https",), http_engine=engine, tls_certificate=certificate, tls_key=key, tls_ca=ca)


def settings_of(server: Certificate, engine: str, ca: str = "") -> Tls:
    """TLS with this certificate."""
    return Tls(options_of(server, engine, ca))


def connected(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """A client whose handshake is over."""
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), DEADLINE), server_hostname="localhost")


def received(wire: socket.socket) -> bytes:
    """All that comes until the end."""
    parts = []
    with suppress(ConnectionError, ssl.SSLError):
        while part := wire.recv(1 << 20):
            parts.append(part)
    return b"".join(parts)


def test_all_schemes_at_once(engine: str, authority: Authority, server: Certificate, tmp_path: Path) -> None:
    """With --scheme http,https,unix both sides answer in all three ways; over TLS as HTTP/2 where the engine can."""
    files = (f"--tls-certificate={server.certificate}", f"--tls-key={server.key}")
    with Everywhere(tmp_path, "http,https,unix", f"--http-engine={engine}", *files) as service:
        for side in ("north", "south"):
            port, secure = service.port("http", side), service.port("https", side)
            assert httpx.get(f"http://127.0.0.1:{port}/version", trust_env=False).status_code == 200
            transport = httpx.HTTPTransport(uds=service.socket(side))
            with httpx.Client(transport=transport) as client:
                assert client.get("http://wfx/version").status_code == 200
            with httpx.Client(verify=authority.trusting(), http2=True, trust_env=False) as client:
                answer = client.get(f"https://localhost:{secure}/")
                assert answer.http_version == ("HTTP/1.1" if engine == "uvicorn" else "HTTP/2")
                assert f"<https://localhost:{secure}{BASE}/openapi.json>" in answer.headers["link"]
    assert not (tmp_path / "client.sock").exists()
    assert not (tmp_path / "mgmt.sock").exists()


@pytest.mark.parametrize("http2", [False, True])
def test_event_stream(engine: str, http2: bool, authority: Authority, server: Certificate, tmp_path: Path) -> None:
    """Events arrive over TLS, by HTTP/1.1 and HTTP/2, and the stream ends cleanly when the service stops."""
    files = (f"--tls-certificate={server.certificate}", f"--tls-key={server.key}")
    workflow = {"name": "flow", "states": [{"name": "NEW"}], "transitions": []}
    with (
        Everywhere(tmp_path, "https", f"--http-engine={engine}", *files) as service,
        httpx.Client(verify=authority.trusting(), http2=http2, trust_env=False, timeout=DEADLINE) as client,
    ):
        north, south = (f"https://localhost:{service.port('https', side)}{BASE}" for side in ("north", "south"))
        assert client.post(f"{north}/workflows", json=workflow).status_code == 201
        with client.stream("GET", f"{south}/jobs/events") as events:
            assert events.status_code == 200
            lines = events.iter_lines()
            assert client.post(f"{north}/jobs", json={"clientId": "c", "workflow": "flow"}).status_code == 201
            assert any("CREATE" in line for line in lines)
            assert service.stop() == 0
            assert not [line for line in lines if line.startswith("data:")]
    assert "Traceback" not in "".join(service.lines)


@pytest.mark.parametrize(("version", "works"), [
    (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_versions(engine: str, version: ssl.TLSVersion, works: bool, authority: Authority, server: Certificate) -> None:
    """TLS 1.2 and 1.3 are spoken, earlier versions are not."""
    context = authority.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with serving(engine, Handlers(), tls=settings_of(server, engine)) as port:
        try:
            with connected(port, context) as wire:
                wire.sendall(CLOSING % b"")
                assert received(wire).startswith(b"HTTP/1.1 200 ")
        except OSError:
            assert not works
        else:
            assert works


def test_client_certificates(engine: str, authority: Authority, server: Certificate, tmp_path: Path) -> None:
    """With --tls-ca only clients with a good certificate are served; the log says what was wrong with others."""
    stranger = Authority(tmp_path, "stranger").sign("foreign")
    shown = {
        "peer did not return a certificate": None,
        "certificate has expired": authority.sign("expired", expired=True),
        "unable to get local issuer certificate": stranger,
    }
    files = (f"--tls-certificate={server.certificate}", f"--tls-key={server.key}", f"--tls-ca={authority.certificate}")
    with Everywhere(tmp_path, "https", f"--http-engine={engine}", *files) as service:
        for side in ("north", "south"):
            url = f"https://localhost:{service.port('https', side)}/version"
            good = authority.trusting(authority.sign("client"))
            assert httpx.get(url, verify=good, trust_env=False).status_code == 200
        for reason, certificate in shown.items():
            eventually(partial(is_refused, service, url, authority.trusting(certificate), reason), reason)
        assert httpx.get(url, verify=good, trust_env=False).status_code == 200
    assert "Traceback" not in "".join(service.lines)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_alerts(
    engine: str,
    version: ssl.TLSVersion,
    authority: Authority,
    server: Certificate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client without a good certificate is told by an alert what is wrong with it."""
    wait_for_clients(monkeypatch)
    missing = "CERTIFICATE_REQUIRED" if version is ssl.TLSVersion.TLSv1_3 else "HANDSHAKE_FAILURE"
    for alert, certificate in {
        missing: None,
        "CERTIFICATE_EXPIRED": authority.sign("too-old", expired=True),
        "UNKNOWN_CA": Authority(tmp_path, "unknown").sign("unknown-client"),
    }.items():
        context = authority.trusting(certificate)
        context.minimum_version = context.maximum_version = version
        assert alert_for(engine, context, settings_of(server, engine, str(authority.certificate))).endswith(alert)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_alert_for_an_old_version(
    engine: str, authority: Authority, server: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that speaks no version later than TLS 1.1 is told so by an alert."""
    wait_for_clients(monkeypatch)
    context = authority.trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    assert alert_for(engine, context, settings_of(server, engine)) == "TLSV1_ALERT_PROTOCOL_VERSION"


def wait_for_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a server in this process wait for clients that it has refused, however busy the machine is."""
    monkeypatch.setattr("wfx.server.accepting.LINGER", DEADLINE)


def alert_for(engine: str, context: ssl.SSLContext, tls: Tls) -> str:
    """The alert that a client gets which sends requests as soon as it can."""
    with serving(engine, Handlers(), tls=tls) as port, pytest.raises(ssl.SSLError) as refused:
        insist(port, context)
    return str(refused.value.reason)


def insist(port: int, context: ssl.SSLContext) -> None:
    """Send requests without waiting for an answer."""
    with connected(port, context) as wire:
        wire.sendall(GET * 1000)
        wire.recv(100)


def is_refused(service: Everywhere, url: str, context: ssl.SSLContext, reason: str) -> bool:
    """Try once; tells whether the log has the reason by now: it has one record a second, and others go first."""
    with pytest.raises(httpx.TransportError):
        httpx.get(url, verify=context, trust_env=False)
    return reason in "".join(service.lines)


def test_plain_http(engine: str, server: Certificate) -> None:
    """Row 33: a request without TLS on a port of TLS is answered 400, in words and without TLS."""
    with (
        serving(engine, Handlers(), tls=settings_of(server, engine)) as port,
        socket.create_connection(("127.0.0.1", port), DEADLINE) as wire,
    ):
        wire.sendall(GET)
        answer = received(wire)
    assert answer.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert answer.endswith(b"\r\n\r\nthis port speaks HTTPS; the request came without TLS\n")


@pytest.mark.parametrize("sent", [b"", HELLO], ids=["nothing", "half a handshake"])
def test_unfinished_handshakes_count(engine: str, sent: bytes, authority: Authority, server: Certificate) -> None:
    """Row 33: connections count from the beginning; those beyond the limit are closed, and others find room later."""
    settings = HttpSettings(600, 1, read_timeout=600, max_connections=5)
    with serving(engine, Handlers(), settings, settings_of(server, engine)) as port:
        with ExitStack() as stack:
            for _ in range(5):
                stack.enter_context(socket.create_connection(("127.0.0.1", port), DEADLINE)).sendall(sent)
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as wire:
                assert received(wire) == b"", "there are too many"
        eventually(lambda: is_served(port, authority), "there is room")


def test_both_kinds_of_connections_count(authority: Authority, server: Certificate) -> None:
    """With the engine auto, connections by HTTP/1.1 and by HTTP/2 count together against the limit of a listener."""
    settings = HttpSettings(600, 1, read_timeout=600, max_connections=4)
    with serving("auto", Handlers(), settings, settings_of(server, "auto")) as port:
        with ExitStack() as stack:
            for _ in range(2):
                client = stack.enter_context(Client(port, tls=authority.trusting()))
                asked = client.ask("/")
                client.flush()
                client.until(lambda client=client, asked=asked: asked in client.ended)  # type: ignore[misc]  # of this turn
                stack.enter_context(connected(port, authority.trusting()))
            with socket.create_connection(("127.0.0.1", port), DEADLINE) as wire:
                assert received(wire) == b"", "there are too many"
        eventually(lambda: is_served(port, authority), "there is room")


@pytest.mark.parametrize("sent", [b"", HELLO], ids=["nothing", "half a handshake"])
def test_unfinished_handshakes_end(engine: str, sent: bytes, server: Certificate) -> None:
    """Row 33: who does not finish the handshake within the read timeout is closed."""
    settings = HttpSettings(600, 1, read_timeout=1)
    with (
        serving(engine, Handlers(), settings, settings_of(server, engine)) as port,
        socket.create_connection(("127.0.0.1", port), DEADLINE) as wire,
    ):
        wire.sendall(sent)
        assert received(wire) == b""


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x00\x05hello", b"\x16" + b"\xff" * 100, b"\x80\x2e\x01\x00\x02"])
def test_nonsense(engine: str, sent: bytes, server: Certificate, capfd: pytest.CaptureFixture[str]) -> None:
    """Row 33: bytes that are no handshake end the connection, and leave no traceback."""
    with (
        serving(engine, Handlers(), tls=settings_of(server, engine)) as port,
        socket.create_connection(("127.0.0.1", port), DEADLINE) as wire,
    ):
        wire.sendall(sent)
        wire.shutdown(socket.SHUT_WR)
        received(wire)
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err


def test_large_answer(engine: str, authority: Authority, server: Certificate) -> None:
    """An answer after which the connection is closed arrives whole, however slowly it is taken."""
    with (
        serving(engine, Handlers(), HttpSettings(30, 1), settings_of(server, engine)) as port,
        connected(port, authority.trusting()) as wire,
    ):
        wire.sendall(CLOSING % b"huge")
        first = wire.recv(1000)
        time.sleep(3)  # longer than the server waits for a client that has everything to close
        assert len((first + received(wire)).partition(b"\r\n\r\n")[2]) == HUGE


def test_clients_that_do_not_say_goodbye(engine: str, authority: Authority, server: Certificate) -> None:
    """A client that neither closes nor answers the end of TLS does not keep its connection for long."""
    settings = HttpSettings(30, 1, max_connections=3)
    with serving(engine, Handlers(), settings, settings_of(server, engine)) as port, ExitStack() as stack:
        for _ in range(3):
            wire = stack.enter_context(connected(port, authority.trusting()))
            wire.sendall(CLOSING % b"")
            assert wire.recv(100).startswith(b"HTTP/1.1 200 ")
        eventually(lambda: is_served(port, authority), "there is room")


def is_served(port: int, authority: Authority) -> bool:
    """Whether a new client is answered."""
    try:
        with connected(port, authority.trusting()) as wire:
            wire.sendall(CLOSING % b"")
            return received(wire).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def test_idle_connections(engine: str, authority: Authority, server: Certificate) -> None:
    """Deadlines hold over TLS: an idle connection is closed, and so is one whose request does not go on."""
    settings = HttpSettings(1, 1, read_timeout=1)
    with serving(engine, Handlers(), settings, settings_of(server, engine)) as port:
        for sent in (b"", GET, GET[:-2]):
            with connected(port, authority.trusting()) as wire:
                wire.sendall(sent)
                received(wire)


def test_reload(engine: str, authority: Authority, tmp_path: Path) -> None:
    """Certificates that are read again hold for new connections, and connections that are open go on."""
    old, new = authority.sign("old", "/CN=old"), authority.sign("new", "/CN=new")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"

    def install(made: Certificate) -> None:
        certificate.write_bytes(made.certificate.read_bytes())
        key.write_bytes(made.key.read_bytes())
        key.chmod(0o600)

    install(old)
    options = options_of(Certificate(certificate, key), engine)
    tls = Tls(options)
    with (
        serving(engine, Handlers(), tls=tls) as port,
        connected(port, authority.trusting()) as first,
    ):
        install(new)
        tls.prepare(options)()
        with connected(port, authority.trusting()) as second:
            assert [name(first), name(second)] == ["old", "new"]
        certificate.write_bytes(old.certificate.read_bytes())
        with pytest.raises(CannotUseTls, match="does not belong to the certificate"):
            tls.prepare(options)
        with connected(port, authority.trusting()) as third:
            assert name(third) == "new"
        first.sendall(CLOSING % b"")
        assert received(first).startswith(b"HTTP/1.1 200 ")


def test_reload_of_what_takes_a_restart(authority: Authority, server: Certificate) -> None:
    """Another engine, or no HTTPS any more, takes a restart: until then TLS goes on as it began."""
    tls = settings_of(server, "uvicorn")
    with serving("uvicorn", Handlers(), tls=tls) as port:
        tls.prepare(options_of(server, "hypercorn"))()
        tls.prepare(Config(scheme=("http",)))()
        context = authority.trusting()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with connected(port, context) as wire:
            assert wire.selected_alpn_protocol() == "http/1.1"


def name(wire: ssl.SSLSocket) -> str:
    """The name in the server's certificate."""
    found = wire.getpeercert()
    assert found is not None
    return str(found["subject"][-1][0][1])  # type: ignore[index]  # tuples of tuples


def test_reload_by_signal(engine: str, authority: Authority, tmp_path: Path) -> None:
    """After SIGHUP new connections get the certificate that the files have now, unless it cannot be used."""
    old, new = authority.sign("before", "/CN=before"), authority.sign("after", "/CN=after")
    (tmp_path / "wfx.yml").write_text(f"tls-certificate: {old.certificate}\ntls-key: {old.key}\n")
    with Everywhere(tmp_path, "https", f"--http-engine={engine}") as service:
        assert service.process is not None
        port = service.port("https", "north")

        def current() -> str:
            with connected(port, authority.trusting()) as wire:
                return name(wire)

        with connected(port, authority.trusting()) as open_before:
            shutil.copy(new.certificate, old.certificate)
            service.process.send_signal(signal.SIGHUP)
            eventually(lambda: service.records("configuration not reloaded; settings stay as they were"), "refused")
            assert "does not belong to the certificate" in "".join(service.lines)
            assert current() == "before"
            shutil.copy(new.key, old.key)
            service.process.send_signal(signal.SIGHUP)
            eventually(lambda: current() == "after", "the new one is used")
            open_before.sendall(CLOSING % b"version")
            assert received(open_before).startswith(b"HTTP/1.1 200 ")


def test_reload_of_changed_files(engine: str, authority: Authority, tmp_path: Path) -> None:
    """Renewed certificate files are seen by themselves, as one reload; files that cannot be used change nothing."""
    used, new, later = (authority.sign(name, f"/CN={name}") for name in ("used", "new", "later"))
    files = (f"--tls-certificate={used.certificate}", f"--tls-key={used.key}", f"--http-engine={engine}")
    with Everywhere(tmp_path, "https", *files) as service:
        assert service.process is not None
        port = service.port("https", "north")

        def install(*copied: tuple[Path, Path]) -> None:
            service.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr]  # so that it sees all of it at once
            for source, target in copied:
                shutil.copy(source, target)
            service.process.send_signal(signal.SIGCONT)  # type: ignore[union-attr]  # see above

        def shown() -> str:
            with connected(port, authority.trusting()) as wire:
                return name(wire)

        def records(kind: str, count: int) -> dict[str, object]:
            eventually(lambda: len(service.records(kind)) >= count, f"{count} of {kind}")
            *_, last = found = service.records(kind)
            assert len(found) == count
            return last

        with connected(port, authority.trusting()) as open_before:
            install((new.certificate, used.certificate), (new.key, used.key))
            reloaded = records(RELOADED, 1)
            assert (reloaded["changed"], reloaded["files"]) == ({}, [str(used.certificate), str(used.key)])
            assert shown() == "new"
            install((later.certificate, used.certificate))
            assert f"the key in {used.key} does not belong to" in str(records(REFUSED, 1)["error"])
            used.key.unlink()
            assert f"tls-key: cannot read {used.key}: No such file" in str(records(REFUSED, 2)["error"])
            assert shown() == "new"
            install((later.key, used.key))
            records(RELOADED, 2)
            assert shown() == "later"
            open_before.sendall(CLOSING % b"version")
            assert received(open_before).startswith(b"HTTP/1.1 200 ")


def test_reload_names_other_files(authority: Authority, tmp_path: Path) -> None:
    """Files that the configuration names only now are watched from then on, also if they are made later."""
    first, second = authority.sign("first", "/CN=first"), authority.sign("second", "/CN=second")
    settings, key = tmp_path / "wfx.yml", tmp_path / "made-later.key"
    settings.write_text(f"tls-certificate: {first.certificate}\ntls-key: {first.key}\n")
    with Everywhere(tmp_path, "https") as service:
        settings.write_text(f"tls-certificate: {second.certificate}\ntls-key: {key}\n")
        eventually(lambda: service.records(REFUSED), "refused")
        shutil.copy(second.key, key)
        eventually(lambda: service.records(RELOADED), "reloaded")
        with connected(service.port("https", "north"), authority.trusting()) as wire:
            assert name(wire) == "second"


@pytest.fixture
def files(authority: Authority, server: Certificate, tmp_path: Path) -> dict[str, Path]:
    """Good and bad files."""
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "text").write_text("not a certificate")
    other = authority.sign("other")
    return {
        "cert": server.certificate, "key": server.key, "other": other.key, "ca": authority.certificate,
        "empty": tmp_path / "empty", "text": tmp_path / "text", "missing": tmp_path / "missing", "folder": tmp_path,
        "fifo": tmp_path / "fifo",
    }  # fmt: skip


@pytest.mark.parametrize(("certificate", "key", "ca", "said"), [
    ("", "key", "", "tls-certificate: the scheme https needs a file in PEM format"),
    ("cert", "", "", "tls-key: the scheme https needs a file in PEM format"),
    ("missing", "key", "", "tls-certificate: cannot read .*/missing: No such file or directory"),
    ("cert", "missing", "", "tls-key: cannot read .*/missing: No such file or directory"),
    ("cert", "key", "missing", "tls-ca: cannot read .*/missing: No such file or directory"),
    ("folder", "key", "", "tls-certificate: .* is no regular file"),
    ("fifo", "key", "", "tls-certificate: .*/fifo is no regular file"),
    ("cert", "fifo", "", "tls-key: .*/fifo is no regular file"),
    ("cert", "key", "fifo", "tls-ca: .*/fifo is no regular file"),
    ("empty", "key", "", "tls-certificate: .*/empty holds no certificate in PEM format"),
    ("text", "key", "", "tls-certificate: .*/text holds no certificate in PEM format"),
    ("cert", "text", "", "tls-key: .*/text holds no unencrypted key in PEM format"),
    ("cert", "other", "", "tls-key: the key in .*/other.key does not belong to the certificate in .*/server.pem"),
    ("cert", "key", "empty", "tls-ca: .*/empty holds no certificate in PEM format"),
    ("cert", "key", "text", "tls-ca: .*/text holds no certificate in PEM format"),
])  # fmt: skip
def test_files_that_cannot_be_used(files: dict[str, Path], certificate: str, key: str, ca: str, said: str) -> None:
    """What is wrong with a certificate, key or CA file is told in one line that names the option and the file."""
    chosen = [str(files[name]) if name else "" for name in (certificate, key, ca)]
    config = Config(
        scheme=("https",), client_tls_host=Host("127.0.0.1"),
        tls_certificate=chosen[0], tls_key=chosen[1], tls_ca=chosen[2],
    )  # fmt: skip
    with pytest.raises(CannotUseTls, match=said):
        Tls.of(config)


def test_encrypted_key(server: Certificate, tmp_path: Path) -> None:
    """A key with a password is refused, and nobody is asked for it."""
    encrypted = tmp_path / "encrypted.key"
    command = ["openssl", "pkcs8", "-topk8", "-in", server.key, "-out", encrypted, "-passout", "pass:secret"]
    subprocess.run(command, check=True, timeout=60)
    with pytest.raises(CannotUseTls, match=r"encrypted\.key holds no unencrypted key in PEM format"):
        settings_of(Certificate(server.certificate, encrypted), "uvicorn")


def test_a_key_that_all_can_read(server: Certificate, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A key that all users of the machine can read is warned about, and used."""
    key = tmp_path / "open.key"
    key.write_bytes(server.key.read_bytes())
    for mode, count in ((0o640, 0), (0o644, 1)):
        key.chmod(mode)
        settings_of(Certificate(server.certificate, key), "uvicorn")
        assert caplog.text.count("can read the key") == count


def test_files_without_the_scheme(caplog: pytest.LogCaptureFixture) -> None:
    """Who gives a certificate and forgets the scheme is told that it has no effect."""
    assert Tls.of(Config(tls_certificate="a.pem")) is None
    assert "option scheme does not name https" in caplog.text


class Scarce(socket.socket):
    """A listening socket of a process that has no descriptors left, at first."""

    failures = 3

    def accept(self) -> tuple[socket.socket, object]:
        """Accept, later."""
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


def test_no_descriptors(
    engine: str, authority: Authority, server: Certificate, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Row 25: while the system gives no descriptors, accepting pauses, without a busy loop; then it goes on."""
    monkeypatch.setattr("wfx.server.accepting._PAUSE", 0.05)
    monkeypatch.setattr("wfx.server.listeners.bind_tcp", lambda *at: Scarce(fileno=bind_tcp(*at).detach()))
    with serving(engine, Handlers(), tls=settings_of(server, engine)) as port:
        assert is_served(port, authority)
    assert caplog.text.count("cannot accept connections for a moment: Too many open files") == Scarce.failures
