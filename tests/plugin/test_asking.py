"""Frames between a plugin of the SDK and another plugin are those of the server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wfx_plugin as sdk
from wfx.plugin.decode import decode_answer
from wfx.plugin.encode import encode_request
from wfx.plugin.message import Action, Origin, PluginRequest, ShownSide
from wfx.request_context import ClientCertificate
from wfx_plugin.wire import read_answer, read_request, write_answer, write_request

NAMES = st.text("ABCdef-", min_size=1, max_size=10)
VALUES = st.text(max_size=20)
HEADERS = st.dictionaries(NAMES, st.lists(VALUES, max_size=3), max_size=5)
TARGETS = st.text(min_size=1, max_size=30)
COOKIES = st.integers(0, 2**64 - 1)
CERTIFICATES = st.builds(sdk.Certificate, VALUES, VALUES, st.lists(VALUES, max_size=3).map(tuple))
ORIGINS = st.just(sdk.Origin()) | st.builds(
    sdk.Origin, NAMES, VALUES, st.sampled_from(sdk.Side), VALUES, st.none() | CERTIFICATES
)
DECISIONS = st.one_of(
    st.just(sdk.PASS),
    st.builds(sdk.Modify, TARGETS, HEADERS, st.none() | st.binary(max_size=30)),
    st.builds(sdk.Respond, st.sampled_from(sdk.Status), st.binary(max_size=30), HEADERS),
)


def as_server(origin: sdk.Origin) -> Origin:
    """The same as the server has it."""
    shown = origin.certificate
    return Origin(
        origin.method.encode(), origin.peer.encode(), ShownSide(origin.side), origin.request_id.encode(),
        None if shown is None else ClientCertificate(shown.subject, shown.names, shown.sha256),
    )  # fmt: skip


@given(COOKIES, TARGETS, st.sampled_from(sdk.Action), HEADERS, st.binary(max_size=30), ORIGINS)
def test_requests_are_asked_as_the_server_asks(
    cookie: int, target: str, action: sdk.Action, headers: dict[str, list[str]], body: bytes, origin: sdk.Origin
) -> None:
    """What a plugin asks another is what the server would, and is understood as it was meant."""
    named = {sdk.model.canonical(name): values for name, values in headers.items()}
    request = sdk.Request(target, action, named, body, origin)
    frame = write_request(cookie, request)
    assert int.from_bytes(frame[:4], "little") == len(frame) - 4
    shown = tuple(
        (name.encode(), tuple(value.encode() for value in values)) for name, values in request.headers.items()
    )
    servers = encode_request(cookie, PluginRequest(target.encode(), Action(action), shown, body, as_server(origin)))
    for one in (frame, servers):
        number, read = read_request(one[4:])
        assert (number, read.destination, read.action, read.body) == (cookie, target, action, body)
        assert read.headers == request.headers
        assert read.origin == origin


@given(COOKIES, DECISIONS)
def test_answers_are_read_as_the_server_reads_them(cookie: int, decision: sdk.Decision) -> None:
    """A plugin understands every answer as it was meant, and so gives the server the same."""
    request = sdk.Request("/")
    frame = write_answer(cookie, request, decision)
    number, read = read_answer(frame[4:])
    assert (number, read) == (cookie, decision)
    assert decode_answer(write_answer(cookie, request, read)[4:]) == decode_answer(frame[4:])


def test_an_answer_that_leaves_all_as_it_is() -> None:
    """A change without a destination, without a body and without headers is read as such, and an echo as a pass."""
    frame = bytearray(write_answer(7, sdk.Request(""), sdk.Modify("", {})))
    assert read_answer(bytes(frame[4:])) == (7, sdk.Modify(None, {}, None))
    assert read_answer(write_request(7, sdk.Request("/", headers={"A": "b"}))[4:]) == (7, sdk.PASS)


def test_an_unknown_answer() -> None:
    """A payload of a kind that there is not is an error, never a pass."""
    frame = bytearray(write_answer(7, sdk.Request("/"), sdk.Respond.deny("no")))
    frame[frame.index(b"\x02\x07")] = 3
    with pytest.raises(ValueError, match="unknown kind 3"):
        read_answer(bytes(frame[4:]))
