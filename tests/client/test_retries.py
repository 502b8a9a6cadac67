"""A request is sent again where that is safe and of use, and nowhere else; flows need no network to show it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from wfx.client import (
    ClientError,
    JobNotFound,
    NotSent,
    Refused,
    Retries,
    ServerFault,
    StoreFull,
    TimedOut,
    TooManyRequests,
    Unavailable,
    Unreachable,
)
from wfx.client.commands import Flow, Now, Request, Response, Send, Sleep, advance
from wfx.client.errors import refusal
from wfx.client.exchanging import RequestPlan, exchange
from wfx.client.pauses import Backoff, Interval
from wfx.client.plans import add_tags, create_job, delete_job, get_status, update_status
from wfx.client.polling import poll_jobs, wait_for

STATUS = Response(200, {}, b'{"state": "A"}')
JOB = Response(201, {}, json.dumps({
    "id": "1", "clientId": "c", "workflow": {"name": "w"}, "status": {"state": "A"}, "stime": "2026-07-01T08:00:00Z",
    "mtime": "2026-07-01T08:00:00.5Z",
}).encode())  # fmt: skip
GONE = Response(404, {}, b'{"errors": [{"code": "wfx.jobNotFound", "logref": "1", "message": "Job ID was not found"}]}')
LATER = {"retry-after": "1"}
LOST, REFUSED, LATE = Unreachable("broke off"), NotSent("refused"), TimedOut("late")
PLAN = get_status("1")
Outcome = Response | Exception


def answer(status: int, headers: dict[str, str] | None = None) -> Response:
    """An answer without a document."""
    return Response(status, headers or {}, b"")


def drive(flow: Flow[Any], outcomes: Sequence[Outcome]) -> tuple[Any, int, list[float]]:
    """Run a flow; returns its result or error, how often it sent, and how long it slept."""
    left, sent, slept = list(outcomes), 0, list[float]()
    outcome: Any = None
    try:
        while True:
            command = advance(flow, outcome)
            outcome = None
            if isinstance(command, Sleep):
                slept.append(command.seconds)
            else:
                assert isinstance(command, Send)
                sent, outcome = sent + 1, left.pop(0)
    except StopIteration as end:
        assert not left
        return end.value, sent, slept
    except Exception as exc:  # noqa: BLE001 - the outcome
        return exc, sent, slept


@pytest.mark.parametrize("failure", [
    LOST, LATE, REFUSED, answer(429), answer(502), answer(503), answer(503, LATER), answer(504),
])  # fmt: skip
@pytest.mark.parametrize("plan", [PLAN, update_status("1", "A")], ids=["GET", "PUT"])
def test_what_is_idempotent_is_repeated(plan: RequestPlan[Any], failure: Outcome) -> None:
    """Reading, and putting, are tried again after any failure that may be over soon."""
    result, sent, slept = drive(exchange(plan, Retries()), [failure, failure, STATUS])
    assert (result.state, sent, len(slept)) == ("A", 3, 2)


@pytest.mark.parametrize("failure", [REFUSED, answer(429), answer(429, LATER), answer(503, LATER)])
@pytest.mark.parametrize("plan", [create_job("c", "w"), add_tags("1", "t")], ids=["job", "tags"])
def test_a_post_is_repeated_if_nothing_has_happened(plan: RequestPlan[Any], failure: Outcome) -> None:
    """A POST is sent again if it did not reach the server, or the answer proves that nothing was done."""
    wanted = JOB if b"clientId" in (plan.request.body or b"") else Response(200, {}, b'["t"]')
    assert drive(exchange(plan, Retries()), [failure, wanted])[1] == 2


@pytest.mark.parametrize("failure", [LOST, LATE, answer(500), answer(502), answer(503), answer(504), answer(507)])
@pytest.mark.parametrize("plan", [create_job("c", "w"), add_tags("1", "t")], ids=["job", "tags"])
def test_a_post_is_not_repeated_otherwise(plan: RequestPlan[Any], failure: Outcome) -> None:
    """A POST whose outcome is not known is sent once, and the caller is told."""
    result, sent, slept = drive(exchange(plan, Retries()), [failure])
    assert isinstance(result, Unreachable | ServerFault)
    assert (sent, slept) == (1, [])


def test_an_idempotency_key_makes_a_post_repeatable() -> None:
    """With such a key the server knows a repetition, so it is safe."""
    plan = RequestPlan(Request("POST", "/x", {"idempotency-key": "k"}, b"{}"), lambda response: response.status)
    assert drive(exchange(plan, Retries()), [LOST, LATE, answer(502), answer(200)])[:2] == (200, 4)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 412, 422, 500, 507])
def test_what_waiting_does_not_change(status: int) -> None:
    """Refusals for good are told at once."""
    result, sent, _ = drive(exchange(PLAN, Retries()), [answer(status)])
    assert isinstance(result, Refused)
    assert (result.status, sent) == (status, 1)


@pytest.mark.parametrize("first", [LOST, LATE, answer(502)])
def test_not_sent_is_said_of_all_attempts(first: Outcome) -> None:
    """Where an attempt may have reached the server, the error does not promise that nothing has happened."""
    result, sent, _ = drive(exchange(update_status("1", "A"), Retries(attempts=3)), [first, REFUSED, REFUSED])
    assert (type(result), str(result), sent) == (Unreachable, "refused", 3)
    result, *_ = drive(exchange(update_status("1", "A"), Retries(attempts=3)), [REFUSED, REFUSED, REFUSED])
    assert type(result) is NotSent


def test_a_deletion_that_happened_already() -> None:
    """If a deletion's answer was lost, and the repetition finds nothing, it is done; a first one that does is told."""
    assert drive(exchange(delete_job("1"), Retries()), [LOST, GONE])[:2] == (None, 2)
    assert isinstance(drive(exchange(delete_job("1"), Retries()), [GONE])[0], JobNotFound)
    assert isinstance(drive(exchange(delete_job("1"), Retries()), [REFUSED, GONE])[0], JobNotFound)
    assert isinstance(drive(exchange(delete_job("1"), Retries()), [answer(429), GONE])[0], JobNotFound)


