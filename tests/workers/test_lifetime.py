"""Starts and ends of services with several workers: nothing is left behind, and what cannot start says so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest
from waiting import eventually, is_gone

from tests.certificates import Authority
from tests.server.test_systemd import activated, listening_tcp, side_of
from tests.workers.service import BASE, answer_of, ask, running


def start(folder: Path, option: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Start a service that is not expected to serve."""
    command = [
        sys.executable, "-m", "wfx", "--workers=2", "--storage=postgres", f"--storage-opt={option}",
        "--client-host=127.0.0.1", "--client-port=0", "--mgmt-port=0", "--log-format=json", *options,
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_stop(option: str, tmp_path: Path) -> None:
    """SIGTERM ends all workers in order, and with exit code 0 nobody listens any more."""
    with running(tmp_path, option) as service:
        processes = service.parent.children(recursive=True)
        assert service.local.stop() == 0
        for number in (1, 2):
            assert service.logged("wfx stopped", worker=number) == 1
        assert service.logged("a worker has ended, and is started again") == 0
        assert all(map(is_gone, processes))
        with pytest.raises(ConnectionRefusedError):
            ask(service.local.ports["north"])


def test_second_signal(option: str, tmp_path: Path) -> None:
    """A second signal ends the service though requests are not done, which it would wait for."""
    with running(tmp_path, option, "--graceful-timeout=10m", "--read-timeout=10m") as service:
        half = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"
        with socket.create_connection(("127.0.0.1", service.local.ports["north"])) as unfinished:
            unfinished.sendall(half)
            eventually(lambda: sum(service.samples("wfx_http_requests_in_flight").values()) >= 2, "it is being read")
            service.parent.send_signal(signal.SIGINT)
            eventually(lambda: service.logged("event streams have ended") == 2, "both stop")
            assert service.local.stop(signal.SIGINT) == 0
        assert service.logged("second signal: aborting running requests") >= 1


def test_signals_to_all(option: str, tmp_path: Path) -> None:
    """A request that is running is finished though, as by systemd, all processes of the service are sent SIGTERM."""
    with running(tmp_path, option, "--graceful-timeout=10m", "--read-timeout=10m") as service:
        begun = b"POST /api/wfx/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nConnection: close\r\n\r\n"
        unfinished = socket.create_connection(("127.0.0.1", service.local.ports["north"]), timeout=120)
        unfinished.sendall(begun)
        eventually(lambda: sum(service.samples("wfx_http_requests_in_flight").values()) >= 2, "it is being read")
        service.parent.terminate()
        eventually(lambda: service.logged("event streams have ended") == 2, "both stop")
        for worker in service.workers().values():
            worker.terminate()
        unfinished.sendall(b"{}       ")
        assert answer_of(unfinished).startswith(b"HTTP/1.1 400 ")
        assert service.local.process is not None
        assert service.local.process.wait(120) == 0


def test_parent_killed(option: str, tmp_path: Path) -> None:
    """When the parent is killed its workers end with it."""
    with running(tmp_path, option) as service:
        processes = service.parent.children(recursive=True)
        assert service.local.stop(signal.SIGKILL) == -signal.SIGKILL
        eventually(lambda: all(map(is_gone, processes)), "the workers end")


def test_changed_files(option: str, tmp_path: Path) -> None:
    """A worker that is started later has the changed settings of the others, and like them not what needs a restart."""
    file = tmp_path / "wfx.yml"
    file.write_text("events-keep: 10\n")
    with running(tmp_path, option) as service:
        (tmp_path / "new").write_text("events-keep: 20\nmax-header-size: 5000\n")
        (tmp_path / "new").rename(file)
        reloaded = {"message": "configuration reloaded", "changed": {"events-keep": "20"}}
        postponed = {
            "message": "changed options need a restart to take effect", "options": {"max-header-size": "5000"}
        }  # fmt: skip
        for number in (1, 2):
            eventually(lambda n=number: service.logged(**reloaded, worker=n) == 1, "it reloads")  # type: ignore[misc]
            eventually(lambda n=number: service.logged(**postponed, worker=n) == 1, "it tells")  # type: ignore[misc]
        service.workers()[1].kill()
        eventually(lambda: service.logged(**reloaded, worker=1) == 2, "so does the new one")
        eventually(lambda: service.logged(**postponed, worker=1) == 2, "and tells")


def test_worker_that_cannot_start(option: str, tmp_path: Path) -> None:
    """A service whose workers cannot start ends with exit code 1, the reason, and which worker it was."""
    done = start(tmp_path, option, "--client-plugins-dir=missing")
    assert done.returncode == 1
    first, last = done.stderr.splitlines()
    assert first.startswith("Error: ")
    assert "missing" in first
    assert last == "Error: worker 1 did not start (exit code 1)"


def test_certificate_that_cannot_be_used(option: str, tmp_path: Path) -> None:
    """What the parent can tell is refused before any worker starts."""
    done = start(tmp_path, option, "--scheme=https", "--tls-certificate=missing.pem", "--tls-key=missing.pem")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: tls-certificate: ")
    assert done.stderr.count("\n") == 1


def test_worker_that_ends_again_and_again(option: str, tmp_path: Path) -> None:
    """A worker that does not start again is tried later and later, the others serve, and it returns once it can."""
    plugins, away = tmp_path / "plugins", tmp_path / "away"
    plugins.mkdir()
    with running(tmp_path, option, f"--client-plugins-dir={plugins}") as service:
        plugins.rename(away)
        service.workers()[2].kill()
        ended = "a worker has ended, and is started again"
        eventually(lambda: service.logged(ended, worker=2, reason="exit code 1") >= 2, "it ends again and again")
        pauses = [each["pause"] for each in service.records if each["message"] == ended]
        assert pauses[:3] == [0.0, 1.0, 2.0]
        assert service.logged(ended, worker=1) == 0
        away.rename(plugins)
        service.await_starts(2, 2)


def test_sqlite(tmp_path: Path) -> None:
    """SQLite refuses several workers, with the reason and what to do."""
    command = [sys.executable, "-m", "wfx", "--workers=2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "Error: workers: 2 processes cannot share an SQLite file, which one process has for itself: "
        "leave it at 1, or use --storage postgres (--workers)\n"
    )


def test_unix_sockets(option: str, tmp_path: Path) -> None:
    """Workers share Unix sockets, which have the mode that was asked for, and are gone in the end."""
    paths = [tmp_path / "c.sock", tmp_path / "m.sock"]
    with running(
        tmp_path, option, "--scheme=http,unix", "--unix-socket-mode=0660",
        *(f"--{side}-unix-socket={path}" for side, path in zip(("client", "mgmt"), paths, strict=True)),
    ) as service:  # fmt: skip
        assert [path.stat().st_mode & 0o777 for path in paths] == [0o660, 0o660]
        service.workers()[1].kill()
        for _ in range(20):
            for path, side in zip(paths, ("south", "north"), strict=True):
                with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=120) as client:
                    assert side_of(client, "http://wfx") == side
        assert service.local.stop() == 0
        assert not any(path.exists() for path in paths)


