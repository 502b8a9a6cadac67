"""What a plugin costs: latency added to each request, and throughput with it as a ratio to throughput without.

All services run at the same time, and each request goes to all of them in turn, so that whatever else the machine does
touches them alike.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from bench import wrk
from bench.streams import Figure
from bench.wrk import Load
from wfx.demo.local import LocalService
from wfx_loadtest.wire import Address, Connection, Request, connect

_SDK = Path(__file__).parents[2] / "plugins"
_SCRIPT = f"#!{sys.executable} -I\nimport sys\nsys.path.insert(0, {str(_SDK)!r})\nfrom wfx_plugin import *\n"
_PLUGINS = {
    "none": "",
    "cat": "#!/bin/sh\nexec cat\n",
    "pass": _SCRIPT + "run(lambda request: PASS)\n",
    "modify": _SCRIPT + 'run(lambda request: Modify(headers=request.headers | {"X-New": "1"}))\n',
}
_PATH = "/api/wfx/v1/version"
_HEADERS = {
    "User-Agent": "swupdate", "Accept": "application/json", "Accept-Encoding": "gzip", "X-Client-Id": "press-7",
    "X-Request-Id": "7dbb2ea0", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https",
    "Cache-Control": "no-cache",
}  # fmt: skip
_LINES = [f"GET {_PATH} HTTP/1.1", "Host: h", *(f"{name}: {value}" for name, value in _HEADERS.items()), "", ""]
_REQUEST = Request("\r\n".join(_LINES).encode())
_WARM = 100
_CONNECTIONS = 64
_SECONDS = 2
_ROUNDS = 3


def measure(engine: str, requests: int = 1000) -> Iterator[Figure]:
    """Measure on services of their own; takes about half a minute."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        services = {
            name: stack.enter_context(_service(Path(folder, name), engine, source)) for name, source in _PLUGINS.items()
        }
        yield from _added(asyncio.run(_latencies(services, requests)))
        yield from _throughputs(services)


def _service(folder: Path, engine: str, source: str) -> LocalService:
    (folder / "plugins").mkdir(parents=True, mode=0o755)
    if source:
        program = folder / "plugins" / "plugin"
        program.write_text(source)
        program.chmod(0o755)
    return LocalService(folder, f"--http-engine={engine}", f"--client-plugins-dir={folder / 'plugins'}")


async def _latencies(services: dict[str, LocalService], requests: int) -> dict[str, list[float]]:
    """Send one request after the other to each service in turn; gives seconds."""
    connections = {name: await connect(_address(service)) for name, service in services.items()}
    taken: dict[str, list[float]] = {name: [] for name in services}
    for number in range(_WARM + requests):
        for name, connection in connections.items():
            seconds = await _timed(connection)
            if number >= _WARM:
                taken[name].append(seconds)
    for connection in connections.values():
        connection.close()
    return taken


def _address(service: LocalService) -> Address:
    return Address("127.0.0.1", service.ports["south"])


async def _timed(connection: Connection) -> float:
    begun = time.perf_counter()
    assert (await connection.exchange(_REQUEST)).ok
    return time.perf_counter() - begun


def _added(taken: dict[str, list[float]]) -> Iterator[Figure]:
    base = taken.pop("none")
    for name, seconds in taken.items():
        yield Figure(f"added by plugin {name}, p50", (median(seconds) - median(base)) * 1000, "ms")
        yield Figure(f"added by plugin {name}, p99", (_p99(seconds) - _p99(base)) * 1000, "ms")


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98]


def _throughputs(services: dict[str, LocalService]) -> Iterator[Figure]:
    load = Load("GET", (_PATH,), headers=tuple(_HEADERS.items()))
    rates: dict[str, list[float]] = {name: [] for name in services}
    for _ in range(_ROUNDS):
        for name, service in services.items():
            rates[name].append(wrk.run(service.ports["south"], load, _CONNECTIONS, _SECONDS).rate)
    base = rates.pop("none")
    for name, those in rates.items():
        ratio = median(rate / plain for rate, plain in zip(those, base, strict=True))
        yield Figure(f"requests with plugin {name} to without, {_CONNECTIONS} connections", ratio, "ratio")
