"""The API of rules: its frame, and what is refused there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from conformance import conforming_client

from wfx.api.plain_errors import PREFIX
from wfx.api.refusals import refusals_of
from wfx.demo.local import LocalService

NO_RULES = {"error": "this server has no rules; start it with --rules FILE"}


def tell(service: LocalService, path: str, body: object) -> httpx.Response:
    """Tell events to the northbound side; the answer is held against the document."""
    with conforming_client(service.north + PREFIX) as client:
        return client.post(path, json=body)


@pytest.mark.parametrize(("path", "body"), [("/events", {"type": "a"}), ("/events/batch", [{"type": "a"}])])
def test_without_rules_events_are_refused(service: LocalService, path: str, body: object) -> None:
    """A server without rules does not take events for nothing: it answers 404, and says which option is missing."""
    answer = tell(service, path, body)
    assert (answer.status_code, answer.json()) == (404, NO_RULES)


@pytest.mark.parametrize(("path", "body", "said"), [
    ("/events", {}, {"error": "event type is required"}),
    ("/events", {"type": "", "payload": 7}, {"error": "event type is required"}),
    ("/events", [], {"error": 'the body: [] is not of type "object"'}),
    ("/events", {"type": 1, "payload": 7}, {
        "error": 'the body at /type: 1 is not of type "string"',
        "faults": ['/type: 1 is not of type "string"', '/payload: 7 is not of type "object"'],
    }),
    ("/events", {"type": "a", "actor_id": "a\0"}, {
        "error": "the body at /actor_id: must not contain U+0000", "faults": ["/actor_id: must not contain U+0000"],
    }),
    ("/events", {"type": "job.create"}, {
        "error": "event types that begin with 'job.' are those of the service's own events",
        "faults": ["/type: event types that begin with 'job.' are those of the service's own events"],
    }),
    ("/events", {"type": "system.fatal", "payload": {"error": "nothing works"}}, {
        "error": "event type 'system.fatal' is that of the service's own events",
        "faults": ["/type: event type 'system.fatal' is that of the service's own events"],
    }),
    ("/events", {"type": "a", "payload": {"a": "x" * 65_536}}, {
        "error": "event has 65,567 bytes, and may have 65,536",
    }),
    ("/events/batch", [{"type": "a"}, {}], {
        "error": "event type is required", "faults": ["/1: event type is required"],
    }),
    ("/events/batch", [{"type": "a"}] * 101, {"error": "batch size 101 exceeds max 100"}),
    ("/events/batch", [], {"error": "the body: [] has less than 1 item"}),
    ("/events/batch", {"type": "a"}, {"error": 'the body: {"type":"a"} is not of type "array"'}),
    ("/events/batch", [{"type": "a", "payload": {"a": "x" * 65_536}}] * 2, {
        "error": "event has 65,567 bytes, and may have 65,536",
        "faults": [f"/{place}: event has 65,567 bytes, and may have 65,536" for place in range(2)],
    }),
])  # fmt: skip
def test_bad_events_are_refused(service: LocalService, path: str, body: object, said: dict[str, Any]) -> None:
    """What is wrong with an event or a batch is told in ``error``, and with its place in ``faults``."""
    answer = tell(service, path, body)
    assert (answer.status_code, answer.json()) == (400, said)


def test_deep_events_are_refused(service: LocalService) -> None:
    """An event may have 32 levels, also where its body is read by a worker."""
    for rest in ([], [[]] * 2000):
        deep: Any = rest
        for _ in range(31):
            deep = {"a": deep}
        answer = tell(service, "/events", {"type": "a", "payload": deep})
        assert (answer.status_code, answer.json()) == (400, {"error": "event has more than 32 levels"})


@pytest.mark.parametrize("body", [b"{", b"[1,", b'{"type":"a"', b"\xff", b""])
def test_what_is_no_json_is_refused(service: LocalService, body: bytes) -> None:
    """Whatever is sent, the answer is an object with the error."""
    answer = httpx.post(f"{service.north}{PREFIX}/events", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body is ")


def test_an_unknown_member_is_ignored_and_named(service: LocalService) -> None:
    """Members that an event does not have are named in ``Warning``."""
    answer = tell(service, "/events", {"type": "a", "occured_at": 7})
    assert "member occured_at" in answer.headers["warning"]


@pytest.mark.parametrize("path", ["", "/", "/events/more", "/nothing"])
def test_an_unknown_path_below_the_prefix(service: LocalService, path: str) -> None:
    """Below the prefix, and there alone, unknown paths are answered with an object, by whatever method and side."""
    for side in (service.north, service.south):
        for method in ("GET", "POST", "DELETE", "OPTIONS"):
            answer = httpx.request(method, side + PREFIX + path)
            assert (answer.status_code, answer.json()) == (404, {"error": "nothing is found under this path"})
    elsewhere = httpx.get(f"{service.north}{PREFIX}x{path}")
    assert (elsewhere.status_code, elsewhere.content) == (404, b"")


def test_a_method_that_a_path_does_not_have(service: LocalService) -> None:
    """405 tells the methods in ``Allow`` and in the message."""
    answer = httpx.delete(f"{service.north}{PREFIX}/events")
    assert (answer.status_code, answer.json()) == (405, {"error": "the path has these methods: POST"})
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/events", "/events?a=b", "/events/batch", "/openapi.json"])
def test_devices_find_nothing(service: LocalService, path: str) -> None:
    """The southbound side has nothing of it, by whatever method and body."""
    for method in ("GET", "POST", "DELETE", "PUT"):
        answer = httpx.request(method, service.south + PREFIX + path, json={"type": "a"})
        assert (answer.status_code, answer.json()) == (404, {"error": "nothing is found under this path"})


def test_unknown_parameters_are_refused(service: LocalService) -> None:
    """A query parameter that is not described is refused by name."""
    answer = httpx.post(f"{service.north}{PREFIX}/events?dry=1", json={"type": "a"})
    assert (answer.status_code, answer.json()) == (400, {"error": "unknown parameter 'dry'"})


def test_the_document_is_served(service: LocalService) -> None:
    """The API of rules serves its own document."""
    answer = httpx.get(f"{service.north}{PREFIX}/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["servers"] == [{"url": PREFIX}]
    assert "/events/batch" in answer.json()["paths"]


def test_the_rate_limit_answers_in_its_form() -> None:
    """Who has used up the requests of an address is told in the form of the API that was asked."""
    reply = refusals_of(f"{PREFIX}/events".encode()).too_many_requests("too many", [(b"retry-after", b"7")])
    assert (reply.status_code, bytes(reply.body)) == (429, b'{"error":"too many"}\n')
    assert (b"retry-after", b"7") in reply.raw_headers
