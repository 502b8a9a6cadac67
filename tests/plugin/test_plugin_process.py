"""Plugins that end, break the protocol, or will not end: the server notices, and nothing passes meanwhile."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from plugin_programs import DEADLINE, Eventually, PluginDirectory, StartChain

from wfx.logs.record import content_of
from wfx.plugin.chain import PluginChain
from wfx.plugin.errors import PluginsGone, ReplyOverdue
from wfx.plugin.message import PluginRequest
from wfx.plugin.process import PluginProcess
from wfx.plugin.program import PluginSettings

RequestOf = Callable[..., PluginRequest]
ANSWER = "one = frame()\n"
BREAKS = {
    "exit 0": ("sys.exit(0)", "with exit status 0"),
    "exit 1": ("sys.exit(1)", "with exit status 1"),
    "exit in a request": (ANSWER + "sys.exit(2)", "with exit status 2"),
    "signal": (ANSWER + "os.kill(os.getpid(), signal.SIGKILL)", "by SIGKILL"),
    "closed stdout": (ANSWER + "os.close(1); time.sleep(60)", "closed its standard output"),
    "closed stdin": ("os.close(0); time.sleep(60)", "closed its standard input"),
    "garbage": (ANSWER + "print('hello', flush=True); hold()", "announced a frame of 1819043176 bytes"),
    "four gigabytes": (ANSWER + "write(bytes([255] * 4)); hold()", "announced a frame of 4294967295 bytes"),
    "empty frame": (ANSWER + "write(bytes(4)); hold()", "points out of the frame"),
    "zeroes": (ANSWER + "write(bytes([16]) + bytes(19)); hold()", "malformed vtable"),
    "unknown cookie": (ANSWER + "write(passed(99)); hold()", "cookie 99, which is not outstanding"),
    "unsolicited": ("write(passed(77)); hold()", "cookie 77, which is not outstanding"),
    "answers twice": (ANSWER + "write(passed(cookie(one)) * 2); hold()", "cookie 1, which is not outstanding"),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_a_plugin_is_lost(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    """However a plugin fails, the loss names it and the reason, and from then on no request passes."""
    source, reason = BREAKS[case]
    plugins.link("0-cat", "/bin/cat")
    plugins.script("1-bad", source)
    plugins.link("2-cat", "/bin/cat")
    chain = await start()
    asked = [asyncio.create_task(chain.decide(request_of("/"))) for _ in range(5)]
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert lost.plugin == "1-bad"
    assert reason in str(lost)
    assert "plugin 1-bad" in caplog.text
    assert reason in caplog.text
    outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), DEADLINE)
    assert [type(outcome) for outcome in outcomes] == [PluginsGone] * 5
    with pytest.raises(PluginsGone):
        await chain.decide(request_of("/"))


async def test_half_a_frame(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """An answer that is begun and not ended within the reply deadline is a failure of the plugin."""
    plugins.script("half", "frame(); write(PASS[:10]); hold()")
    chain = await start(reply_timeout=0.3)
    with pytest.raises((PluginsGone, ReplyOverdue)):
        await chain.decide(request_of("/"))
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert str(lost) == "plugin half left an answer unfinished for 0.3 s"


async def test_slow_answers_are_not_half_frames(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf
) -> None:
    """Answers in single bytes are put together, and the deadline for an unfinished one ends with it."""
    plugins.script("bytewise", """
        while one := frame():
            for byte in passed(cookie(one)):
                write(bytes([byte]))
    """)  # fmt: skip
    chain = await start()
    for _ in range(3):
        assert await chain.decide(request_of("/")) == request_of("/")
    assert chain._plugins[0]._unfinished is None


async def test_nothing_passes_at_the_last_moment(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, eventually: Eventually, tmp_path: Path
) -> None:
    """A request that an earlier plugin let pass is refused if that plugin is lost while a later one decides."""
    wait = "while not os.path.exists({!r}): time.sleep(0.01)\n"
    leave, asked, go = (tmp_path / name for name in ("leave", "asked", "go"))
    plugins.script("1-brief", "write(passed(cookie(frame())))\n" + wait.format(str(leave)))
    plugins.script("2-slow", f"one = frame()\nopen({str(asked)!r}, 'w').close()\n" + wait.format(str(go)) + """
