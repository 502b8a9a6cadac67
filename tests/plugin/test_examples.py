"""The examples do what they say, as they are."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from plugin_programs import ROOT, PluginDirectory, StartChain

from wfx.plugin.discovery import discover, discover_observers
from wfx.plugin.message import Action, PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]
EXAMPLES = ROOT / "plugins" / "examples"
API = "/api/wfx/v1"


def install(plugins: PluginDirectory, name: str) -> None:
    """Put an example into the directory; it runs with the interpreter and the SDK of these tests."""
    plugins.sdk(name, (EXAMPLES / name / f"{name}.py").read_text())


def status_of(decided: PluginRequest | Respond) -> int:
    """Give the status of a response; 0 if the request may pass."""
    return decided.status if isinstance(decided, Respond) else 0


@pytest.mark.parametrize("name", ["deny", "auth", "rewrite", "observe/audit"])
def test_directories_of_examples(name: str) -> None:
    """The directory of an example is a plugin directory with one plugin in it."""
    directory = EXAMPLES / name.rpartition("/")[2]
    found = [*discover(directory), *discover_observers(directory)]
    assert [plugin.name for plugin in found] == [f"{name}.py"]


@pytest.mark.parametrize(("destination", "status"), [
    (f"{API}/workflows", 403), (f"{API}/workflows/x?limit=1", 403), (f"{API}/jobs?x={API}/workflows", 403),
    (f"{API}/%77orkflows", 403), (f"{API}/jobs", 0), ("/version", 0),
])  # fmt: skip
async def test_deny(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, destination: str, status: int
) -> None:
    """A destination that names workflows anywhere is denied with one line of text, everything else passes."""
    install(plugins, "deny")
    decided = await (await start()).decide(request_of(destination))
    assert status_of(decided) == status
    if isinstance(decided, Respond):
        assert decided.body.count(b"\n") == 1


async def test_deny_under_load(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Five hundred requests at once are all answered, some perhaps as overload, none is lost."""
    install(plugins, "deny")
    chain = await start()
    decided = await asyncio.gather(*(chain.decide(request_of(f"/{number}")) for number in range(500)))
    assert {status_of(one) for one in decided} <= {0, 503}
    assert sum(status_of(one) == 0 for one in decided) >= 64


