"""Plugins written with the SDK, as programs of their own."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from plugin_programs import DEADLINE, PluginDirectory, StartChain

import wfx_plugin
from wfx.plugin.message import PluginRequest, Respond

RequestOf = Callable[..., PluginRequest]
ROOT = Path(__file__).parents[2]


def text_of(decided: PluginRequest | Respond) -> str:
    """Give the text of a response."""
    assert isinstance(decided, Respond)
    return decided.body.decode()


async def test_stray_output_is_harmless(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """What a plugin prints, before or while it runs, by Python, by the descriptor or by a child, disturbs nothing."""
    plugins.sdk("noisy", """
        import os, subprocess
        print("at start")
        def decide(request):
            print("in a request", flush=True)
            os.write(1, b"by descriptor")
            subprocess.run(["/bin/echo", "by a child"])
            assert sys.stdin.read() == ""
            return PASS
        run(decide)
    """)  # fmt: skip
    chain = await start()
    for _ in range(3):
        assert await chain.decide(request_of("/")) == request_of("/")
    assert not chain.lost.done()


@pytest.mark.parametrize("how", ["run(decide)", "run(decide, threads=2)", "run_async(decide_async)"])
@pytest.mark.parametrize("fault", ["1 / 0", "None", "Respond('x', 'y')", "Modify(headers={'A': 1})"])
async def test_a_function_that_fails(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, how: str, fault: str
) -> None:
    """When the function raises, or returns no decision, this request is answered Unavailable and the next is fine."""
    plugins.sdk("faulty", f"""
        def decide(request):
            return PASS if request.path == "/good" else {fault}
        async def decide_async(request):
            return decide(request)
        {how}
    """)  # fmt: skip
    chain = await start()
    assert await chain.decide(request_of("/bad")) == Respond(503, (), b"the plugin failed on this request\n")
    assert await chain.decide(request_of("/good")) == request_of("/good")


@pytest.mark.parametrize("how", ["run(decide, threads=50)", "run_async(decide_async)"])
async def test_many_at_a_time(plugins: PluginDirectory, start: StartChain, request_of: RequestOf, how: str) -> None:
    """Fifty requests that wait for each other are decided at the same time."""
    plugins.sdk("p", f"""
        import asyncio, threading
        together = threading.Barrier(50)
        waiting = []
        def decide(request):
            together.wait()
            return PASS
        async def decide_async(request):
            mine = asyncio.get_running_loop().create_future()
            waiting.append(mine)
            if len(waiting) == 50:
                for one in waiting:
                    one.set_result(None)
            await mine
            return PASS
        {how}
    """)  # fmt: skip
    chain = await start()
    requests = [request_of(f"/{number}") for number in range(50)]
    decided = await asyncio.wait_for(asyncio.gather(*map(chain.decide, requests)), DEADLINE)
    assert decided == requests


@pytest.mark.parametrize("how", ["run(decide, threads=1, backlog=2)", "run_async(decide_async, backlog=3)"])
async def test_overload(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, tmp_path: Path, how: str
) -> None:
    """What goes beyond the backlog is answered Unavailable at once, and the rest in the end."""
    go = tmp_path / "go"
    plugins.sdk("p", f"""
        import asyncio, os, time
        def decide(request):
            while not os.path.exists({str(go)!r}): time.sleep(0.01)
            return PASS
        async def decide_async(request):
            while not os.path.exists({str(go)!r}): await asyncio.sleep(0.01)
            return PASS
        {how}
    """)  # fmt: skip
    chain = await start()
    asked = [asyncio.create_task(chain.decide(request_of("/"))) for _ in range(20)]
    async with asyncio.timeout(DEADLINE):
        while sum(task.done() for task in asked) < 17:  # noqa: ASYNC110 - answers of another process
            await asyncio.sleep(0.01)
    go.touch()
    outcomes = [await task for task in asked]
    refused = [outcome for outcome in outcomes if outcome != request_of("/")]
    assert refused == [Respond(503, (), b"too many requests are waiting for the plugin\n")] * len(refused)
    assert 17 <= len(refused) <= 18


@pytest.mark.parametrize("how", ["run(decide)", "run(decide, threads=2)", "run_async(decide_async)"])
@pytest.mark.parametrize("busy", [True, False])
async def test_sigterm_ends_promptly(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, *, how: str, busy: bool
) -> None:
    """On SIGTERM a plugin ends at once, also in the middle of a request, and its own clean-up runs."""
    mark = plugins.path.parent / "cleaned"
    plugins.sdk("p", f"""
        import asyncio, time
        def decide(request):
            if request.path == "/wait": time.sleep(60)
            return PASS
        async def decide_async(request):
            if request.path == "/wait": await asyncio.sleep(60)
            return PASS
        try:
            {how}
        finally:
            open({str(mark)!r}, "w").close()
    """)  # fmt: skip
    chain = await start()
    await chain.decide(request_of("/"))
    waiting = asyncio.create_task(chain.decide(request_of("/wait"))) if busy else None
    await asyncio.sleep(0)
    await asyncio.wait_for(chain.stop(), DEADLINE / 2)
    assert mark.exists()
    if waiting:
        with pytest.raises(Exception, match="is gone"):
            await waiting


@pytest.mark.parametrize("how", ["run(decide)", "run(decide, threads=2)", "run_async(decide)"])
def test_the_end_of_the_server(plugins: PluginDirectory, how: str) -> None:
    """When the server has gone, a plugin ends by itself, with status 0 and without a complaint."""
    script = plugins.sdk("p", f"def decide(request): return PASS\n{how}")
    ended = subprocess.run([script], input=b"", capture_output=True, timeout=DEADLINE, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


async def test_logging(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, caplog: pytest.LogCaptureFixture
) -> None:
    """Log records of a plugin, and the traceback of a failure, reach the log of the server."""
    plugins.sdk("p", """
        import logging
        def decide(request):
            logging.getLogger("mine").info("seen %s", request.destination)
            return 1 / 0
        run(decide)
    """)  # fmt: skip
    caplog.set_level(logging.DEBUG, "wfx.plugin")
    chain = await start()
    await chain.decide(request_of("/here"))
    await chain.stop()
    lines = [record.fields.get("msg", "") for record in caplog.records if hasattr(record, "fields")]
    assert "INFO mine: seen /here" in lines
    assert "ZeroDivisionError: division by zero" in lines


def test_requests_are_easy_to_read() -> None:
    """Path, segments, query and headers of a request come apart as the server understands them."""
    request = wfx_plugin.Request(
        "/a%2Fb/c%20d?x=1&x=%32&y", headers={"x-response-FILTER": ".id", "X-Two": ["1", "2"]}, body=b"b"
    )
    assert request.path == "/a%2Fb/c%20d"
    assert request.segments == ("a/b", "c d")
    assert request.query == {"x": ["1", "2"], "y": [""]}
    assert request.header("X-response-filter") == ".id"
    assert request.values("x-two") == ["1", "2"]
    assert request.header("X-None") is None
    assert request.headers | {"X-Two": "3"} == {"X-Response-Filter": [".id"], "X-Two": "3"}


def test_the_sdk_stands_alone() -> None:
    """Importing the SDK imports nothing of the server."""
    code = "import sys, wfx_plugin; print([name for name in sys.modules if name.split('.')[0] == 'wfx'])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "plugins", capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_the_ten_lines_of_the_package_work(plugins: PluginDirectory) -> None:
    """The example in the package's own documentation is a program that runs."""
    assert wfx_plugin.__doc__ is not None
    example = wfx_plugin.__doc__.partition("\n\n")[2]
    script = plugins.sdk("p", example)
    ended = subprocess.run([script], input=b"", capture_output=True, timeout=DEADLINE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
