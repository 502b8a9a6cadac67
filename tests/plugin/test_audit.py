"""The audit example records every request with what the plugin behind it decides, or lets nothing through."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from plugin_programs import DEADLINE, ROOT, PluginDirectory, StartChain

from wfx.plugin.message import Action, PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]
EXAMPLES = ROOT / "plugins" / "examples"
API = "/api/wfx/v1"
DECIDES = """
    def decide(request):
        return {
            "/changed": Modify(destination="/else"),
            "/deny": Respond.deny("no"),
            "/accept": Respond(Status.ACCEPT, b"yes", {"X": "y"}),
            "/modified": Respond(Status.MODIFIED),
            "/unavailable": Respond.unavailable("later"),
        }.get(request.destination, PASS)
    run(decide)
"""


@pytest.fixture
def audited(plugins: PluginDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginDirectory:
    """Put the example into the plugin directory; gives the directory beside it for the plugin that is audited."""
    monkeypatch.setenv("AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    plugins.sdk("10-audit", (EXAMPLES / "audit" / "audit.py").read_text())
    directory = plugins.path / "audited"
    directory.mkdir(mode=0o755)
    return PluginDirectory(directory)


@pytest.fixture
def records(tmp_path: Path) -> Callable[[], list[dict[str, object]]]:
    """Read what was recorded."""
    return lambda: [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]


Records = Callable[[], list[dict[str, object]]]


async def test_every_verdict(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, records: Records
) -> None:
    """Whatever the audited plugin decides is recorded, one line for each request, and decided so."""
    audited.sdk("any-name", DECIDES)
    chain = await start()
    headers = ((b"A", (b"1", b"2")), (b"B", (b"\xc3\xbc",)))
    passing = request_of("/passed", Action.CREATE, headers, b"body")
    assert await chain.decide(passing) == passing
    changed = await chain.decide(request_of("/changed", Action.UPDATE, headers, b"body"))
    assert changed == request_of("/else", Action.UPDATE, headers, b"body")
    assert await chain.decide(request_of("/deny", Action.DELETE)) == Respond(403, (), b"no")
    assert await chain.decide(request_of("/accept")) == Respond(200, ((b"X", (b"y",)),), b"yes")
    assert await chain.decide(request_of("/modified")) == Respond(200, (), b"")
    assert await chain.decide(request_of("/unavailable")) == Respond(503, (), b"later")
    wanted = ["passed", "changed", "deny", "accept", "modified", "unavailable"]
    assert [record["verdict"] for record in records()] == wanted
    assert [record["destination"] for record in records()] == [f"/{verdict}" for verdict in wanted]
    assert [record["action"] for record in records()] == ["CREATE", "UPDATE", "DELETE", "READ", "READ", "READ"]
    assert [record["bytes"] for record in records()] == [4, 4, 0, 0, 0, 0]


async def test_with_auth(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, records: Records, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Around the auth example, refused requests are recorded too, and who sent them by what cannot be made up."""
    known = hashlib.sha256(b"token-a").hexdigest()
    config = tmp_path / "auth.json"
    config.write_text(json.dumps({"north": "unix:/no/such/socket", "tokens": {known: "dev-a"}}))
    monkeypatch.setenv("AUTH_CONFIG", str(config))
    audited.sdk("auth", (EXAMPLES / "auth" / "auth.py").read_text())
    chain = await start()

    def by(authorization: bytes, path: str) -> PluginRequest:
        return request_of(path, headers=[(b"Authorization", (authorization,)), (b"X-Client-Id", (b"dev-a",))])

    decided = [
        await chain.decide(by(b"Bearer token-a", f"{API}/jobs")),
        await chain.decide(by(b"bearer  token-a ", f"{API}/jobs?clientId=dev-b")),
        await chain.decide(by(b"Bearer token-b", f"{API}/jobs")),
        await chain.decide(by(b"Bearer token-a", f"{API}/jobs/x/status")),
        await chain.decide(request_of(f"{API}/version")),
    ]
    assert [one.status if isinstance(one, Respond) else 0 for one in decided] == [0, 403, 403, 503, 0]
    unknown = hashlib.sha256(b"token-b").hexdigest()
    assert [(one["verdict"], one["credential"], one["claimed"], one["identity"]) for one in records()] == [
        ("changed", known[:16], "dev-a", None),
        ("deny", known[:16], "dev-a", None),
        ("deny", unknown[:16], "dev-a", None),
        ("unavailable", known[:16], "dev-a", None),
        ("passed", None, None, None),
    ]
    assert "token-" not in (tmp_path / "audit.jsonl").read_text()


