"""Signals at any moment: the service ends as documented, and nothing of it is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import httpx
import psutil
import pytest
from plugin_programs import PluginDirectory
from rawhttp import Wire, request

from tests.waiting import eventually
from wfx.demo.local import STOP_DEADLINE, LocalService

SEED = 56 if "CI" in os.environ else random.SystemRandom().randrange(2**32)
MOMENTS = 10
STARTING = 1.5
"""Seconds within which the service starts, on a machine that has time for it."""
GRACE = 1
BASE = "/api/wfx/v1"
WORKFLOW = {"name": "w", "states": [{"name": "S"}], "transitions": []}
PROGRAM = "reduce range(10) as $n (0; . + $n)"
"""A filter that takes a worker of its own."""


def plugin_in(folder: Path) -> Path:
    """Write a plugin that lets everything pass."""
    directory = folder / "plugins"
    directory.mkdir(mode=0o755)
    PluginDirectory(directory).sdk("passing", "run(lambda request: PASS)")
    return directory


def session_of(leader: int) -> set[int]:
    """The processes that were started by a service, directly or not, found by their working directory and parents."""
    with suppress(psutil.NoSuchProcess):
        return {leader, *(child.pid for child in psutil.Process(leader).children(recursive=True))}
    return set()


def assert_gone(processes: set[int], folder: Path) -> None:
    """Wait until none of these processes is left, and none that works in the folder."""
    deadline = time.monotonic() + STOP_DEADLINE

    def left() -> list[int]:
        here = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid in processes or process.cwd() == str(folder):
                    here.append(process.pid)
        return here

    while found := left():
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


@pytest.mark.parametrize("round_", range(MOMENTS))
def test_a_signal_at_any_moment_of_the_start(tmp_path: Path, round_: int) -> None:
    """Row 56: SIGTERM while the service starts ends it, with exit code 0 or as any program, and leaves nothing."""
    moment = random.Random(SEED + round_).uniform(0, STARTING)
    folder = tmp_path / "data"
    folder.mkdir()
    command = [sys.executable, "-m", "wfx", "--client-port=0", "--mgmt-port=0", "--client-host=127.0.0.1",
               f"--mgmt-plugins-dir={plugin_in(tmp_path)}"]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=STOP_DEADLINE)
    handled = "wfx starts" in said
    assert process.returncode in ((0,) if handled else (0, -signal.SIGTERM)), (SEED, round_, moment, said)
    assert "Traceback" not in said
    assert_gone({process.pid}, folder)
    with LocalService(folder) as again:
        assert httpx.get(f"{again.north}{BASE}/jobs", trust_env=False).status_code == 200


@pytest.fixture(autouse=True)
def _hang_up() -> Iterator[None]:
    """The service does not ignore SIGHUP, although the tests may, as under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(params=["uvicorn", "hypercorn"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[LocalService, Path]]:
    """A service of each engine with a plugin, a filter worker, a stream that is read, and writers."""
    folder = tmp_path / "data"
    folder.mkdir()
    options = (f"--http-engine={request.param}", f"--graceful-timeout={GRACE}s",
               f"--mgmt-plugins-dir={plugin_in(tmp_path)}")  # fmt: skip
    with LocalService(folder, *options) as service:
        httpx.post(f"{service.north}{BASE}/workflows", json=WORKFLOW, trust_env=False).raise_for_status()
        filtered = {"X-Response-Filter": PROGRAM}
        assert httpx.get(f"{service.north}{BASE}/jobs", headers=filtered, trust_env=False).text == "45\n"
        stopped = threading.Event()
        threads = [threading.Thread(target=work, args=(service, stopped)) for work in (_write, _write, _follow)]
        for thread in threads:
            thread.start()
        yield service, folder
        stopped.set()
    for thread in threads:
        thread.join()


def _write(service: LocalService, stopped: threading.Event) -> None:
    with httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=STOP_DEADLINE) as client:
        while not stopped.is_set():
            try:
                client.post("/jobs", json={"clientId": "c", "workflow": "w"})
            except httpx.TransportError:
                return


def _follow(service: LocalService, _: threading.Event) -> None:
    url = f"{service.south}{BASE}/jobs/events?since=0"
    with suppress(httpx.TransportError), httpx.stream("GET", url, trust_env=False, timeout=STOP_DEADLINE) as events:
        for _line in events.iter_lines():
            pass


