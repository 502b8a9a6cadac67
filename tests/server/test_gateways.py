"""Behind a gateway that tells who a device is, no device speaks for another."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import httpx
import pytest
from plugin_programs import ROOT
from rawhttp import Wire, request

from tests.acceptance.plugins.conftest import empty_guard
from tests.acceptance.streams.writing import BASE, create_job, store_workflow
from tests.server.conftest import ENGINES
from tests.server.gateways import GATEWAYS, Ports, gateway
from tests.server.smuggling import BROKEN, FIELDS, LAST, Lines
from wfx.demo.local import LocalService

DEVICES = ("dev-a", "dev-b")
_UPGRADES = [lines for lines in FIELDS + LAST if "Upgrade" in "".join(lines)]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A service whose south side has the auth example, and a gateway in front of that."""

    service: LocalService
    ports: Ports
    jobs: dict[str, str]
    """The job of each device."""

    def state(self, device: str) -> str:
        """Return the state of a device's job, asked for on the north side."""
        answer = httpx.get(f"{self.service.north}{BASE}/jobs/{self.jobs[device]}/status", trust_env=False)
        return str(answer.raise_for_status().json()["state"])


@pytest.fixture(scope="module", params=list(itertools.product(GATEWAYS, ENGINES)), ids="-".join)
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Each gateway in front of each engine."""
    kind, engine = request.param
    folder = tmp_path_factory.mktemp(f"gateway-{kind}-{engine}")
    guard = empty_guard(folder)
    guard.south.sdk("auth", (ROOT / "plugins" / "examples" / "auth" / "auth.py").read_text())
    environment = {"AUTH_CONFIG": str(folder / "auth.json")}
    service = LocalService(folder, *guard.options, f"--http-engine={engine}", environment=environment)
    with socket.create_server(("127.0.0.1", 0)) as free:
        service.ports["north"] = free.getsockname()[1]
    (folder / "auth.json").write_text(json.dumps({"north": service.north, "identity_header": "X-Device"}))
    with service, gateway(kind, folder, service.ports["south"], DEVICES) as ports:
        store_workflow(service)
        yield Guarded(service, ports, {device: create_job(service, device) for device in DEVICES})


def send(port: int, data: bytes) -> None:
    """Send bytes to a gateway, and wait until it has nothing more to say."""
    with Wire(port) as wire, suppress(ConnectionError):
        wire.send(data)
        wire.socket.shutdown(socket.SHUT_WR)
        while wire.socket.recv(65536):
            pass


def attacks(victim: str) -> Iterator[bytes]:
    """Requests whose body is a report on the job of another device, which names that device."""
    report = request("PUT", f"{BASE}/jobs/{victim}/status", b'{"state":"TERMINATED"}', "X-Device: dev-b")
    framings: list[Lines] = [(f"Content-Length: {len(report)}",), ("Transfer-Encoding: chunked",), *BROKEN]
    for method, framing, fields in itertools.product(("GET", "PUT"), framings, [*_UPGRADES, ()]):
        body = report
        if framing == ("Transfer-Encoding: chunked",):
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(report), report)
        lines = [line.replace("{length}", str(len(report))) for line in (*fields, *framing)]
        yield request(method, "/version", b"", *lines, "Content-Type: application/json") + body
    yield f"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nContent-Length: {len(report)}\r\n\r\n".encode() + report


@pytest.mark.timeout(600)  # the first time, all of Go's library is compiled
def test_no_device_speaks_for_another(guarded: Guarded) -> None:
    """Row 26: whatever framing a device sends through a gateway, the jobs and the answers of others stay theirs."""
    with httpx.Client(base_url=f"http://127.0.0.1:{guarded.ports['dev-b']}{BASE}", trust_env=False) as other:
        for number, attack in enumerate(attacks(guarded.jobs["dev-b"])):
            send(guarded.ports["dev-a"], attack)
            if number % 10 == 0:
                assert other.get(f"/jobs/{guarded.jobs['dev-b']}").json()["id"] == guarded.jobs["dev-b"], attack
        assert other.get(f"/jobs/{guarded.jobs['dev-b']}").json()["status"]["state"] == "INSTALL"
    assert guarded.state("dev-b") == "INSTALL"


@pytest.mark.timeout(600)  # as above
@pytest.mark.parametrize("fields", [fields for fields in _UPGRADES if "Expect" not in fields[0]], ids=", ".join)
def test_an_offer_does_no_harm(guarded: Guarded, fields: Lines) -> None:
    """A device whose library offers another protocol with each request reports on its job all the same."""
    path = f"{BASE}/jobs/{guarded.jobs['dev-a']}/status"
    with Wire(guarded.ports["dev-a"]) as wire:
        wire.send(request("PUT", path, b'{"state":"INSTALLING"}', *fields))
        assert wire.answer().status == 200
    assert guarded.state("dev-a") == "INSTALLING"
