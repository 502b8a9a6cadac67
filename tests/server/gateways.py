"""Real reverse proxies in front of a service: they listen on a port for each device, and tell its name in X-Device."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.server.engines import DEADLINE

Ports = dict[str, int]
"""Where each device is listened to."""
_BUILD_SECONDS = 300.0
_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $http_connection;
    upstream service {{ server 127.0.0.1:{port}; keepalive 4; }}
{listeners}}}
"""
_NGINX_LISTENER = """\
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_set_header X-Device {device}; proxy_pass http://service; }}
    }}
"""
_HAPROXY = """
defaults
    mode http
    timeout connect 20s
    timeout client 20s
    timeout server 20s
    http-reuse always
backend service
    server service 127.0.0.1:{port}
{listeners}"""
_HAPROXY_LISTENER = """\
frontend {device}
    bind 127.0.0.1:{port}
    http-request set-header X-Device {device}
    default_backend service
"""


def _configure(folder: Path, text: str, listener: str, port: int, ports: Ports) -> str:
    listeners = "".join(listener.format(device=device, port=own) for device, own in ports.items())
    file = folder / "gateway.conf"
    file.write_text(text.format(folder=folder, port=port, listeners=listeners))
    return str(file)


def _nginx(folder: Path, port: int, ports: Ports) -> list[str]:
    file = _configure(folder, _NGINX, _NGINX_LISTENER, port, ports)
    return ["nginx", "-p", str(folder), "-e", f"{folder}/nginx.log", "-c", file]


def _haproxy(folder: Path, port: int, ports: Ports) -> list[str]:
    return ["haproxy", "-db", "-f", _configure(folder, _HAPROXY, _HAPROXY_LISTENER, port, ports)]


def _go(folder: Path, port: int, ports: Ports) -> list[str]:
    program = folder / "gateway"
    source = Path(__file__).with_name("gateway.go")
    environment = os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off", "GOTOOLCHAIN": "local"}
    subprocess.run(["go", "build", "-o", program, source], check=True, env=environment, timeout=_BUILD_SECONDS)
    addresses = [word for device, own in ports.items() for word in (device, f"127.0.0.1:{own}")]
    return [str(program), f"http://127.0.0.1:{port}", *addresses]


GATEWAYS: dict[str, Callable[[Path, int, Ports], list[str]]] = {"Go": _go, "nginx": _nginx, "HAProxy": _haproxy}


@contextmanager
def gateway(kind: str, folder: Path, port: int, devices: tuple[str, ...]) -> Iterator[Ports]:
    """Run a gateway in front of a port of this machine; gives the ports that it listens on."""
    with ExitStack() as stack:
        free = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in devices]
        ports = {device: each.getsockname()[1] for device, each in zip(devices, free, strict=True)}
    command = GATEWAYS[kind](folder, port, ports)
    with (folder / "gateway.out").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        for own in ports.values():
            _await_listener(process, own, folder / "gateway.out")
        yield ports
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _await_listener(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), DEADLINE):
            return
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, "the gateway does not listen"
        time.sleep(0.01)
