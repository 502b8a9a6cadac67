"""What the server writes and reads is FlatBuffers, held against the code that flatc generates."""

from __future__ import annotations

import struct

import flatbuffers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wfx.plugin.decode import decode_answer
from wfx.plugin.encode import encode_request
from wfx.plugin.errors import MessageError
from wfx.plugin.generated import messages as wire
from wfx.plugin.message import (
    NO_ORIGIN,
    PASS,
    Action,
    Answer,
    Headers,
    Modify,
    Origin,
    PluginRequest,
    Respond,
    ShownSide,
)
from wfx.request_context import ClientCertificate
from wfx_plugin import model as sdk
from wfx_plugin import wire as sdk_wire

texts = st.binary(max_size=20)
headers_of_bytes = st.lists(st.tuples(texts, st.lists(texts, max_size=3).map(tuple)), max_size=5).map(tuple)
words_of_bytes = st.text(max_size=20).map(str.encode)
certificates = st.builds(ClientCertificate, st.text(max_size=9), st.lists(st.text(max_size=9)).map(tuple), st.text())
origins = st.just(NO_ORIGIN) | st.builds(
    Origin, st.sampled_from((b"GET", b"PUT")), words_of_bytes, st.sampled_from(ShownSide), words_of_bytes,
    st.none() | certificates,
)  # fmt: skip
numbers = st.integers(0, 2**64 - 1)
answers = st.builds(
    Answer, st.integers(0, 999), headers_of_bytes, st.binary(max_size=30), numbers, st.booleans(), numbers,
    words_of_bytes, words_of_bytes, numbers,
)  # fmt: skip
requests = st.builds(
    PluginRequest, texts, st.sampled_from(Action), headers_of_bytes, st.binary(max_size=100), origins,
    st.none() | answers,
)  # fmt: skip
cookies = st.integers(0, 2**64 - 1)


@given(cookies, requests)
def test_requests_are_what_the_generated_code_reads(cookie: int, request: PluginRequest) -> None:
    """Every request that is written is read back by the generated classes, member by member, and well aligned."""
    frame = encode_request(cookie, request)
    assert int.from_bytes(frame[:4], "little") == len(frame) - 4
    message = wire.PluginRequest.GetRootAs(frame, 4)
    inner = message.Request()
    assert inner is not None
    assert (message.Cookie(), inner.Action(), inner.Destination()) == (cookie, request.action, request.destination)
    envelope = [inner.Envelope(index) for index in range(inner.EnvelopeLength())]
    assert request.headers == tuple(
        (entry.Name(), tuple(entry.Values(index) for index in range(entry.ValuesLength()))) for entry in envelope
    )
    table = inner._tab
    start = table.Vector(table.Offset(12))
    assert frame[start : start + table.VectorLen(table.Offset(12))] == request.body
    assert struct.unpack_from("<Q", frame, 24)[0] == cookie  # a multiple of 8, as strict readers demand


@given(cookies, requests)
def test_the_sdk_reads_requests(cookie: int, request: PluginRequest) -> None:
    """The SDK shows a plugin exactly what the server wrote, also bytes that are not UTF-8."""
    number, shown = sdk_wire.read_request(encode_request(cookie, request)[4:])
    assert (number, int(shown.action), shown.body) == (cookie, int(request.action), request.body)
    assert shown.destination.encode("utf-8", "surrogateescape") == request.destination
    names = {name: list(values) for name, values in request.headers}
    raw = {
        name.encode("utf-8", "surrogateescape"): [value.encode("utf-8", "surrogateescape") for value in values]
        for name, values in shown._headers().items()  # type: ignore[operator]
    }
    assert raw == names


