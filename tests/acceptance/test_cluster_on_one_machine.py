"""``make run-cluster``: servers are killed under those who follow and change jobs, and nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from waiting import eventually, is_gone

ROOT = Path(__file__).parents[2]
BASE = "/api/wfx/v1"


class Cluster:
    """The program that runs, and what it says."""

    def __init__(self, *options: str) -> None:
        """Run it as the target of the Makefile does."""
        command = [sys.executable, "-P", "-m", "local_cluster", "--north-port=0", "--south-port=0", *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "loadtest")}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                self.lines.append(line)

    @property
    def text(self) -> str:
        """All that it has said."""
        return "".join(self.lines)

    def await_text(self, wanted: str) -> None:
        """Wait until it says something."""
        eventually(lambda: wanted in self.text or self.process.poll() is not None, wanted)
        assert wanted in self.text, self.text

    def port(self, side: str) -> int:
        """Where the balancer serves a side."""
        found = re.search(rf"{side}bound API .*http://127\.0\.0\.1:(\d+)/", self.text)
        assert found is not None
        return int(found[1])

    def servers(self) -> dict[str, tuple[int, int]]:
        """The process id and the northbound port of each server, as they were at the start."""
        found = re.findall(r"(server-\d): process (\d+), http://127\.0\.0\.1:(\d+)", self.text)
        return {name: (int(process), int(port)) for name, process, port in found}

    @property
    def folder(self) -> Path:
        """Its private directory."""
        found = re.search(r"logs: (\S+)/\*\.log", self.text)
        assert found is not None
        return Path(found[1])

    def everything(self) -> list[psutil.Process]:
        """All processes that it has started."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def running(*options: str) -> Iterator[Cluster]:
    """Run the cluster until it says what to try."""
    cluster = Cluster(*options)
    try:
        cluster.await_text("Stop with Ctrl-C")
        yield cluster
    finally:
        cluster.process.send_signal(signal.SIGINT)
        cluster.process.wait(120)


def test_a_server_is_killed() -> None:
    """Each event is shown once by wfxctl, in order, while its server is killed and others change jobs."""
    with running() as cluster, following(cluster) as shown:
        with httpx.Client(base_url=f"http://127.0.0.1:{cluster.port('north')}{BASE}", trust_env=False) as client:
            eventually(lambda: followed_at(cluster), "wfxctl follows")
            made = [create(client) for _ in range(3)]
            name = followed_at(cluster)[0]
            os.kill(cluster.servers()[name][0], signal.SIGKILL)
            made += [create(client) for _ in range(6)]
            for job in made:
                move(client, job)
        cluster.await_text(f"{name} has ended")
        log = whole_log(next(port for other, (_, port) in cluster.servers().items() if other != name))
        eventually(lambda: len(shown) >= len(log), "wfxctl shows everything")
        assert shown == log
        assert set(made) <= {event["job"]["id"] for event in log}
        cluster.await_text(f"{name} starts again")
        eventually(lambda: is_ready(cluster.servers()[name][1]), "it serves again")
        assert shown == log


def test_no_server_is_ready() -> None:
    """While no server is ready the balancer answers as wfx does: 503 with Retry-After, and JSON; then all goes on."""
    with running("--servers=1", "--no-demo") as cluster:
        ((process, _),) = cluster.servers().values()
        last: dict[str, httpx.Response] = {}
        refused: dict[str, httpx.Response] = {}

        def both_are_refused() -> bool:
            for side in ("north", "south"):
                last[side] = httpx.get(f"http://127.0.0.1:{cluster.port(side)}{BASE}/jobs", trust_env=False, timeout=60)
                if last[side].status_code == 503:
                    refused[side] = last[side]
            return len(refused) == 2

        os.kill(process, signal.SIGKILL)
        eventually(both_are_refused, "the balancer has noticed")
        for answer in refused.values():
            assert int(answer.headers["retry-after"]) > 0
            assert answer.json()["errors"][0]["code"] == "wfx.storeUnavailable"
        eventually(lambda: both_are_refused() and last["south"].status_code == 200, "the server is there again")