write(passed(cookie(one)))
hold()
""")  # fmt: skip
    chain = await start()
    deciding = asyncio.create_task(chain.decide(request_of("/")))
    await eventually(asked.exists)
    leave.touch()
    assert (await asyncio.wait_for(chain.lost, DEADLINE)).plugin == "1-brief"
    go.touch()
    with pytest.raises(PluginsGone):
        await asyncio.wait_for(deciding, DEADLINE)


async def test_an_end_before_any_request(plugins: PluginDirectory, start: StartChain) -> None:
    """A plugin that ends right after its start is noticed without any request."""
    plugins.script("brief", "sys.exit(0)")
    chain = await start()
    assert "brief stopped unexpectedly" in str(await asyncio.wait_for(chain.lost, DEADLINE))


def pid_file(tmp_path: Path) -> tuple[Path, str]:
    """Give a file, and a line of Python that puts the process id there in one piece."""
    file = tmp_path / "pid"
    new = f"{file}.new"
    return file, f"open({new!r}, 'w').write(str(os.getpid())); os.rename({new!r}, {str(file)!r})\n"


async def test_sigterm_is_enough(
    plugins: PluginDirectory, start: StartChain, eventually: Eventually, tmp_path: Path, alive: Callable[[int], bool]
) -> None:
    """A plugin is ended by SIGTERM; that is not a loss, and stopping twice does no harm."""
    file, note = pid_file(tmp_path)
    plugins.script("p", note + "time.sleep(60)")
    chain = await start()
    await eventually(file.exists)
    await asyncio.wait_for(chain.stop(), DEADLINE / 2)
    await chain.stop()
    assert not alive(int(file.read_text()))
    assert not chain.lost.done()


async def test_sigterm_ignored(
    plugins: PluginDirectory, start: StartChain, eventually: Eventually, tmp_path: Path, alive: Callable[[int], bool],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """A plugin that ignores SIGTERM, and the end of its input, is killed after the grace time, with a log line."""
    file, note = pid_file(tmp_path)
    plugins.script("stubborn", "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + note + "while True: time.sleep(60)")
    chain = await start(stop_grace=0.3)
    await eventually(file.exists)
    await asyncio.wait_for(chain.stop(), DEADLINE)
    assert not alive(int(file.read_text()))
    assert "plugin ignores SIGTERM" in caplog.text


async def test_children_go_too(
    plugins: PluginDirectory, start: StartChain, eventually: Eventually, tmp_path: Path, alive: Callable[[int], bool]
) -> None:
    """When a plugin ends by itself, what it started is ended with it."""
    file, note = pid_file(tmp_path)
    plugins.script(
        "parent",
        f"""
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    {note}
    time.sleep(60)
while not os.path.exists({str(file)!r}): time.sleep(0.01)
""",
    )
    chain = await start()
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    assert "exit status 0" in str(lost)
    await eventually(lambda: not alive(int(file.read_text())))


async def test_a_group_of_its_own(
    plugins: PluginDirectory, start: StartChain, eventually: Eventually, tmp_path: Path
) -> None:
    """A plugin runs in a process group of its own: Ctrl-C at the server's terminal does not reach it first."""
    file, note = pid_file(tmp_path)
    plugins.script("p", note + "hold()")
    await start()
    await eventually(file.exists)
    pid = int(file.read_text())
    assert os.getpgid(pid) == pid != os.getpgid(0)


async def test_a_flood_on_stderr(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, caplog: pytest.LogCaptureFixture
) -> None:
    """Megabytes on standard error, in one line, in very many, or binary, neither stop a plugin nor fill the log."""
    plugins.script("loud", """
        one = frame()
        newline = bytes([10])
        sys.stderr.buffer.write(b"x" * 10_000_000 + newline)
        sys.stderr.buffer.write(bytes(range(256)) * 100 + newline)
        sys.stderr.buffer.write((b"line" + newline) * 1_000_000)
        sys.stderr.buffer.flush()
        write(passed(cookie(one)))
        hold()
    """)  # fmt: skip
    caplog.set_level(logging.DEBUG, "wfx.plugin")
    chain = await start()
    assert await asyncio.wait_for(chain.decide(request_of("/")), DEADLINE) == request_of("/")
    assert not chain.lost.done()
    fields = [content_of(record).fields for record in caplog.records]
    lines = [str(each["msg"]) for each in fields if "msg" in each]
    assert lines[0].startswith("xxxx")
    assert lines[0].endswith("bytes more")
    assert any("\\xff" in line for line in lines)
    assert lines.count("line") >= 100
    assert len(lines) < 20_000
    assert max(map(len, lines)) < 40_000


@pytest.mark.parametrize(("source", "reason"), [
    ("while one := frame(): write(passed(cookie(one)))", ""),
    ("sys.exit(5)", "with exit status 5"),
    ("frame(); write(bytes([255] * 4)); time.sleep(60)", "announced a frame"),
    ("frame(); os.close(1); time.sleep(60)", "closed its standard output"),
    ("os.close(0); time.sleep(60)", "closed its standard input"),
    ("signal.signal(signal.SIGTERM, signal.SIG_IGN); frame(); write(bytes(4)); time.sleep(60)", "points out of"),
])  # fmt: skip
def test_on_uvloop(
    plugins: PluginDirectory, settings: PluginSettings, request_of: RequestOf, source: str, reason: str
) -> None:
    """All of this holds on uvloop too: asking, the loss of a plugin, stopping."""
    plugins.script("p", source)

    async def scenario() -> None:
        chain = await PluginChain.start(plugins.path, replace(settings, stop_grace=0.3), asyncio.Event())
        asked = asyncio.gather(chain.decide(request_of("/")), return_exceptions=True)
        try:
            if reason:
                assert reason in str(await asyncio.wait_for(chain.lost, DEADLINE))
                assert isinstance((await asked)[0], PluginsGone)
            else:
                assert (await asyncio.wait_for(asked, DEADLINE))[0] == request_of("/")
        finally:
            await asyncio.wait_for(chain.stop(), DEADLINE)
        assert chain.lost.done() == bool(reason)

    uvloop.run(scenario())


async def test_a_plugin_that_cannot_be_listened_to_is_ended(
    plugins: PluginDirectory, settings: PluginSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the server runs out of means while it starts a plugin, no process is left behind."""
    plugins.link("0-sleeping", "/bin/cat")
    started: list[PluginProcess] = []

    async def fail(plugin: PluginProcess) -> None:
        started.append(plugin)
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(PluginProcess, "_connect", fail)
    with pytest.raises(OSError, match="Too many open files"):
        await PluginChain.start(plugins.path, settings, asyncio.Event())
    [plugin] = started
    await asyncio.wait_for(plugin._ended.wait(), DEADLINE)
    plugin._process.__exit__(None, None, None)  # closes its pipes, which nobody took