def end(service: LocalService, folder: Path, send: Callable[[subprocess.Popen[str]], None]) -> int:
    """Send signals, wait for the end, and see that nothing is left."""
    assert service.process is not None
    processes = session_of(service.process.pid)
    assert len(processes) > 2, "the plugin and a filter worker"
    send(service.process)
    code = service.process.wait(STOP_DEADLINE)
    assert_gone(processes, folder)
    return code


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_requests_run(busy: tuple[LocalService, Path], how: signal.Signals) -> None:
    """Row 56: SIGTERM and SIGINT under load end the service with exit code 0; plugins and filter workers go with it."""
    assert end(*busy, lambda process: process.send_signal(how)) == 0
    assert "Traceback" not in "".join(busy[0].lines)


def test_signals_while_it_stops(busy: tuple[LocalService, Path]) -> None:
    """Row 56: further signals, up to its very end, do no harm: it ends in order, with exit code 0."""

    def insist(process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + STOP_DEADLINE
        for how in cycle((signal.SIGTERM, signal.SIGINT, signal.SIGHUP)):
            if process.poll() is not None:
                return
            assert time.monotonic() < deadline
            process.send_signal(how)
            time.sleep(0.001)

    assert end(*busy, insist) == 0
    assert "Traceback" not in "".join(busy[0].lines)


@pytest.mark.parametrize("engine", ["uvicorn", "hypercorn"])
def test_a_second_signal(tmp_path: Path, engine: str) -> None:
    """Row 56: a second signal ends the service without waiting for requests and plugins, with exit code 0."""
    folder, directory = tmp_path / "data", tmp_path / "plugins"
    folder.mkdir()
    directory.mkdir(mode=0o755)
    PluginDirectory(directory).script("stubborn", """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        frame()
        print("<3>asked", file=sys.stderr, flush=True)
        time.sleep(600)
    """)  # fmt: skip
    options = (f"--http-engine={engine}", "--graceful-timeout=10m", f"--client-plugins-dir={directory}")
    with LocalService(folder, *options) as service:
        assert service.process is not None
        processes = session_of(service.process.pid)
        with Wire(service.ports["south"]) as wire:
            wire.send(request("GET", "/version"))
            eventually(lambda: "asked" in "".join(service.lines), "the plugin has the request")
            service.process.send_signal(signal.SIGTERM)
            eventually(lambda: '"stopping"' in "".join(service.lines), "it stops")
            assert service.process.poll() is None, "it waits for the plugin"
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(STOP_DEADLINE) == 0
            assert wire.closed()
        assert_gone(processes, folder)
        assert "second signal: aborting" in "".join(service.lines)
        assert "Traceback" not in "".join(service.lines)


def test_hanging_up(busy: tuple[LocalService, Path]) -> None:
    """Row 56: SIGHUP under load ends nothing: the service and its plugins work on, and stop in order afterwards."""
    service, folder = busy
    assert service.process is not None
    for _ in range(10):
        service.process.send_signal(signal.SIGHUP)
    eventually(lambda: any("configuration reloaded" in line for line in list(service.lines)), "reloaded")
    assert httpx.get(f"{service.north}{BASE}/jobs", trust_env=False).status_code == 200
    assert end(service, folder, lambda process: process.send_signal(signal.SIGTERM)) == 0


def test_a_signal_while_requests_are_waited_for(tmp_path: Path) -> None:
    """Row 56: a request that does not come to its end is waited for as long as was asked for, and then cut off."""
    with LocalService(tmp_path, f"--graceful-timeout={GRACE}s") as service:
        with httpx.Client(base_url=service.north + BASE, trust_env=False, timeout=STOP_DEADLINE) as client:
            client.post("/workflows", json=WORKFLOW).raise_for_status()
        waiting = threading.Thread(target=_endless, args=(service,))
        waiting.start()
        assert service.stop() == 0
        waiting.join()


def _endless(service: LocalService) -> None:
    def body() -> Iterator[bytes]:
        yield b"{"
        time.sleep(2 * GRACE)
        yield b"}"

    with suppress(httpx.HTTPError):
        httpx.post(f"{service.north}{BASE}/jobs", content=body(), trust_env=False, timeout=STOP_DEADLINE)