def test_the_number_of_attempts() -> None:
    """So many attempts are made, and then the last error is raised; None is for ever."""
    result, sent, _ = drive(exchange(PLAN, Retries(attempts=3)), [LOST, LOST, LATE])
    assert (result, sent) == (LATE, 3)
    assert drive(exchange(PLAN, Retries(attempts=None)), [*[LOST] * 50, STATUS])[1] == 51


def test_the_pauses() -> None:
    """Pauses grow by half, spread by half, up to the longest; what a server asks for is the least."""
    _, _, slept = drive(exchange(PLAN, Retries(attempts=21, initial=1.0, longest=10.0)), [LOST] * 21)
    for number, seconds in enumerate(slept):
        middle = min(1.5**number, 10.0)
        assert middle * 0.5 <= seconds <= middle * 1.5
    assert len(set(slept)) == 20
    _, _, slept = drive(exchange(PLAN, Retries(initial=0.001)), [answer(503, {"retry-after": "7"}), STATUS])
    assert slept == [7.0]


def test_a_server_that_asks_for_too_long_a_pause() -> None:
    """A pause that is longer than the longest is not made: the caller is told how long it is."""
    result, sent, _ = drive(exchange(PLAN, Retries(longest=60.0)), [answer(429, {"retry-after": "61"})])
    assert isinstance(result, TooManyRequests)
    assert (result.retry_after, sent) == (61.0, 1)