@given(cookies, requests)
def test_origins_and_answers_are_what_the_generated_code_reads(cookie: int, request: PluginRequest) -> None:
    """Where a request comes from and how it was answered is read back by the generated classes, and well aligned."""
    frame = encode_request(cookie, request)
    inner = wire.PluginRequest.GetRootAs(frame, 4).Request()
    assert inner is not None
    origin = request.origin
    assert (inner.Method() or b"", inner.Peer() or b"", inner.RequestId() or b"", inner.Side()) == (
        origin.method, origin.peer, origin.request_id, origin.side,
    )  # fmt: skip
    shown = inner.Certificate()
    assert (shown is None) == (origin.certificate is None)
    if shown is not None and origin.certificate is not None:
        names = tuple((shown.Names(index) or b"").decode() for index in range(shown.NamesLength()))
        assert ((shown.Subject() or b"").decode(), names, (shown.Sha256() or b"").decode()) == (
            origin.certificate.subject, origin.certificate.alternative_names, origin.certificate.sha256,
        )  # fmt: skip
    answer = inner.Answer()
    assert (answer is None) == (request.answer is None)
    if answer is not None and request.answer is not None:
        wanted = request.answer
        assert (answer.Status(), answer.Size(), answer.Complete(), answer.Microseconds(), answer.RequestSize()) == (
            wanted.status, wanted.size, wanted.complete, wanted.microseconds, wanted.request_size,
        )  # fmt: skip
        assert (answer.AnsweredBy() or b"", answer.Operation() or b"") == (wanted.answered_by, wanted.operation)
        assert answer.ContentLength() == len(wanted.body)
        envelope = [answer.Envelope(index) for index in range(answer.EnvelopeLength())]
        assert wanted.headers == tuple(
            (entry.Name(), tuple(entry.Values(index) for index in range(entry.ValuesLength()))) for entry in envelope
        )
        size = frame.index(struct.pack("<QQQ", wanted.size, wanted.microseconds, wanted.request_size))
        assert size % 8 == 0 or frame.count(struct.pack("<Q", wanted.size)) > 1


@given(cookies, requests)
def test_the_sdk_reads_origins_and_answers(cookie: int, request: PluginRequest) -> None:
    """The SDK shows an observer exactly what the server wrote, and tells a message without an answer."""
    number, shown, answer = sdk_wire.read_answered(encode_request(cookie, request)[4:])
    origin = request.origin
    assert number == cookie
    if origin.method:
        found = (shown.origin.method, shown.origin.peer, int(shown.origin.side), shown.origin.request_id)
        assert found == (origin.method.decode(), origin.peer.decode(), int(origin.side), origin.request_id.decode())
        if shown.origin.certificate is not None and origin.certificate is not None:
            assert shown.origin.certificate == sdk.Certificate(
                origin.certificate.subject, origin.certificate.sha256, origin.certificate.alternative_names
            )
        assert (shown.origin.certificate is None) == (origin.certificate is None)
    assert (answer is None) == (request.answer is None)
    if answer is not None and request.answer is not None:
        wanted = request.answer
        assert (answer.status, answer.body, answer.size, answer.complete) == (
            wanted.status, wanted.body, wanted.size, wanted.complete,
        )  # fmt: skip
        assert answer.seconds == wanted.microseconds / 1e6
        assert (answer.answered_by, answer.operation) == (wanted.answered_by.decode(), wanted.operation.decode())
        assert answer.request_size == wanted.request_size


words = st.text(max_size=20)
headers_of_text = st.dictionaries(words, st.lists(words, max_size=3), max_size=5)


def as_bytes(headers: dict[str, list[str]]) -> Headers:
    """Encode names and values."""
    return tuple((name.encode(), tuple(value.encode() for value in values)) for name, values in headers.items())


@given(cookies, st.sampled_from(sdk.Status), headers_of_text, st.binary(max_size=100))
def test_responses_of_the_sdk(cookie: int, status: sdk.Status, headers: dict[str, list[str]], body: bytes) -> None:
    """What a plugin responds through the SDK arrives: status, headers, body."""
    frame = sdk_wire.write_answer(cookie, sdk.Request("/"), sdk.Respond(status, body, headers))
    http = {"DENY": 403, "ACCEPT": 200, "MODIFIED": 200, "UNAVAILABLE": 503}[status.name]
    assert decode_answer(frame[4:]) == (cookie, Respond(http, as_bytes(headers), body))


@given(cookies, words, headers_of_text, st.none() | st.binary(max_size=100))
def test_changes_of_the_sdk(cookie: int, destination: str, headers: dict[str, list[str]], body: bytes | None) -> None:
    """What a plugin modifies through the SDK arrives; a body that is left alone stays absent."""
    frame = sdk_wire.write_answer(cookie, sdk.Request("/"), sdk.Modify(destination, headers, body))
    assert decode_answer(frame[4:]) == (cookie, Modify(destination.encode(), as_bytes(headers), body))


def test_a_pass_of_the_sdk_is_the_vector_of_the_contract() -> None:
    """Letting cookie 7 pass is, byte for byte, the first frame of server section 11.3."""
    vector = "1c000000100000000000000008000c0000000400080000000700000000000000"
    assert sdk_wire.write_answer(7, sdk.Request("/"), sdk.PASS).hex() == vector


