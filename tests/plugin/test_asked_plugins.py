"""A plugin that runs another by ``wfx_plugin.Plugin`` learns what that decides, or lets nothing through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from plugin_programs import DEADLINE, PluginDirectory, StartChain

from wfx.plugin.message import Action, PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]
ASKS = """
    from pathlib import Path
    run_async(Plugin(Path(__file__).with_name("asked") / "p").decide)
"""
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
def asked(plugins: PluginDirectory) -> PluginDirectory:
    """Put a plugin that asks another into the plugin directory; gives the directory for the other."""
    plugins.sdk("asks", ASKS)
    directory = plugins.path / "asked"
    directory.mkdir(mode=0o755)
    return PluginDirectory(directory)


async def test_every_decision(asked: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Whatever the other plugin decides is decided so."""
    asked.sdk("p", DECIDES)
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
    (no_program, "Permission denied"), (open_to_others, "/p is writable by others"),
    (directory_open_to_others, "/asked is writable by others"),
])  # fmt: skip
async def test_without_the_other_nothing_passes(
    asked: PluginDirectory, start: StartChain, prepare: Callable[[PluginDirectory], None], reason: str
) -> None:
    """If the other plugin cannot be run, this one ends at once, and the server with it, saying why."""
    prepare(asked)
    chain = await start()
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin asks stopped unexpectedly with exit status 1"
    assert reason in lost.last_lines


@pytest.mark.parametrize(("source", "reason"), [
    ("frame(); sys.exit(3)", "plugin p ended with status 3"),
    ("frame(); os.kill(os.getpid(), signal.SIGKILL)", "plugin p ended with status -9"),
    ("frame(); write(bytes([2]) + bytes(3) + b'no'); hold()", "plugin p cannot be understood"),
    ("frame(); write(bytes([28]) + bytes(3) + bytes([255]) * 28); hold()", "plugin p cannot be understood"),
    ("frame(); os.close(1)", "plugin p ended with status 0"),
])  # fmt: skip
async def test_the_end_of_the_other(
    asked: PluginDirectory, start: StartChain, request_of: RequestOf, source: str, reason: str
) -> None:
    """If the other plugin ends, or writes what is no answer, so does this one, and the server with it."""
    asked.script("p", source)
    chain = await start()
    asked = asyncio.gather(chain.decide(request_of("/")), return_exceptions=True)
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin asks stopped unexpectedly with exit status 1"
    assert reason in lost.last_lines
    assert all(isinstance(outcome, Exception) for outcome in await asked)


async def test_a_silent_plugin(
    plugins: PluginDirectory, asked: PluginDirectory, start: StartChain, request_of: RequestOf
) -> None:
    """A request that the other plugin does not answer in time is answered 503; the next is fine."""
    plugins.sdk("asks", "    import wfx_plugin.asking as asking\n    asking.REPLY_TIMEOUT = 0.5" + ASKS)
    asked.script("p", """
        late = frame()
        while one := frame():
            write(passed(cookie(late)) + passed(99) + passed(cookie(one)))
    """)  # fmt: skip
    chain = await start()
    assert await chain.decide(request_of("/")) == Respond(503, (), b"the plugin failed on this request\n")
    for _ in range(2):
        assert await chain.decide(request_of("/")) == request_of("/")


async def test_many_at_a_time(asked: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """Requests are not held up by each other, and answers may come in any order."""
    asked.script("p", """
        frames = [frame() for _ in range(100)]
        for one in reversed(frames): write(passed(cookie(one)))
        hold()
    """)  # fmt: skip
    chain = await start()
    requests = [request_of(f"/{number}", body=bytes(10_000)) for number in range(100)]
    assert await asyncio.wait_for(asyncio.gather(*map(chain.decide, requests)), DEADLINE) == requests
