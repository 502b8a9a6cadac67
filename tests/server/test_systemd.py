"""Service under systemd: sockets that it passes, and what it is told."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from waiting import eventually

from tests.certificates import Authority
from wfx.demo.local import STOP_DEADLINE
from wfx.request_context import Side
from wfx.server.socket_activation import PassedSocketsUnusable, passed_sockets
from wfx.systemd import ServiceManager

PASSING = """\
import os, sys
names, *command = sys.argv[1:]
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(names.split(":"))), "LISTEN_FDNAMES": names}
os.execv(sys.executable, [sys.executable, "-m", "wfx", *command])
"""
"""Does what systemd does between fork and exec; the sockets are those from descriptor 3 on."""
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
FREE = ("--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1")


@contextmanager
def activated(folder: Path, sockets: list[socket.socket], names: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a service that is started with these sockets."""
    targets = [os.dup(each.fileno()) for each in sockets]

    def arrange() -> None:
        high = [os.dup2(number, 100 + place) for place, number in enumerate(targets)]
        for place, number in enumerate(high):
            os.dup2(number, 3 + place)

    process = subprocess.Popen(
        [sys.executable, "-c", PASSING, names, "--storage-opt=file:x?mode=memory", "--log-format=json", *options],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        close_fds=False, preexec_fn=arrange,  # noqa: PLW1509  # no threads run here that could hold a lock
    )  # fmt: skip
    for number in targets:
        os.close(number)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def listening_tcp() -> socket.socket:
    """A socket on a free port."""
    return socket.create_server(("127.0.0.1", 0))


def listening_unix(path: Path) -> socket.socket:
    """A Unix socket."""
    opened = socket.socket(socket.AF_UNIX)
    opened.bind(str(path))
    opened.listen()
    return opened


def side_of(client: httpx.Client, url: str) -> str:
    """Which API answers: devices may not create workflows."""
    answer = client.post(f"{url}/api/wfx/v1/workflows", json=WORKFLOW)
    return "south" if answer.status_code == 403 else "north"


@pytest.mark.parametrize(("names", "sides"), [
    ("wfx.socket:wfx.socket", ["south", "north"]), ("mgmt:client", ["north", "south"]),
    ("client:mgmt", ["south", "north"]), ("north:south", ["north", "south"]),
    ("client:mgmt:client", ["south", "north", "south"]),
])  # fmt: skip
def test_tcp(tmp_path: Path, names: str, sides: list[str]) -> None:
    """Sockets are the southbound and the northbound one in this order, unless their names say otherwise."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening_tcp()) for _ in sides]
        stack.enter_context(activated(tmp_path, sockets, names))
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=STOP_DEADLINE))
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in sockets]
        assert [side_of(client, url) for url in urls] == sides


def test_unix(engine: str, tmp_path: Path) -> None:
    """Unix sockets of systemd are served, and left in place: they are not the service's own."""
    paths = [tmp_path / "client.sock", tmp_path / "mgmt.sock"]
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening_unix(path)) for path in paths]
        options = ("--scheme=unix", f"--http-engine={engine}")
        process = stack.enter_context(activated(tmp_path, sockets, "wfx.socket:wfx.socket", *options))
        for path, side in zip(paths, ("south", "north"), strict=True):
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=STOP_DEADLINE) as client:
                assert side_of(client, "http://wfx") == side
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) == 0
        assert all(path.is_socket() for path in paths)


def test_https(engine: str, tmp_path: Path) -> None:
    """With --scheme https alone, HTTPS is spoken on the sockets of systemd; several schemes are refused."""
    authority = Authority(tmp_path)
    made = authority.sign("server")
    files = (f"--tls-certificate={made.certificate}", f"--tls-key={made.key}")
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening_tcp()) for _ in range(2)]
        with activated(tmp_path, sockets, "a:b", "--scheme=http,https", *files) as process:
            output, _ = process.communicate(timeout=STOP_DEADLINE)
            assert "Error: systemd has passed sockets, which are served in one way: give one scheme only" in output
        stack.enter_context(activated(tmp_path, sockets, "a:b", "--scheme=https", f"--http-engine={engine}", *files))
        verify = authority.trusting()
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=STOP_DEADLINE, verify=verify))
        urls = [f"https://localhost:{each.getsockname()[1]}" for each in sockets]
        assert [side_of(client, url) for url in urls] == ["south", "north"]


