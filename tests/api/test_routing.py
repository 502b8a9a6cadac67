"""Methods and paths (rest-api section 2)."""

from __future__ import annotations

import httpx
import pytest

from wfx.demo.local import LocalService

BASE = "/api/wfx/v1"


@pytest.fixture(params=["north", "south"])
def side(request: pytest.FixtureRequest, service: LocalService) -> str:
    """The address of each side in turn."""
    return service.north if request.param == "north" else service.south


def ask(method: str, url: str) -> httpx.Response:
    """Send a request exactly as it is, without following redirects."""
    with httpx.Client(trust_env=False) as client:
        return client.send(client.build_request(method, url))


@pytest.mark.parametrize("path", [
    "/nothing", BASE, f"{BASE}/nothing", f"{BASE}/jobs/x/nothing", "/uix", "/swagger.json",
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_unknown_path(side: str, method: str, path: str) -> None:
    """An unknown path is a 404 without body and without content type."""
    answer = ask(method, side + path)
    assert (answer.status_code, answer.content, answer.headers.get("content-type")) == (404, b"", None)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_method_on_unknown_path(side: str, method: str) -> None:
    """Any other method on an unknown path is a 405 that allows GET and HEAD."""
    answer = ask(method, f"{side}/nothing")
    assert (answer.status_code, answer.headers["allow"], answer.text) == (405, "GET, HEAD", "Method Not Allowed\n")


@pytest.mark.parametrize(("method", "path", "allow"), [
    ("PATCH", "/jobs", "GET, HEAD, POST"),
    ("PUT", "/jobs", "GET, HEAD, POST"),
    ("POST", "/jobs/x", "DELETE, GET, HEAD"),
    ("POST", "/jobs/x/status", "GET, HEAD, PUT"),
    ("DELETE", "/jobs/x/definition", "GET, HEAD, PUT"),
    ("PUT", "/jobs/x/tags", "DELETE, GET, HEAD, POST"),
    ("PUT", "/workflows/x", "DELETE, GET, HEAD"),
    ("POST", "/version", "GET, HEAD"),
    ("DELETE", "/health", "GET, HEAD"),
    ("OPTIONS", "/jobs", "GET, HEAD, POST"),
    ("OPTIONS", "/jobs/x/status", "GET, HEAD, PUT"),
    ("BREW", "/jobs?limit=1", "GET, HEAD, POST"),
    ("VIEW", "/jobs/x/tags", "DELETE, GET, HEAD, POST"),
])  # fmt: skip
def test_other_method_on_known_path(side: str, method: str, path: str, allow: str) -> None:
    """A method that a path does not have is a 405 listing those it has, sorted."""
    answer = ask(method, side + BASE + path)
    assert (answer.status_code, answer.headers["allow"], answer.text) == (405, allow, "Method Not Allowed\n")


def test_deletion_of_the_event_stream(side: str) -> None:
    """The event stream cannot be deleted, which is said in the words of the reference."""
    answer = ask("DELETE", f"{side}{BASE}/jobs/events")
    assert (answer.status_code, answer.headers["allow"], answer.text) == (405, "GET, HEAD", "method not allowed\n")


@pytest.mark.parametrize("path", ["/jobs/", "/version/", "/jobs/x/status/", "/workflows/"])
def test_trailing_slash(side: str, path: str) -> None:
    """A trailing slash makes another, unknown path."""
    answer = ask("GET", side + BASE + path)
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(("path", "target"), [
    (f"/{BASE}/jobs", f"{BASE}/jobs"),
    (f"{BASE}//jobs?limit=3", f"{BASE}/jobs?limit=3"),
    (f"{BASE}/./jobs", f"{BASE}/jobs"),
    (f"{BASE}/x/../jobs", f"{BASE}/jobs"),
    ("/../../version", "/version"),
    (f"{BASE}/jobs/.", f"{BASE}/jobs"),
    (f"{BASE}/jobs/x/..", f"{BASE}/jobs"),
    (f"{BASE}/jobs/x/../", f"{BASE}/jobs/"),
    (f"{BASE}/jobs//", f"{BASE}/jobs/"),
    ("/..", "/"),
    ("//evil.example/x", "/evil.example/x"),
])  # fmt: skip
def test_unclean_path(service: LocalService, path: str, target: str) -> None:
    """Double slashes and dot segments lead to the clean path by a 307, never to another host."""
    import http.client  # sends paths as they are, which other clients clean up

    connection = http.client.HTTPConnection("127.0.0.1", service.ports["south"], timeout=10)
    connection.putrequest("GET", path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.headers["location"]) == (307, target)
    assert b"<a href=" in answer.read()
    connection.close()


def test_events_is_a_job_id_below(south: httpx.Client) -> None:
    """Below /jobs/events there are only jobs: its "status" is that of a job with the id "events"."""
    answer = south.get("/jobs/events/status")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "wfx.jobNotFound")


@pytest.mark.parametrize("path", ["/jobs", "/workflows", "/version", "/health", "/openapi.json"])
def test_head(side: str, path: str) -> None:
    """HEAD answers as GET does, without the body."""
    got, head = ask("GET", side + BASE + path), ask("HEAD", side + BASE + path)
    assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    assert head.content == b""
    assert ("content-length" in head.headers) is ("content-length" in got.headers), "large answers come in pieces"
    difference = int(head.headers.get("content-length", len(got.content))) - len(got.content)
    assert abs(difference) < 10, "the time in a health report varies in length"


@pytest.mark.parametrize("segment", [
    "%2F", "a%2Fb", "%00", "%ff%fe", "..%2fversion", "%2e%2e", "ä", "x" * 2000, "a;b", "a+b",
])  # fmt: skip
def test_odd_ids_find_nothing(side: str, segment: str) -> None:
    """Whatever stands for an id is one segment, decoded once, and merely finds nothing."""
    answer = ask("GET", f"{side}{BASE}/jobs/{segment}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "wfx.jobNotFound")