@given(requests)
def test_an_echo_lets_pass(request: PluginRequest) -> None:
    """A plugin that sends requests back as they are (cat) lets them pass, whatever they hold."""
    assert decode_answer(encode_request(5, request)[4:]) == (5, PASS)


@given(st.binary(max_size=300))
@example(b"")
@example(b"\x04\0\0\0\0\0\0\0")
def test_garbage_is_a_message_error_or_an_answer(garbage: bytes) -> None:
    """Reading any bytes ends in an answer or a MessageError, never in another error."""
    read_without_surprise(garbage)


valid_frames = st.builds(
    sdk_wire.write_answer,
    cookies,
    st.just(sdk.Request("/x", headers={"A": ["b", "c"]}, body=b"body")),
    st.sampled_from([
        sdk.PASS,
        sdk.Modify("/y", {"X": ["1", "2"], "Y": "3"}, b"z"),
        sdk.Respond(sdk.Status.UNAVAILABLE, b"text", {"X": ["1", "2"]}),
    ]),
)  # fmt: skip
damage = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6)


@given(valid_frames, damage, st.integers(0, 200))
def test_damaged_answers_are_a_message_error_or_an_answer(
    frame: bytes, wounds: list[tuple[int, int]], lost: int
) -> None:
    """The same holds for sound answers with some bytes overwritten, or the end cut off."""
    body = bytearray(frame[4:])
    for at, value in wounds:
        body[at % len(body)] = value
    read_without_surprise(bytes(body[: len(body) - lost]))


def read_without_surprise(frame: bytes) -> None:
    """Read; what comes out is bounded by what went in."""
    try:
        _, decision = decode_answer(frame)
    except MessageError:
        return
    if isinstance(decision, Modify | Respond):
        text = sum(len(name) + sum(map(len, values)) for name, values in decision.headers)
        assert text <= 4 * len(frame) + 65_536


def answer(tag: int, status: int = 0) -> bytes:
    """Write an answer with this payload tag and status, by the generated code."""
    builder = flatbuffers.Builder(64)
    wire.ResponseStart(builder)
    wire.ResponseAddStatus(builder, status)
    payload = wire.ResponseEnd(builder)
    wire.PluginResponseStart(builder)
    wire.PluginResponseAddCookie(builder, 7)
    wire.PluginResponseAddPayloadType(builder, tag)
    wire.PluginResponseAddPayload(builder, payload)
    builder.Finish(wire.PluginResponseEnd(builder))
    return bytes(builder.Output())


@pytest.mark.parametrize(("status", "http"), [(0, 403), (1, 200), (2, 200), (3, 503)])
def test_statuses(status: int, http: int) -> None:
    """Deny is 403, Accept and Modified are 200, Unavailable is 503."""
    assert decode_answer(answer(2, status)) == (7, Respond(http, (), b""))


@pytest.mark.parametrize("status", [4, -1])
def test_unknown_status_is_refused(status: int) -> None:
    """A status that the contract does not know is no answer."""
    with pytest.raises(MessageError, match="unknown status"):
        decode_answer(answer(2, status))


@pytest.mark.parametrize("tag", [3, 255])
def test_unknown_payload_is_refused(tag: int) -> None:
    """A payload of a kind that the contract does not know is no answer; it never counts as a pass."""
    with pytest.raises(MessageError, match="unknown kind"):
        decode_answer(answer(tag))


def test_payload_without_kind_lets_pass() -> None:
    """Tag NONE means that there is no payload (server section 11.5)."""
    assert decode_answer(answer(0)) == (7, PASS)


