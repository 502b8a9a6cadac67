"""A plugin that fails is reported at the default log level, with what it wrote last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from plugin_programs import DEADLINE, Eventually, PluginDirectory, StartChain

from wfx.plugin import failures
from wfx.plugin.errors import Undecided
from wfx.plugin.message import PluginRequest, Respond
from wfx.request_context import RequestContext, Side, current, enter

RequestOf = Callable[..., PluginRequest]
FAULTY = """
    import logging
    {setup}
    def fail():
        raise KeyError("the reason")
    def decide(request):
        return PASS if request.path == "/good" else fail()
    async def decide_async(request):
        return decide(request)
    {how}
"""


def errors(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Give the fields of what was logged at level error."""
    found = (record for record in caplog.records if record.levelno == logging.ERROR)
    return [record.fields for record in found]  # type: ignore[attr-defined] # set by extra


@pytest.fixture(autouse=True)
def usual_level(caplog: pytest.LogCaptureFixture) -> None:
    """Log what the service logs unless it is told otherwise."""
    caplog.set_level(logging.INFO, "wfx.plugin")


@pytest.mark.parametrize("how", ["run(decide)", "run(decide, threads=2)", "run_async(decide_async)"])
@pytest.mark.parametrize("setup", ["", "logging.basicConfig(level=50, format='%(message)s')"], ids=["as is", "own log"])
async def test_a_function_that_raises(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, eventually: Eventually,
    caplog: pytest.LogCaptureFixture, how: str, setup: str,
) -> None:  # fmt: skip
    """When a plugin's function raises, an error record shows the traceback, whatever the plugin does to logging."""
    plugins.sdk("faulty", FAULTY.format(how=how, setup=setup))
    chain = await start()
    assert await chain.decide(request_of("/good")) == request_of("/good")
    assert isinstance(await chain.decide(request_of("/bad?page=1")), Respond)
    await eventually(lambda: bool(errors(caplog)))
    (fields,) = errors(caplog)
    assert (fields["plugin"], fields["path"], fields["errors"]) == ("faulty", str(plugins.path / "faulty"), 1)
    lines = str(fields["stderr"]).split("\n")
    assert lines[0] == "ERROR wfx_plugin: no decision on /bad?page=1"
    assert lines[1] == "Traceback (most recent call last):"
    assert lines[-1] == "KeyError: 'the reason'"
    assert len(lines) <= 20
    assert await chain.decide(request_of("/good")) == request_of("/good")


async def test_many_failures_are_few_records(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, eventually: Eventually,
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Whoever makes a plugin fail again and again gets one record in a while, which counts the failures."""
    plugins.sdk("faulty", FAULTY.format(how="run(decide)", setup=""))
    chain = await start()
    for _ in range(30):
        await chain.decide(request_of("/bad"))
    await eventually(lambda: bool(errors(caplog)))
    told = errors(caplog)[0]["errors"]
    assert isinstance(told, int)
    for _ in range(30):
        await chain.decide(request_of("/bad"))
    assert len(errors(caplog)) == 1, "the next is due after ten seconds"
    monkeypatch.setattr(failures, "REPORT_INTERVAL", 0.0)
    await chain.stop()
    assert [fields["errors"] for fields in errors(caplog)] == [told, 60 - told], "the end reports the rest"
    assert all(len(str(fields["stderr"]).split("\n")) <= 20 for fields in errors(caplog))


async def test_what_is_no_failure(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, caplog: pytest.LogCaptureFixture
) -> None:
    """What a plugin says below the level of errors is not shown at the default log level."""
    plugins.sdk("chatty", """
        import logging
        def decide(request):
            for level in (10, 20, 30):
                logging.getLogger("mine").log(level, "said")
            print("printed", file=sys.stderr)
            return Respond.unavailable("maintenance")
        run(decide)
    """)  # fmt: skip
    chain = await start()
    await chain.decide(request_of("/"))
    await chain.stop()
    assert [record.getMessage() for record in caplog.records] == ["plugin started", "plugin stopped"]


@pytest.mark.parametrize(("source", "last"), [
    ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("frame(); raise ValueError('in a request')", "ValueError: in a request"),
    ("frame(); sys.stderr.write('half a line'); sys.stderr.flush(); os._exit(3)", "half a line"),
    ("frame(); sys.stderr.write('line' + chr(10) * 200000 + 'the end'); sys.stderr.flush(); os._exit(3)", "the end"),
    ("frame(); os.write(2, b'no more'); os.close(1); hold()", "no more"),
])  # fmt: skip
async def test_the_last_words(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, caplog: pytest.LogCaptureFixture,
    source: str, last: str,
) -> None:  # fmt: skip
    """When a plugin is lost, the error record that says so holds the last twenty lines of its standard error."""
    plugins.script("brief", source)
    chain = await start()
    asked = asyncio.gather(chain.decide(request_of("/")), return_exceptions=True)
    lost = await asyncio.wait_for(chain.lost, DEADLINE)
    await asked
    (fields,) = errors(caplog)
    assert fields["plugin"] == lost.plugin == "brief"
    assert str(fields["stderr"]).split("\n")[-1] == last
    assert len(str(fields["stderr"]).split("\n")) <= 20


async def test_ids_of_requests_in_records(
    plugins: PluginDirectory, start: StartChain, request_of: RequestOf, eventually: Eventually
) -> None:
    """A record about one refused request has its id; one that counts failures has none, whoever caused the first."""
    plugins.sdk("faulty", """
        def decide(request):
            if request.path == "/odd":
                return Modify(destination="nowhere")
            raise KeyError("the reason")
        run(decide)
    """)  # fmt: skip
    chain = await start()
    seen: dict[int, str | None] = {}
    handler = logging.Handler()

    def note(record: logging.LogRecord) -> None:
        context = current()
        seen[record.levelno] = context.request_id if context is not None else None

    handler.emit = note  # type: ignore[method-assign]  # a class would be longer
    logger = logging.getLogger("wfx.plugin")
    logger.addHandler(handler)
    try:
        enter(RequestContext(Side.SOUTH, b"mine"))
        with pytest.raises(Undecided):
            await chain.decide(request_of("/odd"))
        await chain.decide(request_of("/bad"))
        await eventually(lambda: logging.ERROR in seen)
    finally:
        logger.removeHandler(handler)
    assert (seen[logging.WARNING], seen[logging.ERROR]) == ("mine", None)
