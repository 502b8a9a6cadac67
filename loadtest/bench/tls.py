"""What TLS costs: requests for each second of one core, in plain and encrypted, by the same service in turn."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import wrk
from bench.machine import cpu_seconds
from bench.servers import server_of
from bench.streams import Figure
from bench.wrk import Load
from local_cluster.processes import free_port
from wfx.demo.local import LocalService

_LOAD = Load("GET", ("/api/wfx/v1/version",))
_CONNECTIONS = 16
_ROUNDS = 3
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def measure(engine: str, seconds: float = 2.0) -> Iterator[Figure]:
    """Measure on a service of its own; connections stay open, so that handshakes hardly count."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        certificate, key = folder / "server.pem", folder / "server.key"
        subject = ("-subj", "/CN=localhost")
        command = ["openssl", "req", "-x509", *_KEY, "-keyout", str(key), "-out", str(certificate), *subject]
        subprocess.run(command, check=True, capture_output=True)
        options = (
            f"--http-engine={engine}", "--scheme=http,https", "--client-tls-host=127.0.0.1",
            f"--client-tls-port={port}", "--mgmt-tls-port=0", f"--tls-certificate={certificate}", f"--tls-key={key}",
        )  # fmt: skip
        with LocalService(folder, *options) as service:
            plain = server_of(service, "south")
            ports = {"http": plain.port, "https": port}
            found: dict[str, list[float]] = {scheme: [] for scheme in ports}
            for _ in range(_ROUNDS):
                for scheme, number in ports.items():
                    before = cpu_seconds(plain.pid)
                    outcome = wrk.run(number, _LOAD, _CONNECTIONS, seconds, scheme)
                    found[scheme].append(outcome.requests / (cpu_seconds(plain.pid) - before))
    for scheme, rates in found.items():
        yield Figure(f"GET version over {scheme}, for each core", median(rates), "req/s")