async def test_rewrite(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short paths are lengthened, single jobs filtered, new jobs tagged; the rest is left alone."""
    monkeypatch.setenv("REWRITE_TAG", "site")
    install(plugins, "rewrite")
    chain = await start()

    async def after(destination: str, action: Action = Action.READ, body: bytes = b"") -> PluginRequest:
        decided = await chain.decide(request_of(destination, action, [(b"A", (b"1",))], body))
        assert isinstance(decided, PluginRequest)
        return decided

    assert (await after("/wfx/jobs?limit=1")).destination == b"/api/wfx/v1/jobs?limit=1"
    filtered = await after(f"{API}/jobs/x")
    assert dict(filtered.headers) == {b"A": (b"1",), b"X-Response-Filter": (b"del(.workflow)",)}
    tagged = await after("/wfx/jobs", Action.CREATE, b'{"clientId":"c","tags":["t"]}')
    assert json.loads(tagged.body) == {"clientId": "c", "tags": ["t", "site"]}
    for body in (b"no JSON", b"[]", b'{"tags":1}', b'{"tags":["site"]}'):
        assert (await after(f"{API}/jobs", Action.CREATE, body)).body == body
    untouched = [f"{API}/jobs/events", f"{API}/jobs/x/status", "/version"]
    assert [(await after(path)).headers for path in untouched] == [((b"A", (b"1",)),)] * 3


@pytest.fixture
def readonly(plugins: PluginDirectory) -> None:
    """Build the plugin in C with the compiler alone."""
    compiler = shutil.which("cc")
    assert compiler, "a C compiler is missing: install Debian's gcc"
    source = EXAMPLES / "readonly" / "readonly.c"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", plugins.path / "readonly", source], check=True, timeout=60)


@pytest.mark.usefixtures("readonly")
async def test_readonly(
    start: StartChain, request_of: RequestOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin in C lets everything pass until its file exists, then only what reads."""
    monkeypatch.setenv("READONLY_FILE", str(tmp_path / "readonly"))
    chain = await start()
    headers = [(b"X-Long", (b"x" * 5000, b"y"))]
    requests = [request_of(f"/{action}", action, headers, bytes(10_000)) for action in Action]
    assert await asyncio.gather(*map(chain.decide, requests)) == requests
    (tmp_path / "readonly").touch()
    decided = await asyncio.gather(*map(chain.decide, requests))
    assert decided == [requests[0], *[Respond(503, (), b"maintenance: only reading is open\n")] * 3]


class North(BaseHTTPRequestHandler):
    """A management side that knows three jobs."""

    owners = {"job-a": "dev-a", "job-b": "dev-b", "x/y": "dev-a"}  # noqa: RUF012 - never changed
    asked: list[str]
    broken = False
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer what the plugin asks, by the filter it names."""
        type(self).asked.append(self.path)
        assert self.headers["X-Response-Filter"] == ".clientId"
        job = self.path.removeprefix(f"{API}/jobs/").replace("%2F", "/")
        status = 500 if self.broken else 200 if job in self.owners else 404
        body = json.dumps(self.owners.get(job)).encode() if status == 200 else b"{}"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Name the caller, which on a unix socket has no address."""
        return "plugin"

    def log_message(self, *_arguments: object) -> None:
        """Keep quiet."""


class UnixNorth(socketserver.ThreadingUnixStreamServer):
    """The same on a unix socket."""

    daemon_threads = True


class TcpNorth(socketserver.ThreadingTCPServer):
    """The same on a port."""

    daemon_threads = True


@pytest.fixture(params=["tcp", "unix"])
def north(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[type[North], Path]]:
    """Run the management side, and write the configuration that names it."""
    handler = type("Handler", (North,), {"asked": [], "broken": False})
    server: socketserver.BaseServer
    if request.param == "tcp":
        server = TcpNorth(("127.0.0.1", 0), handler)
        address = f"http://127.0.0.1:{server.server_address[1]}"
    else:
        path = os.path.relpath(tmp_path / "north.sock")
        server = UnixNorth(path, handler)
        address = f"unix:{path}"
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    config = tmp_path / "auth.json"
    config.write_text(json.dumps({"north": address, "identity_header": "X-Client-Cert-Cn"}))
    monkeypatch.setenv("AUTH_CONFIG", str(config))
    yield handler, config
    server.shutdown()
    server.server_close()
    serving.join()


JOBS = f"{API}/jobs"
AUTH = [
    # what anybody may see
    ("", Action.READ, "/health", 0), ("", Action.READ, "/", 0), ("", Action.READ, "/swagger.json", 0),
    ("", Action.READ, f"{API}/openapi.json", 0),
    # without an identity: nothing else, whatever X-Client-Id says
    ("", Action.READ, JOBS, 403), ("", Action.UPDATE, f"{JOBS}/job-a/status", 403), ("", Action.UPDATE, "/health", 403),
    # own jobs, other devices' jobs, and jobs that do not exist
    ("dev-a", Action.READ, f"{JOBS}/job-a", 0), ("dev-a", Action.READ, f"{JOBS}/job-a?history=true", 0),
    ("dev-a", Action.UPDATE, f"{JOBS}/job-a/status", 0), ("dev-a", Action.READ, f"{JOBS}/job-a/definition", 0),
    ("dev-a", Action.READ, f"{JOBS}/job-b", 403), ("dev-a", Action.UPDATE, f"{JOBS}/job-b/status", 403),
    ("dev-b", Action.UPDATE, f"{JOBS}/job-a/status", 403), ("dev-a", Action.READ, f"{JOBS}/job-c", 403),
    ("dev-a", Action.READ, f"{JOBS}/job%2Da", 0), ("dev-a", Action.READ, f"{JOBS}/job%2Db", 403),
    ("dev-a", Action.READ, f"{JOBS}/" + "x" * 1000, 403),
    # paths that are not plain
    ("dev-a", Action.READ, f"{JOBS}/job-a/../job-b", 403), ("dev-a", Action.READ, f"{JOBS}/%2e%2e/jobs/job-a", 403),
    ("dev-a", Action.READ, f"{JOBS}/x%2Fy", 403), ("dev-a", Action.READ, f"/{JOBS}/job-a", 403),
    ("dev-a", Action.READ, f"{JOBS}/job-a/", 403), ("dev-a", Action.READ, f"{JOBS}/job-a/else", 403),
    # what is not for devices
    ("dev-a", Action.CREATE, JOBS, 403), ("dev-a", Action.DELETE, f"{JOBS}/job-a", 403),
    ("dev-a", Action.UPDATE, f"{JOBS}/job-a", 403), ("dev-a", Action.CREATE, f"{JOBS}/job-a/tags", 403),
    ("dev-a", Action.CREATE, f"{API}/workflows", 403), ("dev-a", Action.READ, "/ui/", 403),
    # workflows and downloads
    ("dev-a", Action.READ, f"{API}/workflows/x", 0), ("dev-a", Action.READ, "/download/a/b.swu", 0),
    ("dev-a", Action.READ, "/download/../etc", 403),
    # queries, which are narrowed where they do not name the device themselves
    ("dev-a", Action.READ, f"{JOBS}?clientId=dev-a&group=OPEN", 0),
    ("dev-a", Action.READ, f"{JOBS}?clientId=dev-b", 403), ("dev-a", Action.READ, f"{JOBS}?clientId=", 403),
    ("dev-a", Action.READ, f"{JOBS}?clientId=dev-a&client%49d=b", 403),
    ("dev-a", Action.READ, f"{JOBS}/events?clientIds=dev-a", 0),
    ("dev-a", Action.READ, f"{JOBS}/events?jobIds=job-b", 403),
    ("dev-a", Action.READ, f"{JOBS}/events?clientIds=dev-a,dev-b", 403),
    ("dev-a", Action.READ, f"{JOBS}/events?clientIds=dev-a&workflows=x", 403),
    # a name that would be two in a list
    ("dev-a,dev-b", Action.READ, JOBS, 403),
]  # fmt: skip


async def test_auth_rules(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: tuple[type[North], Path]
) -> None:
    """Devices reach their own jobs and what is common to all, by their certificate's name and by nothing else."""
    install(plugins, "auth")
    chain = await start()
    for client, action, destination, status in AUTH:
        headers = [(b"X-Client-Id", (b"dev-a",))] + ([(b"X-Client-Cert-Cn", (client.encode(),))] if client else [])
        decided = await chain.decide(request_of(destination, action, headers))
        assert status_of(decided) == status, (client, action, destination, decided)
    handler, _ = north
    assert handler.asked.count(f"{JOBS}/job-a") == 1  # remembered
    assert all("%2F" not in path for path in handler.asked)


@pytest.mark.parametrize(("asked", "becomes"), [
    (JOBS, f"{JOBS}?clientId=dev-a"),
    (f"{JOBS}?limit=5&client;Id=x&group=A,B", f"{JOBS}?limit=5&client%3BId=x&group=A%2CB&clientId=dev-a"),
    (f"{JOBS}?group=OPEN&client%49d=dev-a", f"{JOBS}?group=OPEN&clientId=dev-a"),
    (f"{JOBS}/events", f"{JOBS}/events?clientIds=dev-a"),
    (f"{JOBS}/events?actions=CREATE&tags=t", f"{JOBS}/events?actions=CREATE&tags=t&clientIds=dev-a"),
    (f"{JOBS}?clientId=dev-a&group=OPEN", f"{JOBS}?clientId=dev-a&group=OPEN"),
])  # fmt: skip
@pytest.mark.parametrize("north", ["tcp"], indirect=True)
@pytest.mark.usefixtures("north")
async def test_auth_narrows_queries(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, asked: str, becomes: str
) -> None:
    """Lists and streams are limited to the device, in words the server and the plugin understand alike."""
    install(plugins, "auth")
    headers = [(b"X-Client-Cert-Cn", (b"dev-a",))]
    decided = await (await start()).decide(request_of(asked, headers=headers))
    assert decided == request_of(becomes, headers=headers)


@pytest.mark.parametrize("north", ["tcp"], indirect=True)
async def test_auth_by_token(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: tuple[type[North], Path]
) -> None:
    """A bearer token stands for a device; others, two at once, or none do not; a change of the file counts at once."""
    handler, file = north
    config = json.loads(file.read_text())
    del config["identity_header"]
    config["tokens"] = {hashlib.sha256(b"token-a").hexdigest(): "dev-a"}
    file.write_text(json.dumps(config))
    install(plugins, "auth")
    chain = await start()

    async def status(*values: bytes) -> int:
        headers = [(b"X-Client-Cert-Cn", (b"dev-a",)), (b"Authorization", values)]
        return status_of(await chain.decide(request_of(f"{JOBS}/job-a", headers=headers)))

    assert await status(b"Bearer token-a") == 0
    assert await status(b"bearer  token-a ") == 0
    for wrong in ([b"Bearer token-b"], [b"Basic token-a"], [b"token-a"], [b"Bearer token-a", b"Bearer token-a"], []):
        assert await status(*wrong) == 403
    file.write_text("{broken")
    assert await status(b"Bearer token-a") == 0
    config["tokens"] = {hashlib.sha256(b"token-c").hexdigest(): "dev-a"}
    file.write_text(json.dumps(config))
    assert await status(b"Bearer token-a") == 403
    assert await status(b"Bearer token-c") == 0
    assert handler.asked == [f"{JOBS}/job-a"]


@pytest.mark.parametrize("north", ["tcp"], indirect=True)
async def test_auth_without_north(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: tuple[type[North], Path]
) -> None:
    """While the owner of a job cannot be determined, requests for it are answered 503; others go on."""
    handler, _ = north
    handler.broken = True
    install(plugins, "auth")
    chain = await start()
    headers = [(b"X-Client-Cert-Cn", (b"dev-a",))]
    assert status_of(await chain.decide(request_of(f"{JOBS}/job-a", headers=headers))) == 503
    assert status_of(await chain.decide(request_of(f"{API}/workflows", headers=headers))) == 0
    handler.broken = False
    assert status_of(await chain.decide(request_of(f"{JOBS}/job-a", headers=headers))) == 0
