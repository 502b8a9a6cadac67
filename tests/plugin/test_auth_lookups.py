"""What the auth example asks the north side is bounded, whatever devices send and however the north side answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from plugin_programs import DEADLINE, ROOT, PluginDirectory, StartChain

from wfx.plugin.chain import PluginChain
from wfx.plugin.message import Action, PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]
SOURCE = (ROOT / "plugins" / "examples" / "auth" / "auth.py").read_text()
JOBS = "/api/wfx/v1/jobs"
AT_A_TIME, OF_A_DEVICE = 16, 4
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class North:
    """A management side that answers each look-up as it is told, and counts."""

    def __init__(self) -> None:
        """Answer that everything belongs to dev-a."""
        self.serve: Serve = self.owned
        self.targets: list[str] = []
        self.open = self.most = self.sent = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request, and answer it."""
        self.open += 1
        self.most = max(self.most, self.open)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.targets.append(head.split()[1].decode())
            serving = asyncio.ensure_future(self.serve(writer))
            gone = asyncio.ensure_future(reader.read())
            await asyncio.wait((serving, gone), return_when=asyncio.FIRST_COMPLETED)
            for task in (serving, gone):
                task.cancel()
            await asyncio.gather(serving, gone, return_exceptions=True)
        self.open -= 1
        writer.close()

    async def send(self, writer: asyncio.StreamWriter, part: bytes) -> None:
        """Send a part of an answer, and count what was taken."""
        writer.write(part)
        await writer.drain()
        self.sent += len(part)

    async def owned(self, writer: asyncio.StreamWriter) -> None:
        """Name dev-a."""
        await self.send(writer, HEAD + b'Content-Length: 7\r\n\r\n"dev-a"')

    async def silent(self, _writer: asyncio.StreamWriter) -> None:
        """Answer nothing."""
        await asyncio.Event().wait()

    async def dripping(self, writer: asyncio.StreamWriter) -> None:
        """Answer with a head that never ends, a byte at a time."""
        await self.send(writer, HEAD + b"X: ")
        while True:
            await self.send(writer, b"x")
            await asyncio.sleep(0.05)

    async def streaming(self, writer: asyncio.StreamWriter) -> None:
        """Answer with a stream of events that never ends, quickly."""
        await self.send(writer, b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            await self.send(writer, b"data: " + b"x" * 10_000 + b"\n\n")

    async def huge(self, writer: asyncio.StreamWriter) -> None:
        """Announce and send 100 MB."""
        await self.send(writer, HEAD + b"Content-Length: 100000000\r\n\r\n")
        for _ in range(1_000):
            await self.send(writer, b"x" * 100_000)

    async def half(self, writer: asyncio.StreamWriter) -> None:
        """End in the middle of the answer."""
        await self.send(writer, HEAD + b'Content-Length: 7\r\n\r\n"dev')

    async def nonsense(self, writer: asyncio.StreamWriter) -> None:
        """Speak another protocol."""
        await self.send(writer, b"220 mail.example ESMTP\r\n\r\n")

    async def chunked(self, writer: asyncio.StreamWriter) -> None:
        """Name dev-a in pieces, as a proxy may."""
        await self.send(writer, HEAD + b'Transfer-Encoding: chunked\r\n\r\n4\r\n"dev\r\n3\r\n-a"\r\n0\r\n\r\n')


@pytest_asyncio.fixture
async def north(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[North]:
    """Run the management side, and write the configuration that names it."""
    north = North()
    async with await asyncio.start_server(north.connected, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        config = {"north": f"http://{host}:{port}", "identity_header": "X-Client-Cert-Cn"}
        (tmp_path / "auth.json").write_text(json.dumps(config))
        monkeypatch.setenv("AUTH_CONFIG", str(tmp_path / "auth.json"))
        yield north


async def started(plugins: PluginDirectory, start: StartChain, *, seconds: float = 0.5) -> PluginChain:
    """Start the example with a shorter deadline, so that a test need not wait as long as a device."""
    assert "LOOKUP_TIMEOUT = 5.0" in SOURCE
    plugins.sdk("auth", SOURCE.replace("LOOKUP_TIMEOUT = 5.0", f"LOOKUP_TIMEOUT = {seconds}"))
    return await start()


def device(request_of: RequestOf, destination: str, name: str = "dev-a", action: Action = Action.READ) -> PluginRequest:
    """A request of a device that the gateway knows."""
    return request_of(destination, action, [(b"X-Client-Cert-Cn", (name.encode(),))])


def status_of(decided: PluginRequest | Respond) -> int:
    """Give the status of a response; 0 if the request may pass."""
    return decided.status if isinstance(decided, Respond) else 0


@pytest.mark.parametrize("job_id", [
    "events", "%65vents", "even%74s", "x" * 37, "a%20b", "a%3Fb", "a%23b", "a%0D%0AX:%20b", "%C3%BC", "%FF", "a;b",
    "a%25b", "*",
])  # fmt: skip
async def test_only_ids_of_jobs_are_looked_up(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: North, job_id: str
) -> None:
    """What cannot be a job's id, such as the name of the event stream, is denied and not asked for."""
    chain = await started(plugins, start)
    for part in ("status", "definition", "tags", "tags/x", "events"):
        for action in Action:
            asked = device(request_of, f"{JOBS}/{job_id}/{part}", action=action)
            assert status_of(await chain.decide(asked)) == 403
    assert north.targets == []


@pytest.mark.parametrize("answer", ["silent", "dripping", "streaming", "huge", "half", "nonsense"])
async def test_an_answer_without_end(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: North, answer: str
) -> None:
    """However the north side answers, or does not, the look-up ends, little of it is taken in, and the next is fine."""
    chain = await started(plugins, start)
    north.serve = getattr(north, answer)
    asked = [chain.decide(device(request_of, f"{JOBS}/{number}")) for number in range(OF_A_DEVICE)]
    decided = await asyncio.wait_for(asyncio.gather(*asked), DEADLINE)
    assert [status_of(one) for one in decided] == [503] * OF_A_DEVICE
    async with asyncio.timeout(DEADLINE):
        while north.open:  # noqa: ASYNC110 - the plugin's ends of the connections have no event
            await asyncio.sleep(0.01)
    assert north.sent < OF_A_DEVICE * 20_000_000, "sent into the buffers of the system until the plugin had enough"
    north.serve = north.chunked
    assert status_of(await chain.decide(device(request_of, f"{JOBS}/0"))) == 0


async def test_one_device_cannot_hold_the_look_ups(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: North
) -> None:
    """Beyond a few look-ups a device is refused at once, while others are looked up, and those known pass anyway."""
    chain = await started(plugins, start, seconds=DEADLINE)
    assert status_of(await chain.decide(device(request_of, f"{JOBS}/known"))) == 0
    north.serve = north.silent
    greedy = [asyncio.create_task(chain.decide(device(request_of, f"{JOBS}/{n}", "dev-b"))) for n in range(100)]
    done, waiting = set[asyncio.Task[PluginRequest | Respond]](), set(greedy)
    while len(waiting) > OF_A_DEVICE:
        more, waiting = await asyncio.wait(waiting, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        assert more, "requests beyond the share wait"
        done |= more
    assert {status_of(task.result()) for task in done} == {503}
    assert status_of(await chain.decide(device(request_of, f"{JOBS}/known"))) == 0
    assert status_of(await chain.decide(device(request_of, JOBS))) == 0
    north.serve = north.owned
    assert status_of(await chain.decide(device(request_of, f"{JOBS}/new"))) == 0
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()


async def test_look_ups_at_a_time(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: North
) -> None:
    """Many devices at once are looked up by a few connections at a time, and those beyond a bound are told to wait."""
    chain = await started(plugins, start, seconds=DEADLINE)
    go = asyncio.Event()

    async def held(writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await north.owned(writer)

    north.serve = held
    asked = [asyncio.create_task(chain.decide(device(request_of, f"{JOBS}/{n}", f"dev-{n}"))) for n in range(300)]
    refused, _ = await asyncio.wait(asked, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
    assert status_of(await chain.decide(device(request_of, JOBS))) == 0, "what needs no looking up passes"
    assert {status_of(task.result()) for task in refused} == {503}
    go.set()
    decided = [status_of(one) for one in await asyncio.wait_for(asyncio.gather(*asked), DEADLINE)]
    assert decided.count(503) == 300 - 256
    assert decided.count(403) == 256, "they are dev-a's"
    assert north.most == AT_A_TIME


@pytest.mark.parametrize("destination", [
    f"{JOBS}/{'x' * 5_000}", f"{JOBS}?{'tag=x&' * 1_000}", f"{JOBS}/{'/' * 900_000}", f"{JOBS}?{'&' * 900_000}",
])  # fmt: skip
async def test_long_targets(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, north: North, destination: str
) -> None:
    """A target longer than any that a device needs is denied before it is taken apart."""
    chain = await started(plugins, start)
    decided = await chain.decide(device(request_of, destination))
    assert decided == Respond(403, (), b"the path and query are too long\n")
    assert north.targets == []
