"""Requests through chains of real plugins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from plugin_programs import DEADLINE, PluginDirectory, StartChain

from wfx.plugin.errors import AnswerUnusable, PluginBusy, PluginRefused, ReplyOverdue
from wfx.plugin.message import Action, PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]


async def test_cat_is_a_plugin(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """A link to /bin/cat lets every request pass unchanged, one after the other and many at a time."""
    plugins.link("cat", "/bin/cat")
    chain = await start()
    requests = [request_of(f"/{number}", Action.UPDATE, body=bytes(number)) for number in range(200)]
    assert [await chain.decide(request) for request in requests] == requests
    assert await asyncio.gather(*map(chain.decide, requests)) == requests


async def test_answers_in_any_order(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Each request gets its own answer, also if the plugin answers the last one first."""
    plugins.script("reversing", """
        frames = [frame() for _ in range(20)]
        for last in reversed(frames):
            number = cookie(last)
            # Response{status: Accept, content: one byte}: built by hand from the vector of the contract.
            text = bytes.fromhex("44000000100000000c001a0000000c000b0004000c0000002000000000000002")
            text += struct.pack("<Q", number) + bytes.fromhex("0000000000000a0008000000000004000a00000004000000")
            write(text + struct.pack("<I", 3) + b"%03d" % number + bytes(1))
        time.sleep(60)
    """)  # fmt: skip
    chain = await start()
    answers = await asyncio.gather(*(chain.decide(request_of(f"/{number}")) for number in range(20)))
    assert answers == [Respond(403, (), b"%03d" % (number + 1)) for number in range(20)]