def shared(length: int, values: int, headers: int = 1) -> bytes:
    """Write a response whose headers all share one list of values, which all share one text."""
    builder = flatbuffers.Builder(100_000)
    text = builder.CreateString("x" * length)
    wire.EnvelopeStartValuesVector(builder, values)
    for _ in range(values):
        builder.PrependUOffsetTRelative(text)
    vector = builder.EndVector()
    wire.EnvelopeStart(builder)
    wire.EnvelopeAddValues(builder, vector)
    entry = wire.EnvelopeEnd(builder)
    wire.ResponseStartEnvelopeVector(builder, headers)
    for _ in range(headers):
        builder.PrependUOffsetTRelative(entry)
    envelope = builder.EndVector()
    wire.ResponseStart(builder)
    wire.ResponseAddEnvelope(builder, envelope)
    payload = wire.ResponseEnd(builder)
    wire.PluginResponseStart(builder)
    wire.PluginResponseAddPayloadType(builder, wire.Payload.client_Response)
    wire.PluginResponseAddPayload(builder, payload)
    builder.Finish(wire.PluginResponseEnd(builder))
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("length", "values", "headers"),
    [
        (50_000, 5_000, 1),
        (50_000, 10, 1),
        (0, 0, 40_000),
        (0, 8_000, 8),
    ],
)
def test_shared_parts_cannot_spell_gigabytes(length: int, values: int, headers: int) -> None:
    """A frame whose headers share one long value many times, or which has very many of them, is refused."""
    with pytest.raises(MessageError, match="too many parts, or repeats them too often"):
        decode_answer(shared(length, values, headers))


def test_shared_parts_may_be() -> None:
    """A text that a few headers share is none too many."""
    _, decision = decode_answer(shared(50_000, 2, 2))
    assert isinstance(decision, Respond)
    assert decision.headers == ((b"", (b"x" * 50_000,) * 2),) * 2


@pytest.mark.parametrize("offset", [1, 3, 5, 11, 12, 255])
def test_a_field_outside_of_its_table(offset: int) -> None:
    """A cookie that lies in the head of its table, or beyond the end, is refused."""
    frame = bytearray.fromhex("100000000000000008000c0000000400080000000700000000000000")
    assert decode_answer(bytes(frame)) == (7, PASS)
    frame[14] = offset
    with pytest.raises(MessageError, match="a field outside of its table"):
        decode_answer(bytes(frame))


def body_at_the_end() -> bytes:
    """Write a response whose last byte is the last one of its body."""
    outer = struct.pack("<6H", 12, 12, 0, 0, 4, 8) + struct.pack("<iBxxxI", 12, wire.Payload.client_Response, 16)
    inner = struct.pack("<5Hxx", 10, 8, 0, 0, 4) + struct.pack("<iI", 12, 4)
    return struct.pack("<I", 16) + outer + inner + struct.pack("<I", 4) + b"body"


def shape_at_the_end() -> bytes:
    """Write an answer whose table comes before what describes it."""
    return struct.pack("<IiQ", 4, -12, 7) + struct.pack("<4H", 8, 12, 0, 4)


@pytest.mark.parametrize(
    ("frame", "meaning"),
    [
        (body_at_the_end(), (0, Respond(403, (), b"body"))),
        (shape_at_the_end(), (7, PASS)),
    ],
    ids=["text", "shape"],
)
def test_parts_may_reach_to_the_end(frame: bytes, meaning: object) -> None:
    """Whatever part of a message is its last, it may reach to the end of the frame, and not a byte further."""
    assert decode_answer(frame) == meaning
    with pytest.raises(MessageError):
        decode_answer(frame[:-1])


def with_one_field(tag: int, number: int, width: int, missing: int = 0) -> bytes:
    """Write a payload that has just this field, empty or 0, at the end of a table that lacks some bytes of it."""
    shape = struct.pack(f"<{number + 3}H", 2 * number + 6, 4 + width - missing, *[0] * number, 4)
    shape += bytes(-len(shape) % 4)
    outer = struct.pack("<6H", 12, 12, 0, 0, 4, 8) + struct.pack("<iBxxxI", 12, tag, 4 + len(shape))
    return struct.pack("<I", 16) + outer + shape + struct.pack("<iII", len(shape), 4 if width == 4 else 0, 0)


@pytest.mark.parametrize(
    ("tag", "number", "width", "meaning"),
    [
        (1, 1, 4, Modify(b"", (), None)),
        (1, 3, 4, Modify(b"", (), None)),
        (1, 4, 4, Modify(b"", (), b"")),
        (2, 0, 1, Respond(403, (), b"")),
        (2, 1, 4, Respond(403, (), b"")),
        (2, 2, 4, Respond(403, (), b"")),
    ],
)
def test_each_field_may_be_the_last_of_its_table(tag: int, number: int, width: int, meaning: object) -> None:
    """Whichever field of an answer is the last in its table, it may reach to the end, and not a byte further."""
    assert decode_answer(with_one_field(tag, number, width)) == (0, meaning)
    with pytest.raises(MessageError, match="a field outside of its table"):
        decode_answer(with_one_field(tag, number, width, missing=1))