def test_nothing_is_left_behind() -> None:
    """Ctrl-C ends all processes with exit code 0 and removes the directory."""
    with running("--servers=1") as cluster:
        assert "the job is ACTIVATED" in cluster.text
        processes, folder = cluster.everything(), cluster.folder
        assert {each.name() for each in processes} >= {"postgres", "haproxy"}
        cluster.process.send_signal(signal.SIGINT)
        assert cluster.process.wait(120) == 0
        assert all(map(is_gone, processes))
        assert not folder.exists()


def test_it_is_killed() -> None:
    """When the program itself is killed, all that it has started ends, too, and the directory goes."""
    with running("--servers=1", "--no-demo") as cluster:
        processes, folder = cluster.everything(), cluster.folder
        cluster.process.kill()
        eventually(lambda: all(map(is_gone, processes)), "all end")
        eventually(lambda: not folder.exists(), "the directory goes")


def test_port_in_use() -> None:
    """A port that is in use is named, with the option for another one, before anything starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = Cluster(f"--south-port={port}")
        assert cluster.process.wait(120) == 1
        eventually(lambda: cluster.lines, "it says why")
        assert (
            cluster.text
            == f"Error: port {port} cannot be used (Address already in use): choose another by --south-port\n"
        )


def test_target() -> None:
    """The target of the Makefile runs this program with ARGS."""
    command = ["make", "-n", "run-cluster", "ARGS=--servers=2"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "PYTHONPATH=loadtest exec .venv/bin/python -P -m local_cluster --servers=2\n" in said


def test_help() -> None:
    """The help says how ARGS are given to make, in plain text."""
    command = [sys.executable, "-P", "-m", "local_cluster", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "loadtest")}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert said.startswith('usage: make run-cluster [ARGS="--servers N ')
    assert "``" not in said


@contextmanager
def following(cluster: Cluster) -> Iterator[list[dict[str, Any]]]:
    """Follow all events with wfxctl, through the balancer."""
    command = [
        sys.executable, "-m", "wfxctl", "job", "events", "--auto-reconnect", "--since=0",
        f"--mgmt-port={cluster.port('north')}", f"--client-port={cluster.port('south')}",
    ]  # fmt: skip
    shown: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        output = process.stdout

        def read() -> None:
            shown.extend(map(json.loads, output))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield shown
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)
            reader.join(120)


def followed_at(cluster: Cluster) -> list[str]:
    """The servers that have subscribers of streams."""
    found = []
    for name, (_, port) in cluster.servers().items():
        with suppress(httpx.TransportError):
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=60).text
            if "\nwfx_event_subscribers 0.0" not in text:
                found.append(name)
    return found


def is_ready(port: int) -> bool:
    """Whether a server says so."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False, timeout=60).status_code == 200
    except httpx.TransportError:
        return False


def create(client: httpx.Client) -> str:
    """Create a job; again if its answer was lost with the server, so that there may be one more."""
    request = {"clientId": "d", "workflow": "wfx.workflow.dau.phased", "definition": {}}
    return str(insist(client, "POST", "/jobs", request).json()["id"])


def move(client: httpx.Client, job: str) -> None:
    """Have a job go on to DOWNLOAD; it may be there by a request whose answer was lost."""
    if insist(client, "GET", f"/jobs/{job}/status").json()["state"] == "CREATED":
        insist(client, "PUT", f"/jobs/{job}/status", {"state": "DOWNLOAD"})
    assert insist(client, "GET", f"/jobs/{job}/status").json()["state"] == "DOWNLOAD"


def insist(client: httpx.Client, method: str, path: str, body: object = None) -> httpx.Response:
    """Send a request until it is answered by a server that lives."""
    deadline = time.monotonic() + 120
    while True:
        with suppress(httpx.TransportError):
            answer = client.request(method, path, json=body, timeout=60)
            if answer.status_code < 500:
                return answer
        assert time.monotonic() < deadline, path


def whole_log(port: int) -> list[dict[str, Any]]:
    """All events, page by page, as one server has them on the log."""
    events: list[dict[str, Any]] = []
    since = "0"
    while True:
        answer = httpx.get(
            f"http://127.0.0.1:{port}{BASE}/jobs/events", params={"since": since}, trust_env=False, timeout=60,
            headers={"accept": "application/json"},
        )  # fmt: skip
        page = answer.raise_for_status().json()
        if not page["content"]:
            return events
        events += [each["event"] for each in page["content"]]
        since = page["next"]