async def test_two_hundred_at_a_time(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """A plugin that answers only when it holds 200 requests is given all of them at a time."""
    plugins.script("hoarding", """
        frames = [frame() for _ in range(200)]
        time.sleep(0.2)
        for one in frames:
            write(passed(cookie(one)))
        hold()
    """)  # fmt: skip
    chain = await start()
    requests = [request_of(f"/{number}", body=b"x" * 1000) for number in range(200)]
    assert await asyncio.gather(*map(chain.decide, requests)) == requests


async def test_order_of_a_chain(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """The plugin whose name comes first is asked first, and the next sees what it made of the request."""
    for name in ("c", "a", "b"):
        plugins.sdk(name, f"run(lambda request: Modify(request.destination + '{name}'))")
    decided = await (await start()).decide(request_of("/"))
    assert decided == request_of("/abc")


async def test_modify_then_deny(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """A response ends the chain: it may depend on an earlier change, and later plugins see nothing of the request."""
    plugins.sdk("1-modify", "run(lambda request: Modify(headers={'x-ROLE': ' guest '}))")
    plugins.sdk("2-deny", "run(lambda request: Respond.deny('no ' + request.header('x-role')))")
    plugins.script("3-never", "frame(); sys.exit(3)")
    chain = await start()
    assert await chain.decide(request_of("/")) == Respond(403, (), b"no guest")
    assert not chain.lost.done()


async def test_what_may_change(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Destination, all headers and the body are replaced; what a plugin leaves alone stays; the action always stays."""
    plugins.sdk("p", """
        CHANGES = {
            "/all": Modify("/new?x=1", {"A": ["1", "2"]}, b""),
            "/headers": Modify(headers={"B": "3"}),
            "/nothing": Modify(),
        }
        run(lambda request: CHANGES[request.path])
    """)  # fmt: skip
    chain = await start()
    given = {"action": Action.DELETE, "headers": [(b"Z", (b"0",))], "body": b"body"}
    assert await chain.decide(request_of("/all", **given)) == PluginRequest(
        b"/new?x=1", Action.DELETE, ((b"A", (b"1", b"2")),), b""
    )
    assert await chain.decide(request_of("/headers", **given)) == request_of("/headers", **given | {
        "headers": [(b"B", (b"3",))]
    })  # fmt: skip
    assert await chain.decide(request_of("/nothing", **given)) == request_of("/nothing", **given)


@pytest.mark.parametrize("decision", [
    "Respond(Status.ACCEPT, headers={'X': 'a\\r\\nSet-Cookie: b'})",
    "Respond(Status.ACCEPT, headers={'X': 'nul\\0'})",
    "Respond(Status.ACCEPT, headers={'a: b\\r\\nX': 'a'})",
    "Respond(Status.ACCEPT, headers={'': 'a'})",
    "Modify(headers={'X': 'a\\nb'})",
    "Modify(destination='/a HTTP/1.1\\r\\nX: y')",
    "Modify(destination='http://elsewhere/')",
    "Modify(destination='/ä')",
    "Modify(destination='/a#b')",
])  # fmt: skip
async def test_nothing_is_injected(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, decision: str
) -> None:
    """A line break, a NUL, or what is no path never reaches the wire: the request is refused, the plugin stays."""
    plugins.sdk("p", f"run(lambda request: {decision})")
    chain = await start()
    with pytest.raises(AnswerUnusable):
        await chain.decide(request_of("/"))
    assert not chain.lost.done()


async def test_late_answers_are_forgiven(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """A request without an answer in time is refused; its answer may still come, and later requests are fine."""
    plugins.script("slow", """
        first = frame()
        second = frame()
        write(passed(cookie(first)))
        write(passed(cookie(second)))
        while one := frame():
            write(passed(cookie(one)))
    """)  # fmt: skip
    chain = await start(reply_timeout=0.3)
    with pytest.raises(ReplyOverdue, match=r"0\.3 s"):
        await chain.decide(request_of("/first"))
    async with asyncio.timeout(DEADLINE):
        decided = None
        while decided is None:  # on a busy machine a later request may be overdue as well
            with suppress(ReplyOverdue):
                decided = await chain.decide(request_of("/later"))
    assert decided == request_of("/later")
    assert not chain.lost.done()


async def test_a_plugin_that_stops_reading(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Requests wait for it no longer than the deadline, beyond a bounded number of bytes they are refused at once."""
    plugins.script("deaf", "time.sleep(60)")
    chain = await start(reply_timeout=0.5, max_body=100_000, max_head=10_000)
    requests = [request_of(f"/{number}", body=bytes(100_000)) for number in range(200)]
    outcomes = await asyncio.gather(*map(chain.decide, requests), return_exceptions=True)
    kinds = {type(outcome) for outcome in outcomes}
    assert kinds == {ReplyOverdue, PluginBusy}
    held = sum(isinstance(outcome, ReplyOverdue) for outcome in outcomes) * 100_000
    assert held <= chain.settings.max_outstanding_bytes
    with pytest.raises(PluginBusy, match="does not read"):
        await chain.decide(requests[0])
    assert not chain.lost.done()


async def test_outstanding_requests_are_counted(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf
) -> None:
    """A plugin has 1024 requests outstanding at most, callers that gave up included."""
    plugins.script("silent", "while frame(): pass")
    chain = await start()
    waiting = [asyncio.create_task(chain.decide(request_of("/"))) for _ in range(1024)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    with pytest.raises(PluginBusy, match="too many"):
        await asyncio.wait_for(chain.decide(request_of("/")), DEADLINE)


async def test_callers_that_give_up(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """The answer to a caller that has gone is dropped without a word."""
    plugins.script("p", """
        first = frame()
        write(passed(cookie(frame())))
        write(passed(cookie(first)))
        write(passed(cookie(frame())))
        hold()
    """)  # fmt: skip
    chain = await start()
    impatient = asyncio.create_task(chain.decide(request_of("/")))
    await asyncio.sleep(0)
    impatient.cancel()
    for _ in range(2):
        assert await chain.decide(request_of("/")) == request_of("/")
    assert not chain.lost.done()


async def test_a_start_that_fails_leaves_nothing(
    plugins: PluginDirectory, start: StartChain, caplog: pytest.LogCaptureFixture
) -> None:
    """If one plugin cannot be started, those before it are stopped again."""
    caplog.set_level("INFO", "wfx.plugin")
    plugins.link("1-cat", "/bin/cat")
    (plugins.path / "2-no-program").write_text("no program")
    (plugins.path / "2-no-program").chmod(0o755)
    with pytest.raises(PluginRefused):
        await start()
    assert [record.getMessage() for record in caplog.records] == ["plugin started", "plugin stopped"]
