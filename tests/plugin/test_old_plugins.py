"""Plugins that were made before go on working: code of the schemas as they were reads and answers requests of now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from plugin_programs import PluginDirectory, StartChain

from wfx.plugin.message import Action, Answer, Origin, PluginRequest, Respond, ShownSide
from wfx.request_context import ClientCertificate

RequestOf = Callable[..., PluginRequest]
SITE = next(path for path in Path(__import__("flatbuffers").__file__).parents if path.name == "site-packages")
OLD = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parent / "generated_before")!r}, {str(SITE)!r}]
import flatbuffers
import messages as m

def answer(cookie, kind, payload, builder):
    m.PluginResponseStart(builder)
    m.PluginResponseAddCookie(builder, cookie)
    if payload is not None:
        m.PluginResponseAddPayloadType(builder, kind)
        m.PluginResponseAddPayload(builder, payload)
    builder.FinishSizePrefixed(m.PluginResponseEnd(builder))
    sys.stdout.buffer.write(bytes(builder.Output()))
    sys.stdout.buffer.flush()

def serve(decide):
    while head := sys.stdin.buffer.read(4):
        frame = sys.stdin.buffer.read(int.from_bytes(head, "little"))
        question = m.PluginRequest.GetRootAs(frame, 0)
        builder = flatbuffers.Builder(0)
        kind, payload = decide(question.Request(), builder)
        answer(question.Cookie(), kind, payload, builder)
"""
DENIES = """
def decide(request, builder):
    headers = {request.Envelope(i).Name(): request.Envelope(i).Values(0) for i in range(request.EnvelopeLength())}
    if request.Action() != m.Action.Delete:
        return 0, None
    told = b"%b %b %d" % (request.Destination(), headers[b"X-Role"], request.ContentLength())
    told = builder.CreateByteVector(told)
    m.ResponseStart(builder)
    m.ResponseAddContent(builder, told)
    return m.Payload.client_Response, m.ResponseEnd(builder)
serve(decide)
"""
CHANGES = """
def decide(request, builder):
    target = builder.CreateString(request.Destination() + b"/more")
    m.RequestStart(builder)
    m.RequestAddDestination(builder, target)
    return m.Payload.client_Request, m.RequestEnd(builder)
serve(decide)
"""
EVERYTHING = Origin(
    b"DELETE", b"192.0.2.1:4711", ShownSide.NORTH, b"r-1", ClientCertificate("CN=a", ("DNS:a", "DNS:b"), "0" * 64)
)


async def test_code_of_before_decides(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """A plugin with the code of before reads destination, action, headers and body, and denies or lets pass."""
    plugins.script("old", DENIES, options="-IS", prelude=OLD)
    chain = await start()
    request = replace(request_of("/jobs/7", Action.DELETE, [(b"X-Role", (b"none",))], b"body"), origin=EVERYTHING)
    assert await chain.decide(request) == Respond(403, (), b"/jobs/7 none 4")
    assert await chain.decide(replace(request, action=Action.READ)) == replace(request, action=Action.READ)


async def test_code_of_before_changes(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """What a plugin with the code of before changes is changed, and what it does not know stays as it was."""
    plugins.script("old", CHANGES, options="-IS", prelude=OLD)
    chain = await start()
    request = replace(request_of("/jobs", body=b"body"), origin=EVERYTHING)
    assert await chain.decide(request) == replace(request, destination=b"/jobs/more", headers=())


async def test_an_echo_passes(plugins: PluginDirectory, start: StartChain, request_of: RequestOf) -> None:
    """/bin/cat sends back all the new fields, and lets pass; as an observer it is as harmless."""
    plugins.link("cat", "/bin/cat")
    (plugins.path / "observe").mkdir(mode=0o755)
    PluginDirectory(plugins.path / "observe").link("cat", "/bin/cat")
    chain = await start()
    for number in range(100):
        request = replace(request_of(f"/{number}", body=b"x" * 1000), origin=EVERYTHING)
        assert await chain.decide(request) == request
        chain.observe(replace(request, answer=Answer(200, (), b"", 0, True, 1, b"", b"", 0)))
    await chain.stop()
    assert [observer.told for observer in chain.observers] == [100]
    assert not chain.lost.done()