def test_https(option: str, tmp_path: Path) -> None:
    """All workers speak HTTPS, and read renewed certificates when they reload."""
    authority = Authority(tmp_path)
    made = authority.sign("server")
    with running(
        tmp_path, option, "--scheme=http,https", "--client-tls-host=127.0.0.1", "--client-tls-port=0",
        "--mgmt-tls-port=0", f"--tls-certificate={made.certificate}", f"--tls-key={made.key}",
    ) as service:  # fmt: skip
        port = next(
            each["addr"].rpartition(":")[2] for each in service.records
            if each["message"] == "listening" and each["scheme"] == "https" and each["side"] == "north"
        )  # fmt: skip
        for _ in range(30):
            url = f"https://localhost:{port}{BASE}/jobs"
            assert httpx.get(url, verify=authority.trusting(), trust_env=False, timeout=120).status_code == 200
        handshakes = service.samples("wfx_http_requests_total")
        assert all(handshakes[number] > 0 for number in (1, 2))


def test_rate_limit(option: str, tmp_path: Path) -> None:
    """An address may make as many requests as the limit says at all workers together."""
    limits = ("--rate-limit-enabled", "--ip-rate-limit=40", "--ip-window-minutes=600")
    with running(tmp_path, option, *limits) as service, service.client() as client:
        answers = [client.get(f"{BASE}/jobs").status_code for _ in range(60)]
        assert answers == [200] * 40 + [429] * 20
        refused = service.samples("wfx_refusals_total", 'reason="rate"')
        assert sum(refused.values()) == 20
        assert all(refused[number] > 0 for number in (1, 2))


def told(manager: socket.socket) -> list[str]:
    """What systemd is told next, beside signs of life."""
    while (said := manager.recv(4096)) == b"WATCHDOG=1":
        pass
    return said.decode().split("\n")


def test_systemd(option: str, tmp_path: Path) -> None:
    """Workers serve on sockets of systemd, which is told once that all serve, and when they stop."""
    path = str(tmp_path / "notify")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        listening_tcp() as south,
        listening_tcp() as north,
        pytest.MonkeyPatch.context() as patch,
    ):
        manager.bind(path)
        manager.settimeout(120)
        patch.setenv("NOTIFY_SOCKET", path)
        patch.setenv("WATCHDOG_USEC", str(60 * 10**6))
        options = ("--workers=2", "--storage=postgres", f"--storage-opt={option}")
        with activated(tmp_path, [south, north], "client:mgmt", *options) as process:
            assert manager.recv(4096) == b"WATCHDOG=1"
            kind, status = told(manager)
            assert kind == "READY=1"
            assert status.startswith("STATUS=2 workers serve on 127.0.0.1:")
            children = psutil.Process(process.pid).children()
            port = north.getsockname()[1]
            for _ in range(20):
                assert answer_of(ask(port)).startswith(b"HTTP/1.1 200 ")
            os.kill(process.pid, signal.SIGHUP)
            assert [told(manager)[0] for _ in range(2)] == ["RELOADING=1", "READY=1"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(120) == 0
            kind = ""
            while kind != "STOPPING=1":
                kind = told(manager)[0]
        assert all(map(is_gone, children))