async def test_the_identity_of_a_gateway(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, records: Records,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The header that a gateway sets is recorded as the identity, X-Client-Id as what the sender claims."""
    monkeypatch.setenv("AUDIT_IDENTITY_HEADER", "x-client-cert-CN")
    audited.link("cat", "/bin/cat")
    chain = await start()
    await chain.decide(request_of("/", headers=[(b"X-Client-Cert-Cn", (b"dev-a",)), (b"X-Client-Id", (b"dev-b",))]))
    await chain.decide(request_of("/", headers=[(b"X-Client-Id", (b"dev-b",))]))
    assert [(record["identity"], record["claimed"]) for record in records()] == [("dev-a", "dev-b"), (None, "dev-b")]


async def test_what_a_line_holds(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, records: Records, tmp_path: Path
) -> None:
    """A line is JSON whatever the target holds, of bounded length, and without bodies and tokens."""
    audited.link("cat", "/bin/cat")
    chain = await start()
    headers = [(b"Authorization", (b"Bearer secret",)), (b"X-Client-Id", (b"c" * 5_000,))]
    await chain.decide(request_of('/"x"?\x1b', Action.UPDATE, headers, b"secret"))
    await chain.decide(request_of("/" + "x" * 900_000))
    text = (tmp_path / "audit.jsonl").read_text()
    assert "secret" not in text
    assert "\x1b" not in text
    first, second = records()
    assert str(first.pop("time")).startswith("20")
    assert first == {
        "action": "UPDATE", "destination": '/"x"?\x1b', "bytes": 6, "verdict": "passed", "identity": None,
        "credential": hashlib.sha256(b"secret").hexdigest()[:16], "claimed": "c" * 2_048,
    }  # fmt: skip
    assert len(str(second["destination"])) == 2_048


async def test_without_room_nothing_passes(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the record cannot be written, the request is answered 503, whatever the audited plugin decided."""
    monkeypatch.setenv("AUDIT_FILE", "/dev/full")
    audited.sdk("p", DECIDES)
    chain = await start()
    for destination in ("/passed", "/changed", "/accept"):
        decided = await chain.decide(request_of(destination))
        assert decided == Respond(503, (), b"the plugin failed on this request\n")


def nothing(directory: PluginDirectory) -> None:
    """Leave the directory empty."""


def no_directory(directory: PluginDirectory) -> None:
    """Remove the directory, as where the example was linked to from elsewhere."""
    directory.path.rmdir()


def two(directory: PluginDirectory) -> None:
    """Put two plugins there."""
    directory.link("a", "/bin/cat")
    directory.link("b", "/bin/cat")


def no_program(directory: PluginDirectory) -> None:
    """Put something there that is no program."""
    (directory.path / "p").write_text("no program")


def open_to_others(directory: PluginDirectory) -> None:
    """Let others write the plugin."""
    directory.script("p", "hold()").chmod(0o757)


def directory_open_to_others(directory: PluginDirectory) -> None:
    """Let others put plugins there."""
    directory.script("p", "hold()")
    directory.path.chmod(0o757)


@pytest.mark.parametrize(("prepare", "reason"), [
    (nothing, "must hold the one plugin"), (no_directory, "must hold the one plugin"),
    (two, "must hold the one plugin"), (no_program, "Permission denied"), (open_to_others, "/p is writable by others"),
    (directory_open_to_others, "/audited is writable by others"),
])  # fmt: skip
async def test_without_a_plugin_to_audit_nothing_passes(
    audited: PluginDirectory, start: StartChain, prepare: Callable[[PluginDirectory], None], reason: str
) -> None:
    """If it is not clear which plugin decides, the example ends at once, and the server with it, saying why."""
    prepare(audited)
    chain = await start()
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin 10-audit stopped unexpectedly with exit status 1"
    assert reason in lost.last_lines


@pytest.mark.parametrize(("source", "reason"), [
    ("frame(); sys.exit(3)", "plugin p ended with status 3"),
    ("frame(); os.kill(os.getpid(), signal.SIGKILL)", "plugin p ended with status -9"),
    ("frame(); write(bytes([2]) + bytes(3) + b'no'); hold()", "plugin p cannot be understood"),
    ("frame(); write(bytes([28]) + bytes(3) + bytes([255]) * 28); hold()", "plugin p cannot be understood"),
    ("frame(); os.close(1)", "plugin p ended with status 0"),
])  # fmt: skip
async def test_the_end_of_the_audited_plugin(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, source: str, reason: str
) -> None:
    """If the audited plugin ends, or writes what is no answer, so does the example, and the server with it."""
    audited.script("p", source)
    chain = await start()
    asked = asyncio.gather(chain.decide(request_of("/")), return_exceptions=True)
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin 10-audit stopped unexpectedly with exit status 1"
    assert reason in lost.last_lines
    assert all(isinstance(outcome, Exception) for outcome in await asked)


async def test_a_silent_plugin(
    plugins: PluginDirectory, audited: PluginDirectory, start: StartChain, request_of: RequestOf
) -> None:
    """A request that the audited plugin does not answer in time is answered 503; the next is fine."""
    source = (EXAMPLES / "audit" / "audit.py").read_text()
    plugins.sdk("10-audit", "import wfx_plugin.asking as asking\nasking.REPLY_TIMEOUT = 0.5\n" + source)
    audited.script("p", """
        late = frame()
        while one := frame():
            write(passed(cookie(late)) + passed(99) + passed(cookie(one)))
    """)  # fmt: skip
    chain = await start()
    assert await chain.decide(request_of("/")) == Respond(503, (), b"the plugin failed on this request\n")
    for _ in range(2):
        assert await chain.decide(request_of("/")) == request_of("/")


async def test_many_at_a_time(
    audited: PluginDirectory, start: StartChain, request_of: RequestOf, records: Records
) -> None:
    """Requests are not held up by each other, and answers may come in any order."""
    audited.script("p", """
        frames = [frame() for _ in range(100)]
        for one in reversed(frames): write(passed(cookie(one)))
        hold()
    """)  # fmt: skip
    chain = await start()
    requests = [request_of(f"/{number}", body=bytes(10_000)) for number in range(100)]
    assert await asyncio.wait_for(asyncio.gather(*map(chain.decide, requests)), DEADLINE) == requests
    assert sorted(str(record["destination"]) for record in records()) == sorted(f"/{number}" for number in range(100))