@pytest.mark.parametrize(("status", "body", "kind"), [
    (429, b"", TooManyRequests), (503, b"", Unavailable), (500, b"", ServerFault), (507, b"", StoreFull),
    (404, b'{"title": "x", "errors": [{"code": "wfx.jobNotFound"}]}', JobNotFound), (418, b"[1]", Refused),
    (400, b'{"errors": {"code": 1}}', Refused), (400, b'{"errors": [1, {}]}', Refused), (404, b"\xff{", Refused),
    (400, b"[" * 100_000, Refused),
])  # fmt: skip
def test_any_refusal_is_an_error_of_its_kind(status: int, body: bytes, kind: type[Refused]) -> None:
    """Whatever a refusal's body is, its status makes an error with a message."""
    error = refusal(status, {"retry-after": "soon"}, body.decode("utf-8", "replace"))
    assert isinstance(error, kind)
    assert str(error)
    assert error.retry_after is None


def test_a_server_cannot_make_a_stream_wait_for_long() -> None:
    """What a stream asks for in ``retry`` counts up to the longest pause."""
    backoff = Backoff(999_999.0, 60.0)
    assert backoff.wait() <= 90.0


def poll(outcomes: Sequence[Outcome]) -> list[float]:
    """Poll through these outcomes; returns the pauses."""
    flow, left, slept = poll_jobs(Retries(), "c"), list(outcomes), list[float]()
    outcome: Any = None
    while left:
        command = advance(flow, outcome)
        outcome = left.pop(0) if isinstance(command, Send) else None
        if isinstance(command, Sleep):
            slept.append(command.seconds)
    while not isinstance(command := advance(flow, outcome), Sleep):
        outcome = None
    return [*slept, command.seconds]


@pytest.mark.parametrize("failure", [LOST, LATE, answer(401), answer(503), Response(200, {}, b"<html>"), answer(500)])
def test_a_device_waits_out_whatever_happens(failure: Outcome) -> None:
    """A poll that fails is made again, with growing pauses, also where somebody else answers in the server's place."""
    pauses = poll([failure] * 8)
    assert len(pauses) == 8
    assert pauses[-1] > 3.0
    assert poll([answer(503, {"retry-after": "999999999"})]) == [3600.0]


def lose_all(flow: Flow[Any]) -> tuple[Exception, float, int]:
    """Run a flow of which every request is lost; returns its error, when that came, and how often it had sent."""
    now, sent, outcome = 0.0, 0, None
    try:
        for _ in range(1000):
            command = advance(flow, outcome)
            outcome = None
            if isinstance(command, Sleep):
                now += command.seconds
            elif isinstance(command, Now):
                outcome = now
            else:
                sent, outcome = sent + 1, LOST
    except ClientError as exc:
        return exc, now, sent
    raise AssertionError("it has no end")


def test_waiting_for_a_job_ends_in_time() -> None:
    """The time that a wait may take holds although the client's retries have no end."""
    error, now, sent = lose_all(wait_for(Retries(attempts=None), "1", states=["A"], timeout=100.0))
    assert isinstance(error, TimedOut)
    assert "could not be looked at in time: broke off" in str(error)
    assert now == 100.0
    assert sent > 5


@pytest.mark.parametrize("wrong", [
    lambda: Retries(attempts=0), lambda: Retries(attempts=-1), lambda: Retries(initial=-1.0),
    lambda: Retries(longest=float("nan")), lambda: Interval(-1.0), lambda: Interval(1.0, 1.5),
    lambda: Interval(1.0, -0.1),
])  # fmt: skip
def test_pauses_that_cannot_be(wrong: Callable[[], object]) -> None:
    """Numbers that would mean no request at all, requests without end, or waiting backwards, are refused at once."""
    with pytest.raises(ValueError, match=r"once at least|less than nothing"):
        wrong()


def test_backoff_begins_anew_after_success() -> None:
    """After a success the next pause is the first one again; intervals stay within their jitter."""
    backoff = Backoff(1.0, 60.0)
    for _ in range(10):
        backoff.wait()
    backoff.succeeded()
    assert backoff.wait() <= 1.5
    waits = [Interval(10.0, 0.2).wait() for _ in range(100)]
    assert all(8.0 <= seconds <= 12.0 for seconds in waits)
    assert len(set(waits)) > 50