@pytest.mark.parametrize(("count", "names", "said"), [
    (1, "wfx.socket", "systemd has passed 1 sockets: two are needed, the southbound one first"),
    (3, "a:b:c", "systemd has passed 3 sockets: two are needed"),
    (2, "client:other", "of which some are named and some are not (client:other)"),
    (2, "client:south", "systemd has passed no socket for the north side"),
    (1, "mgmt", "systemd has passed no socket for the south side"),
])  # fmt: skip
def test_sockets_that_do_not_fit(tmp_path: Path, count: int, names: str, said: str) -> None:
    """Sockets of which it is not clear whose they are end the start with a line that says what is wanted."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(listening_tcp()) for _ in range(count)]
        process = stack.enter_context(activated(tmp_path, sockets, names))
        output, _ = process.communicate(timeout=STOP_DEADLINE)
        assert process.returncode == 1
        assert output.startswith("Error: ")
        assert said in output
        assert "Traceback" not in output


def test_sockets_for_somebody_else() -> None:
    """Sockets that were passed to another process are not taken, and the variables go no further."""
    environment: MutableMapping[str, str] = {"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b", "X": "y"}
    assert passed_sockets(environment) == []
    assert environment == {"X": "y"}


def test_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """A descriptor that is no listening socket is refused."""
    with socket.socket() as idle:
        monkeypatch.setattr("wfx.server.socket_activation._FIRST", os.dup(idle.fileno()))
        with pytest.raises(PassedSocketsUnusable, match="is no listening TCP or Unix socket"):
            passed_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})


def test_by_systemd_itself(tmp_path: Path) -> None:
    """systemd-socket-activate starts the service with its sockets when the first client comes."""
    with listening_tcp() as first, listening_tcp() as second:
        ports = [each.getsockname()[1] for each in (first, second)]
    command = [
        "systemd-socket-activate", *(f"--listen=127.0.0.1:{port}" for port in ports),
        sys.executable, "-m", "wfx", "--storage-opt=file:x?mode=memory",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(trust_env=False, timeout=STOP_DEADLINE) as client:
            eventually(lambda: is_served(client, ports[0]), "systemd-socket-activate listens")
            sides = [side_of(client, f"http://127.0.0.1:{port}") for port in ports]
        assert sides == [Side.SOUTH, Side.NORTH]
    finally:
        process.terminate()
        assert process.wait(STOP_DEADLINE) == 0


def is_served(client: httpx.Client, port: int) -> bool:
    """Whether somebody answers."""
    try:
        return client.get(f"http://127.0.0.1:{port}/version").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The end of the notification socket that systemd has, and what the service is told about it."""
    path = str(tmp_path / "notify") if request.param == "file" else f"@wfx-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as opened:
        opened.bind(path.replace("@", "\0", 1))
        opened.settimeout(STOP_DEADLINE)
        yield opened, path


def test_notifications(manager: tuple[socket.socket, str], tmp_path: Path) -> None:
    """Systemd is told when the service serves, that it lives, and that it stops."""
    opened, path = manager
    environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000"}
    command = [sys.executable, "-m", "wfx", *FREE, "--storage-opt=file:x?mode=memory"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    try:
        seen = [opened.recv(4096).decode().split("\n") for _ in range(4)]
        assert next(lines for lines in seen if lines != ["WATCHDOG=1"])[0] == "READY=1"
        assert ["WATCHDOG=1"] in seen
        assert any(line.startswith("STATUS=serving on 127.0.0.1:") for lines in seen for line in lines)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) == 0
    rest = [opened.recv(4096).decode()]
    while rest[-1] == "WATCHDOG=1":
        rest.append(opened.recv(4096).decode())
    assert rest[-1].split("\n")[0] == "STOPPING=1"


def test_reloading(manager: tuple[socket.socket, str]) -> None:
    """A reload is announced with the time, as systemd wants it, and over with READY."""
    opened, path = manager
    environment: MutableMapping[str, str] = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1", "X": "y"}
    told = ServiceManager(environment)
    assert environment == {"X": "y"}, "programs that it starts are not the service"
    assert told.watchdog is None, "another process is watched"
    told.ready("serving")
    told.reloading()
    told.reloaded()
    told.close()
    told.stopping()
    first, second, third = (opened.recv(4096).decode().split("\n") for _ in range(3))
    assert first == third == ["READY=1", "STATUS=serving"]
    assert second[0] == "RELOADING=1"
    assert second[1].removeprefix("MONOTONIC_USEC=").isdecimal()


def test_nobody_to_tell(tmp_path: Path) -> None:
    """A notification socket that is not there, or nobody reads, does no harm."""
    for path in (str(tmp_path / "missing"), ""):
        told = ServiceManager({"NOTIFY_SOCKET": path})
        told.ready("serving")
        told.close()
